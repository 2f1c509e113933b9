extension Transcript {
    /// From subtitles, so that they can be cut anew and have words that light up. Each cue, and each voice in it, is a
    /// segment; words have no times of their own, and take them by their lengths. Places and colours are left behind.
    ///
    /// - Parameters:
    ///   - cues: in any order.
    ///   - language: a BCP 47 tag; `nil` if it is not known.
    public init(cues: [Cue], language: String? = nil) {
        var segments: [Segment] = []
        for cue in cues {
            let (start, end) = (Double(max(cue.start, 0)) / 1000, Double(max(cue.end, cue.start, 0)) / 1000)
            let parts = Self.voices(of: cue)
            let total = max(parts.reduce(0) { $0 + $1.text.count }, 1)
            var passed = 0
            for part in parts {
                let from = start + (end - start) * Double(passed) / Double(total)
                passed += part.text.count
                let to = start + (end - start) * Double(passed) / Double(total)
                segments.append(Segment(start: from, end: to, text: part.text, speaker: part.voice))
            }
        }
        segments.sort { $0.start < $1.start }
        self.init(language: language, duration: segments.map(\.end).max() ?? 0, segments: segments)
    }

    /// From SubRip or WebVTT.
    ///
    /// - Throws: `badRequest` for ASS, whose events have looks of their own.
    public init(_ document: SubtitleDocument, language: String? = nil) throws(MediaError) {
        guard case .cues(let cues) = document.content else {
            throw MediaError(
                .badRequest, "words of ASS subtitles cannot be styled: their script says how they look",
                hint: "give SRT, WebVTT or a transcript")
        }
        self.init(cues: cues, language: language)
    }

    private static func voices(of cue: Cue) -> [(voice: String?, text: String)] {
        var parts: [(voice: String?, text: String)] = []
        for span in cue.spans {
            let text = String(span.text.map { $0.isNewline ? " " : $0 })
            if let last = parts.indices.last, parts[last].voice == span.voice {
                parts[last].text += text
            } else if let last = parts.indices.last, text.allSatisfy(\.isWhitespace) {
                parts[last].text += text
            } else {
                parts.append((span.voice, text))
            }
        }
        return parts.filter { !$0.text.allSatisfy(\.isWhitespace) }
    }
}
