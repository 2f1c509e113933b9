/// Reads the text of one SubRip cue: HTML's few tags, ASS's override blocks, character references.
///
/// SubRip has no specification; this takes what VLC, mpv and libav take. A `<` or `{` that begins none of these is
/// text.
struct SRTText {
    /// Whether `\N`, `\n` and `\h` are a line break, a blank and a hard blank, as in ASS; in a SubRip file a
    /// backslash is a backslash.
    var hasASSEscapes = false
    /// Whether HTML's tags and character references mean something.
    var hasHTML = true
    var overrides = ASSOverrideTags(playRes: ASSOverrideTags.assumedPlayRes)

    /// A tag longer than this is text.
    private static let tagLimit = 256

    func parse(_ text: ArraySlice<UInt8>) -> CueTextBuilder {
        var builder = CueTextBuilder()
        var plain = text.startIndex
        var index = text.startIndex
        while index < text.endIndex {
            guard let length = special(at: index, in: text, before: plain..<index, &builder) else {
                index += 1
                continue
            }
            index += length
            plain = index
        }
        builder.append(text[plain...])
        return builder
    }

    /// Handles what begins at `index`, after adding the plain text before it: its length, or `nil` for plain text.
    private func special(
        at index: Int, in text: ArraySlice<UInt8>, before plain: Range<Int>, _ builder: inout CueTextBuilder
    ) -> Int? {
        let next = index + 1 < text.endIndex ? text[index + 1] : 0
        switch text[index] {
        case UInt8(ascii: "{") where next == UInt8(ascii: "\\"):
            guard let end = blockEnd(after: index, in: text) else { return nil }
            builder.append(text[plain])
            overrides.apply(text[(index + 1)..<end], to: &builder)
            return end + 1 - index
        case UInt8(ascii: "{") where hasASSEscapes:
            guard let end = blockEnd(after: index, in: text) else { return nil }
            builder.append(text[plain])
            return end + 1 - index
        case UInt8(ascii: "\\") where hasASSEscapes:
            let meanings: [UInt8: String] = [
                UInt8(ascii: "N"): "\n", UInt8(ascii: "n"): "\n", UInt8(ascii: "h"): "\u{A0}",
                UInt8(ascii: "{"): "{", UInt8(ascii: "}"): "}",
            ]
            guard let meaning = meanings[next] else { return nil }
            builder.append(text[plain])
            builder.append(meaning)
            return 2
        case UInt8(ascii: "<") where hasHTML:
            let window = text[(index + 1)...].prefix(SRTText.tagLimit)
            guard let end = window.firstIndex(where: { $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: "<") }),
                text[end] == UInt8(ascii: ">"), let tag = HTMLTag(text[(index + 1)..<end])
            else { return nil }
            builder.append(text[plain])
            tag.apply(to: &builder)
            return end + 1 - index
        case UInt8(ascii: "&") where hasHTML:
            guard let (meaning, length) = CueEntities.decode(at: index, in: text) else { return nil }
            builder.append(text[plain])
            builder.append(meaning)
            return length
        default: return nil
        }
    }

    /// Where the block that opens at `index` closes.
    ///
    /// libass looks for the end however far; here a line and the next block are the bound, so that a lone brace does
    /// not swallow the rest.
    private func blockEnd(after index: Int, in text: ArraySlice<UInt8>) -> Int? {
        let stops = [UInt8(ascii: "}"), UInt8(ascii: "{"), 0x0A]
        guard let end = text[(index + 1)...].firstIndex(where: { stops.contains($0) }),
            text[end] == UInt8(ascii: "}")
        else { return nil }
        return end
    }
}

/// One of the HTML tags that are found in SubRip files.
private struct HTMLTag {
    private var name: String
    private var isEnd: Bool
    private var attributes: ArraySlice<UInt8>

    private static let known: Set<String> = [
        "b", "strong", "i", "em", "u", "s", "strike", "del", "font", "br", "span", "p", "div", "c", "v", "ruby", "rt",
    ]

    /// `nil` if it is none of them, and is text.
    init?(_ inside: ArraySlice<UInt8>) {
        var rest = inside
        isEnd = rest.first == UInt8(ascii: "/")
        if isEnd { rest = rest.dropFirst() }
        let nameBytes = rest.prefix { (0x61...0x7A).contains(asciiLowercased($0)) }
        name = nameBytes.string.lowercased()
        attributes = rest[nameBytes.endIndex...]
        let boundary: [UInt8] = [0x20, 0x09, UInt8(ascii: "/"), UInt8(ascii: ".")]
        guard HTMLTag.known.contains(name), attributes.first.map(boundary.contains) ?? true else { return nil }
    }

    func apply(to builder: inout CueTextBuilder) {
        if name == "br" { return builder.append("\n") }
        if isEnd { return builder.close(name) }
        switch name {
        case "b", "strong": builder.open(name) { $0.bold = true }
        case "i", "em": builder.open(name) { $0.italic = true }
        case "u": builder.open(name) { $0.underline = true }
        case "s", "strike", "del": builder.open(name) { $0.strikeout = true }
        case "font":
            let color = attribute("color").flatMap { CaptionColor(html: $0.string) }
            builder.open(name) { $0.color = color ?? $0.color }
        default: builder.open(name)
        }
    }

    /// The value of `name=value`, in quotes or not.
    private func attribute(_ name: String) -> ArraySlice<UInt8>? {
        var rest = attributes
        while !rest.isEmpty {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }
            let key = rest.prefix { $0 != UInt8(ascii: "=") && $0 != 0x20 }
            rest = rest[key.endIndex...].drop { $0 == 0x20 }
            guard rest.first == UInt8(ascii: "=") else {
                if key.isEmpty { return nil }
                continue
            }
            rest = rest.dropFirst().drop { $0 == 0x20 }
            let value: ArraySlice<UInt8>
            if let quote = rest.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                value = rest.dropFirst().prefix { $0 != quote }
                rest = rest[value.endIndex...].dropFirst()
            } else {
                value = rest.prefix { $0 != 0x20 }
                rest = rest[value.endIndex...]
            }
            if key.string.lowercased() == name { return value.trimmed }
        }
        return nil
    }
}
