/// Writes SubRip: https://www.matroska.org/technical/subtitles.html#srt-subtitles
enum SubRipWriter {
    static func text(of captions: [Caption]) -> String {
        var text = ""
        for (index, (caption, times)) in CaptionMilliseconds.of(captions).enumerated() {
            if index > 0 { text += "\n" }
            text += "\(index + 1)\n"
            text += CaptionMilliseconds.text(times.start, mark: ",") + " --> "
            text += CaptionMilliseconds.text(times.end, mark: ",") + "\n"
            text += caption.lineTexts.map(escaped).joined(separator: "\n") + "\n"
        }
        return text
    }

    /// SubRip knows no escapes: a word joiner, which is invisible, parts what players would take for a tag, a
    /// character reference or an arrow.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        var last: Character?
        for character in text {
            switch (last, character) {
            case ("<", let next) where next.isLetter || next == "/": escaped += "\u{2060}"
            case ("{", "\\"), ("&", "#"), ("-", ">"): escaped += "\u{2060}"
            case ("&", let next) where next.isLetter: escaped += "\u{2060}"
            default: break
            }
            escaped.append(character)
            last = character
        }
        return escaped
    }
}
