/// Reads ASS's override blocks (`{\b1\an8}`) into spans, for formats whose cues are styled by `CaptionStyle`.
///
/// What a span can say is taken (weight, slant, lines, colour, place); the rest of ASS has no meaning there and is
/// left out. The tags are those of <http://www.tcax.org/docs/ass-specs.htm>, appendix A.
struct ASSOverrideTags {
    /// What `\pos` counts in.
    var playRes: (width: Double, height: Double)

    /// The size libav gives the ASS that it makes of other formats, and that players assume for SubRip.
    static let assumedPlayRes = (width: 384.0, height: 288.0)

    /// Applies what stands between the braces.
    func apply(_ block: ArraySlice<UInt8>, to builder: inout CueTextBuilder) {
        var rest = block
        while let slash = rest.firstIndex(of: UInt8(ascii: "\\")) {
            rest = rest[(slash + 1)...]
            let end = rest.firstIndex(of: UInt8(ascii: "\\")) ?? rest.endIndex
            let tag = rest[..<end].trimmed
            if tag.first == UInt8(ascii: "t"), tag.dropFirst().first == UInt8(ascii: "(") {
                // An animation: what it ends in is not what the text is.
                guard let close = rest.firstIndex(of: UInt8(ascii: ")")) else { return }
                rest = rest[(close + 1)...]
                continue
            }
            apply(tag: tag, to: &builder)
            rest = rest[end...]
        }
    }

    private func apply(tag: ArraySlice<UInt8>, to builder: inout CueTextBuilder) {
        var nameEnd = tag.startIndex
        if let first = tag.first, (0x30...0x39).contains(first) { nameEnd += 1 }
        while nameEnd < tag.endIndex, (0x61...0x7A).contains(asciiLowercased(tag[nameEnd])) { nameEnd += 1 }
        let argument = tag[nameEnd...].trimmed
        let number = Int(argument.prefix(6).string)
        switch tag[..<nameEnd].string {
        case "b": builder.style.bold = (number ?? 0) != 0
        case "i": builder.style.italic = (number ?? 0) != 0
        case "u": builder.style.underline = (number ?? 0) != 0
        case "s": builder.style.strikeout = (number ?? 0) != 0
        case "c", "1c": builder.style.color = color(argument)
        case "p": builder.isDrawing = (number ?? 0) > 0
        case "an": place(number.flatMap { CaptionAnchor(assNumber: $0) }, in: &builder)
        case "a": place(number.flatMap { CaptionAnchor(legacyNumber: $0) }, in: &builder)
        case "pos": move(to: argument, in: &builder)
        case let name where name.hasPrefix("r"):
            builder.style = CueSpan("", voice: builder.style.voice, classes: builder.style.classes)
        default: break
        }
    }

    /// The first anchor of an event holds, as in libass.
    private func place(_ anchor: CaptionAnchor?, in builder: inout CueTextBuilder) {
        guard let anchor else { return }
        switch builder.placement {
        case nil: builder.placement = .anchor(anchor)
        case .point(let x, let y, .bottom): builder.placement = .point(x: x, y: y, anchor: anchor)
        default: break
        }
    }

    private func move(to argument: ArraySlice<UInt8>, in builder: inout CueTextBuilder) {
        let numbers = argument.dropFirst().prefix { $0 != UInt8(ascii: ")") }.fields(separator: UInt8(ascii: ","))
            .compactMap { Double($0.trimmed.string) }
        guard numbers.count == 2, numbers.allSatisfy({ abs($0) < 100_000 }) else { return }
        let anchor: CaptionAnchor
        switch builder.placement {
        case nil: anchor = .bottom
        case .anchor(let given): anchor = given
        default: return
        }
        builder.placement = .point(x: numbers[0] / playRes.width, y: numbers[1] / playRes.height, anchor: anchor)
    }

    /// `&HBBGGRR&`; `nil`, the style's own, for all else.
    private func color(_ argument: ArraySlice<UInt8>) -> CaptionColor? {
        let digits = argument.drop { $0 == UInt8(ascii: "&") || asciiLowercased($0) == UInt8(ascii: "h") }
            .prefix { hexValue($0) != nil }
        guard !digits.isEmpty, digits.count <= 8, let value = UInt32(digits.string, radix: 16) else { return nil }
        return CaptionColor(
            red: UInt8(truncatingIfNeeded: value), green: UInt8(truncatingIfNeeded: value >> 8),
            blue: UInt8(truncatingIfNeeded: value >> 16))
    }
}
