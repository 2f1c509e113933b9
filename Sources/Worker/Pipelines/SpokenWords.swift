import FoundationEssentials
import JobQueue
import MediaKit
import Providers

/// What is said, as the steps of a pipeline hand it on: in the store, as a file of the job's own, so that a later attempt
/// goes on from there however long it is.
struct SpokenWords: Codable, Sendable {
    /// Where the transcript lies.
    var place: JobResult.Output
    var summary: SpeechSummary

    /// Writes a transcript.
    static func stored(
        _ transcript: Transcript, usage: TranscriptionUsage?, at location: String, overwrite: Bool, _ media: MediaRun
    ) async throws -> SpokenWords {
        let text = try transcript.written(as: .json)
        let place = try await media.write(Array(text.utf8), to: location, overwrite: overwrite)
        return SpokenWords(place: place, summary: SpeechSummary(transcript, usage: usage))
    }

    /// Recognises what is said in `input`, unless the words are given.
    static func found(
        in input: String, given: SubtitleInput?, _ wish: SpeechWish, at location: String, overwrite: Bool,
        _ media: MediaRun
    ) async throws -> SpokenWords {
        if let given {
            var transcript = try await read(given, media)
            transcript.language = transcript.language ?? wish.language
            return try await stored(transcript, usage: nil, at: location, overwrite: overwrite, media)
        }
        let made = try await SpeechRun(media).transcribe(wish.request(input), engine: wish.engine)
        return try await stored(made.transcript, usage: made.usage, at: location, overwrite: overwrite, media)
    }

    /// The transcript itself.
    func transcript(_ media: MediaRun) async throws -> Transcript {
        try Transcript.read(try await media.read(place.url), name: place.url)
    }

    private static func read(_ subtitles: SubtitleInput, _ media: MediaRun) async throws -> Transcript {
        switch subtitles {
        case .transcript(let transcript): return transcript
        case .text(let text): return try Transcript.read(Array(text.utf8), name: "subtitles")
        case .file(let location):
            return try Transcript.read(try await media.read(location, limit: SubtitleLimits().bytes), name: location)
        case .embedded:
            throw MediaError(.badRequest, "an embedded track is burnt in as it is")
        }
    }
}

/// What was recognised, without the words.
struct SpeechSummary: Codable, Sendable {
    /// "pocketsphinx", "openai:whisper-1"; `nil` where people wrote it.
    var engine: String?
    var quality: Transcript.Quality?
    var language: String?
    /// How many segments and words there are.
    var segments: Int
    var words: Int
    var usage: TranscriptionUsage?
    /// Who translated it; `nil` where nobody did.
    var translation: Translation?

    struct Translation: Codable, Sendable {
        /// "openai:gpt-4o-mini"
        var engine: String
        var usage: ChatUsage
    }

    init(_ transcript: Transcript, usage: TranscriptionUsage?) {
        engine = transcript.engine
        quality = transcript.quality
        language = transcript.languageTag ?? transcript.language
        segments = transcript.segments.count
        words = transcript.wordCount
        self.usage = usage
    }

    /// Whether it is in a language, whatever region's; where a region is asked for, in that region's.
    func isIn(_ tag: String) -> Bool {
        guard let own = language?.lowercased() else { return false }
        let tag = tag.lowercased()
        return own == tag || own.hasPrefix(tag + "-")
    }
}
