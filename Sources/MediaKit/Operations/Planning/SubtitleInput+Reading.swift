import ByteIO

extension SubtitleInput {
    /// What it says, as far as it can be had without the film.
    func document(_ job: Job) throws -> SubtitleDocument {
        switch self {
        case .file(let location): return try Self.document(of: read(location, job), name: shownName)
        case .text(let text): return try Self.document(of: Array(text.utf8), name: shownName)
        case .transcript(let transcript): return try Self.document(of: transcript)
        case .embedded: throw MediaError(.internal, "an embedded track is read from its film")
        }
    }

    /// The bytes of a file.
    func read(_ location: String, _ job: Job) throws -> [UInt8] {
        let source = try job.source(location)
        do { return try source.readAll(limit: SubtitleLimits().bytes) } catch {
            throw MediaError.wrapping(error, input: shownName)
        }
    }

    /// For messages.
    var shownName: String {
        switch self {
        case .file(let location): location.shownLocation
        case .text: "subtitles"
        case .embedded(let index): index.map { "subtitle track \($0)" } ?? "subtitle track"
        case .transcript: "transcript"
        }
    }

    /// A transcript as plain captions.
    static func document(of transcript: Transcript) throws -> SubtitleDocument {
        let cues = try CaptionSegmenter.captions(of: transcript).cues
        return SubtitleDocument(content: .cues(cues), warnings: [], encoding: nil, format: nil)
    }

    private static func document(of bytes: [UInt8], name: String) throws -> SubtitleDocument {
        guard Transcript.looksLikeJSON(bytes) else { return try SubtitleDocument.parse(bytes, name: name) }
        return try document(of: Transcript.load(bytes, name: name))
    }
}
