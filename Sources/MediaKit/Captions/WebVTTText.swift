/// Reads the text of one WebVTT cue.
///
/// See <https://www.w3.org/TR/webvtt1/#webvtt-cue-text-parsing-rules>. Ruby text is shown in brackets after its base;
/// times inside a cue are passed over (the text is all shown at once); the colours are those that
/// <https://www.w3.org/TR/webvtt1/#default-text-color> gives to class names.
enum WebVTTText {
    static func parse(_ text: ArraySlice<UInt8>) -> CueTextBuilder {
        var builder = CueTextBuilder()
        var plain = text.startIndex
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case UInt8(ascii: "<"):
                builder.append(text[plain..<index])
                let end = text[index...].firstIndex(of: UInt8(ascii: ">")) ?? text.endIndex
                apply(tag: text[(index + 1)..<end], to: &builder)
                index = min(end + 1, text.endIndex)
                plain = index
            case UInt8(ascii: "&"):
                guard let (meaning, length) = CueEntities.decode(at: index, in: text) else {
                    index += 1
                    continue
                }
                builder.append(text[plain..<index])
                builder.append(meaning)
                index += length
                plain = index
            default: index += 1
            }
        }
        builder.append(text[plain...])
        return builder
    }

    private static func apply(tag: ArraySlice<UInt8>, to builder: inout CueTextBuilder) {
        if tag.first == UInt8(ascii: "/") {
            close(tag.dropFirst().trimmed.string, in: &builder)
            return
        }
        let head = tag.prefix { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A }
        let annotation = tag[head.endIndex...]
        let parts = head.fields(separator: UInt8(ascii: "."))
        let name = parts[0].string
        let classes = parts.dropFirst().prefix(16).filter { !$0.isEmpty }.map { $0.prefix(64).string }
        func open(_ change: (inout CueSpan) -> Void = { _ in }) {
            builder.open(name) {
                change(&$0)
                add(classes, to: &$0)
            }
        }
        switch name {
        case "b": open { $0.bold = true }
        case "i": open { $0.italic = true }
        case "u": open { $0.underline = true }
        case "v": open { $0.voice = voice(annotation) }
        case "c", "lang", "ruby": open()
        case "rt" where builder.innermost == "ruby":
            open()
            builder.append("(")
        default: break
        }
    }

    private static func close(_ name: String, in builder: inout CueTextBuilder) {
        if builder.innermost == "rt", name == "rt" || name == "ruby" {
            builder.append(")")
            builder.close("rt")
        }
        if name != "rt" { builder.close(name) }
    }

    /// The name of a voice, with character references resolved and blanks made single.
    private static func voice(_ annotation: ArraySlice<UInt8>) -> String? {
        var name = ""
        var index = annotation.startIndex
        var plain = index
        while index < annotation.endIndex {
            if annotation[index] == UInt8(ascii: "&"),
                let (text, length) = CueEntities.decode(at: index, in: annotation)
            {
                name += annotation[plain..<index].string + text
                index += length
                plain = index
            } else {
                index += 1
            }
        }
        name += annotation[plain...].string
        let words = name.split { $0 == " " || $0 == "\t" || $0.isNewline }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    private static func add(_ classes: [String], to span: inout CueSpan) {
        for name in classes {
            if span.classes.count < 32 { span.classes.append(name) }
            if let color = colors[name] { span.color = color }
            if name.hasPrefix("bg_"), let color = colors[String(name.dropFirst(3))] { span.background = color }
        }
    }

    private static let colors: [String: CaptionColor] = [
        "white": .white, "lime": CaptionColor(red: 0, green: 255, blue: 0),
        "cyan": CaptionColor(red: 0, green: 255, blue: 255), "red": CaptionColor(red: 255, green: 0, blue: 0),
        "yellow": CaptionColor(red: 255, green: 255, blue: 0), "magenta": CaptionColor(red: 255, green: 0, blue: 255),
        "blue": CaptionColor(red: 0, green: 0, blue: 255), "black": .black,
    ]
}
