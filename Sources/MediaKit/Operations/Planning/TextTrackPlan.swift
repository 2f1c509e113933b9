import ByteIO
import CAVShim

/// What becomes of a ``TextTrack`` in a container: its cues in the form that the container keeps.
struct TextTrackPlan {
    let track: TextTrack
    private let cues: [Cue]
    private let form: Form
    private let isQuickTime: Bool

    /// How a container keeps text.
    enum Form {
        /// 3GPP timed text, in MP4 and MOV.
        case timedText
        case subRip
        case webVTT
    }

    /// - Throws: ``MediaError``: `unsupported` for containers without text tracks and for ASS, which is no plain text.
    init(_ track: TextTrack, container: Container, job: Job) throws {
        self.track = track
        let form = try Self.requireRoom(in: container)
        self.form = form
        isQuickTime = container == .mov
        let document = try track.subtitles.document(job)
        for warning in document.warnings {
            job.control.warnings.add(MediaWarning(.subtitle, "\(track.subtitles.shownName): \(warning)"))
        }
        guard case .cues(let cues) = document.content else {
            throw MediaError(
                .unsupported, "ASS is drawn, not kept as a text track", hint: "give SRT or WebVTT",
                input: track.subtitles.shownName)
        }
        // Timed text shows one sample at a time.
        self.cues = form == .timedText ? Self.oneAtATime(cues) : cues
    }

    /// - Throws: ``MediaError``: `unsupported` for containers without text tracks.
    @discardableResult
    static func requireRoom(in container: Container) throws -> Form {
        guard let form = form(of: container) else {
            throw MediaError(
                .unsupported, "a \(container.rawValue) file has no text tracks",
                hint: "choose mp4, mov, mkv or webm, or leave textTracks out")
        }
        return form
    }

    /// How many packets it has.
    var count: Int { cues.count }

    var codec: AVCodecID {
        switch form {
        case .timedText: AV_CODEC_ID_MOV_TEXT
        case .subRip: AV_CODEC_ID_SUBRIP
        case .webVTT: AV_CODEC_ID_WEBVTT
        }
    }

    var codecName: String { String(cString: avcodec_get_name(codec)) }

    /// The track as far as it lies in the output.
    ///
    /// - Parameters:
    ///   - start: seconds of the input at which the output begins.
    ///   - length: microseconds of the output; `nil` if that is not known.
    func stream(start: Double?, length: Int64?, slot: MediaGraph.OutputSlot) -> TextStream {
        let offset = Int64(clamping: (start ?? 0) * 1e6)
        let samples: [TextStream.Sample] = cues.compactMap { cue in
            let begin = max(0, cue.start * 1000 - offset)
            let end = min(cue.end * 1000 - offset, length ?? .max)
            guard end > begin else { return nil }
            return TextStream.Sample(start: begin, duration: end - begin, bytes: bytes(of: cue))
        }
        return TextStream(
            codec: codec, header: form == .timedText ? Self.timedTextHeader : [], samples: samples, slot: slot)
    }

    /// What players are told of it.
    var description: MediaGraph.OutputStream {
        var described = MediaGraph.OutputStream()
        if let language = track.language {
            let code = isQuickTime ? LanguageCode.quickTime(language) : LanguageCode.threeLetters(language)
            described.tags.append(("language", code))
        }
        if let title = track.title {
            described.tags.append(("title", title))
            described.tags.append(("handler_name", title))
        }
        if track.isDefault { described.disposition |= AV_DISPOSITION_DEFAULT }
        if track.isForced { described.disposition |= AV_DISPOSITION_FORCED }
        described.isSparse = true
        return described
    }

    // MARK: Forms

    /// Cues that do not overlap: where several are shown at once, their texts stand in one, the earlier above.
    static func oneAtATime(_ cues: [Cue]) -> [Cue] {
        var pieces: [Cue] = []
        var shown: [Cue] = []
        var now: Int64 = 0
        func go(to time: Int64) {
            while now < time, let end = shown.map(\.end).min() {
                let stop = min(end, time)
                if stop > now {
                    let text = shown.map(\.text).joined(separator: "\n")
                    pieces.append(Cue(start: now, end: stop, spans: [CueSpan(text)]))
                }
                now = max(now, stop)
                shown.removeAll { $0.end <= now }
            }
        }
        for cue in cues {
            go(to: cue.start)
            now = max(now, cue.start)
            guard cue.end > now else { continue }
            if shown.count == mostAtOnce { shown.removeFirst() }
            shown.append(cue)
        }
        go(to: .max)
        return pieces
    }

    private static let mostAtOnce = 8

    private static func form(of container: Container) -> Form? {
        if container.canHoldSubtitles(AV_CODEC_ID_MOV_TEXT) { return .timedText }
        if container.canHoldSubtitles(AV_CODEC_ID_SUBRIP) { return .subRip }
        return container.canHoldSubtitles(AV_CODEC_ID_WEBVTT) ? .webVTT : nil
    }

    private func bytes(of cue: Cue) -> [UInt8] {
        switch form {
        case .timedText:
            // A length of two bytes and the text: 3GPP TS 26.245, 5.17.
            let text = Array(Self.beginning(of: cue.text, bytes: Int(UInt16.max)).utf8)
            return [UInt8(text.count >> 8), UInt8(text.count & 0xFF)] + text
        case .subRip:
            return Array(marked(cue, escaped: false).utf8)
        case .webVTT:
            return Array(marked(cue, escaped: true).utf8)
        }
    }

    /// As much of a text as fits, cut between its characters.
    private static func beginning(of text: String, bytes: Int) -> Substring {
        guard text.utf8.count > bytes else { return text[...] }
        var used = 0
        return text.prefix { character in
            used += character.utf8.count
            return used <= bytes
        }
    }

    /// With the tags that both formats know.
    private func marked(_ cue: Cue, escaped: Bool) -> String {
        cue.spans.reduce(into: "") { text, span in
            var part = span.text
            part = escaped ? WebVTTWriter.escaped(part) : SubRipWriter.escaped(part)
            if span.bold { part = "<b>\(part)</b>" }
            if span.italic { part = "<i>\(part)</i>" }
            if span.underline { part = "<u>\(part)</u>" }
            text += part
        }
    }

    /// The sample description of 3GPP TS 26.245, 5.16, from its display flags on: white text of the player's own size in
    /// the middle of the bottom, on nothing.
    private static let timedTextHeader: [UInt8] =
        [0, 0, 0, 0]  // display flags
        + [1, 0xFF]  // centred, at the bottom
        + [0, 0, 0, 0]  // background, transparent
        + [0, 0, 0, 0, 0, 0, 0, 0]  // the box, left to the player
        + [0, 0, 0, 0, 0, 1, 0, 18, 0xFF, 0xFF, 0xFF, 0xFF]  // the style: font 1, plain, 18, white
        + [0, 0, 0, 18] + Array("ftab".utf8) + [0, 1, 0, 1, 5] + Array("Serif".utf8)
}
