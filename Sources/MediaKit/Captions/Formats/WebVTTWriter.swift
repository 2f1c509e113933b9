/// Writes WebVTT: https://www.w3.org/TR/webvtt1/
struct WebVTTWriter {
    /// Whether there is a time before each word.
    let wordTimes: Bool
    let language: String?

    func text(of captions: [Caption]) -> String {
        var text = "WEBVTT\n"
        for (caption, times) in CaptionMilliseconds.of(captions) {
            text += "\n" + time(times.start) + " --> " + time(times.end) + "\n"
            // A voice lasts until the end of the cue.
            if let speaker = caption.speaker.map(annotation), !speaker.isEmpty { text += "<v \(speaker)>" }
            text += Self.escaped(caption.label)
            var last = times.start
            text += caption.lines.map { line(of: $0, after: &last, before: times.end) }.joined(separator: "\n") + "\n"
        }
        return text
    }

    private func line(of words: [Caption.Word], after last: inout Int64, before end: Int64) -> String {
        var text = ""
        for (index, word) in words.enumerated() {
            if index > 0, word.followsBlank { text += " " }
            let start = CaptionMilliseconds.milliseconds(word.start)
            // Times inside a cue grow, and lie within it.
            if wordTimes, start > last, start < end {
                text += "<\(time(start))>"
                last = start
            }
            text += Self.escaped(word.text)
        }
        return text
    }

    private func time(_ milliseconds: Int64) -> String { CaptionMilliseconds.text(milliseconds, mark: ".") }

    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\u{A0}": escaped += "&nbsp;"
            default: escaped.append(character)
            }
        }
    }

    private func annotation(_ name: String) -> String {
        Self.escaped(name.split(whereSeparator: \.isWhitespace).joined(separator: " "))
    }
}
