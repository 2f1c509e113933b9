/// Collects a cue's text while tags open and close.
struct CueTextBuilder {
    /// The style that text is added in; ASS's override tags set it directly.
    var style = CueSpan("")
    /// Set while ASS draws shapes (`\p1`): what follows is drawing commands, not text.
    var isDrawing = false
    var placement: CuePlacement?

    private var spans: [CueSpan] = []
    private var open: [(name: String, before: CueSpan)] = []

    /// Tags nested deeper than this have no effect.
    private static let depthLimit = 64

    mutating func append(_ text: String) {
        guard !text.isEmpty, !isDrawing else { return }
        if let last = spans.indices.last, spans[last].hasSameStyle(as: style) {
            spans[last].text += text
        } else {
            spans.append(style.with(text: text))
        }
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) { append(bytes.string) }

    mutating func open(_ name: String, _ change: (inout CueSpan) -> Void = { _ in }) {
        guard open.count < CueTextBuilder.depthLimit else { return }
        open.append((name, style))
        change(&style)
    }

    /// Ends the innermost `name`, and what is open inside it; nothing if there is none.
    mutating func close(_ name: String) {
        guard let index = open.lastIndex(where: { $0.name == name }) else { return }
        style = open[index].before
        open.removeSubrange(index...)
    }

    var innermost: String? { open.last?.name }

    /// The spans, or none if there is nothing to see in them.
    func finished() -> [CueSpan] {
        let isVisible = spans.contains { span in
            span.text.unicodeScalars.contains { !$0.properties.isWhitespace && !isInvisibleMark($0) }
        }
        return isVisible ? spans : []
    }

    /// Direction marks, joiners and byte order marks: alone, they are no text.
    private func isInvisibleMark(_ scalar: Unicode.Scalar) -> Bool {
        (0x200B...0x200F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
            || (0x2060...0x2069).contains(scalar.value) || scalar.value == 0xFEFF
    }
}
