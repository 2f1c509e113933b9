/// Writes spans as the text of an ASS event.
enum ASSText {
    /// Makes `text` mean itself: nothing in it can become an override tag or an escape.
    ///
    /// libass knows `\{` and `\}` but no escape for the backslash; a word joiner (invisible, without width) parts it
    /// from what follows.
    static func escape(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count + 8)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "{": escaped += "\\{"
            case "}": escaped += "\\}"
            case "\\": escaped += "\\\u{2060}"
            case "\t": escaped += " "
            case "\n", "\r", "\u{0B}", "\u{0C}", "\u{85}", "\u{2028}", "\u{2029}": escaped += "\\N"
            default:
                if scalar.value >= 0x20, scalar.value != 0x7F { escaped.unicodeScalars.append(scalar) }
            }
        }
        return escaped
    }

    /// The lines with the tags that set each span off from the style.
    ///
    /// - Parameter part: which of the event's layers is written.
    static func encode(_ lines: [[CueSpan]], style: CaptionStyle, part: CaptionMetrics.Part) -> String {
        var current = CueSpan("", bold: style.bold, italic: style.italic)
        var text = ""
        for (index, line) in lines.enumerated() {
            if index > 0 { text += "\\N" }
            for span in line {
                let tags = tags(from: current, to: span, style: style, part: part)
                if !tags.isEmpty { text += "{" + tags + "}" }
                current = span
                // A style that is bold stays so: a cue can only add to it.
                current.bold = style.bold || span.bold
                current.italic = style.italic || span.italic
                text += escape(span.text)
            }
        }
        return text
    }

    private static func tags(
        from current: CueSpan, to span: CueSpan, style: CaptionStyle, part: CaptionMetrics.Part
    ) -> String {
        var tags = ""
        let bold = style.bold || span.bold
        let italic = style.italic || span.italic
        if bold != current.bold { tags += bold ? "\\b1" : "\\b0" }
        if italic != current.italic { tags += italic ? "\\i1" : "\\i0" }
        switch part {
        case .text:
            if span.underline != current.underline { tags += span.underline ? "\\u1" : "\\u0" }
            if span.strikeout != current.strikeout { tags += span.strikeout ? "\\s1" : "\\s0" }
            if span.color != current.color {
                let color = (span.color ?? style.fillColor).faded(by: style.fillOpacity)
                tags += "\\1c" + color.assColorTag + "\\1a" + color.assAlphaTag
            }
        case .stretches where span.background != current.background:
            if let color = span.background {
                tags += "\\3c" + color.assColorTag + "\\3a" + color.assAlphaTag
            } else {
                tags += "\\3a&HFF&"
            }
        default: break
        }
        return tags
    }
}
