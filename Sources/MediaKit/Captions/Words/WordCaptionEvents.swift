/// The ASS events of one caption: one for each state of its words, in layers.
struct WordCaptionEvents {
    /// Where the caption's lower edge stands, and the size of its letters, in pixels.
    struct Block {
        var x: Double
        var y: Double
        var size: Double
        /// Whether the size is another than the style's.
        var isScaled: Bool
    }

    static let textStyle = "Default"
    static let wordBoxStyle = "Word"
    static let backgroundStyle = "Box"

    let caption: Caption
    let style: WordCaptionStyle
    let block: Block
    /// The colour of words that are not lit up.
    let fill: CaptionColor

    /// The caption from one instant to the next, in milliseconds.
    private struct State: Equatable {
        var start: Int64
        var end: Int64
        /// The word that is spoken.
        var lit: Int?
        /// How many words have begun.
        var begun: Int
    }

    /// What one word looks like in one layer.
    private enum Ink: Equatable {
        case plain, lit, litLarge, hidden, boxed
    }

    private enum Layer: Int {
        case background, wordBox, text, large
    }

    func append(to events: inout [ASSEvent]) {
        let times = (
            start: CaptionMilliseconds.milliseconds(caption.start), end: CaptionMilliseconds.milliseconds(caption.end)
        )
        guard times.end > times.start else { return }
        let whole = State(start: times.start, end: times.end, lit: nil, begun: caption.words.count)
        func add(
            _ layer: Layer, _ states: [State], style name: String, isLarge: Bool = false, _ ink: (Int, State) -> Ink?
        ) {
            var last: (text: String, index: Int)?
            for state in states {
                let inks = caption.words.indices.map { ink($0, state) }
                // A layer in which nothing is to be seen.
                guard inks.contains(where: { $0 != nil && $0 != .hidden }) else {
                    last = nil
                    continue
                }
                let text = opening(isLarge: isLarge) + text(layer, inks.map { $0 ?? .hidden })
                if let last, last.text == text, events[last.index].end == state.start {
                    events[last.index].end = state.end
                    continue
                }
                last = (text, events.count)
                events.append(
                    ASSEvent(
                        start: state.start, end: state.end, layer: layer.rawValue, style: name,
                        name: "", text: text, readOrder: events.count))
            }
        }
        if style.style.backgroundColor != nil {
            add(.background, [whole], style: Self.backgroundStyle) { _, _ in .plain }
        }
        if case .fill(sweep: true) = style.effect {
            events.append(
                ASSEvent(
                    start: times.start, end: times.end, layer: Layer.text.rawValue,
                    text: opening(isLarge: false) + sweep(times.start),
                    readOrder: events.count))
            return
        }
        let states = states(from: times.start, to: times.end)
        let isLarge = style.highlightScale > 1 && style.effect == .highlight
        if style.boxColor != nil, style.effect == .highlight {
            add(.wordBox, states, style: Self.wordBoxStyle, isLarge: isLarge) { word, state in
                word == state.lit ? .boxed : nil
            }
        }
        add(.text, states, style: Self.textStyle) { word, state in
            switch style.effect {
            case .none, .single: .plain
            case .highlight:
                word != state.lit ? .plain : isLarge ? .hidden : style.highlightColor == nil ? .plain : .lit
            case .fill: word < state.begun ? .lit : .plain
            case .reveal:
                word < state.begun ? (word == state.lit && style.highlightColor != nil ? .lit : .plain) : .hidden
            }
        }
        if isLarge {
            add(.large, states, style: Self.textStyle, isLarge: true) { word, state in
                word == state.lit ? .litLarge : nil
            }
        }
    }

    /// A word stays lit up until the next one, unless there is a pause.
    private static let longestBridge = 0.35

    private func states(from start: Int64, to end: Int64) -> [State] {
        let words = caption.words
        guard style.effect != .none, style.effect != .single, !words.isEmpty else {
            return [State(start: start, end: end, lit: nil, begun: words.count)]
        }
        var states: [State] = []
        func add(until: Int64, lit: Int?, begun: Int) {
            let from = states.last?.end ?? start
            let until = min(max(until, from), end)
            guard until > from else { return }
            states.append(State(start: from, end: until, lit: lit, begun: begun))
        }
        for (index, word) in words.enumerated() {
            add(until: CaptionMilliseconds.milliseconds(word.start), lit: nil, begun: index)
            let next = index + 1 < words.count ? words[index + 1].start : nil
            let stays = next.map { $0 - word.end <= Self.longestBridge ? $0 : word.end } ?? word.end
            add(until: CaptionMilliseconds.milliseconds(stays), lit: index, begun: index + 1)
        }
        add(until: end, lit: nil, begun: words.count)
        return states
    }

    /// Place and size. A larger word makes its line higher: with half of that below, its middle stays where it was.
    private func opening(isLarge: Bool) -> String {
        let y = block.y + (isLarge ? (style.highlightScale - 1) * block.size / 2 : 0)
        let size = block.isScaled ? "\\fs" + CaptionMetrics.number(block.size) : ""
        return "{\\an2\\pos(\(CaptionMetrics.number(block.x)),\(CaptionMetrics.number(y)))\(size)}"
    }

    private func text(_ layer: Layer, _ inks: [Ink]) -> String {
        let between: Ink = layer == .wordBox || layer == .large ? .hidden : .plain
        var text = ""
        var current: Ink?
        func change(to ink: Ink) {
            guard ink != current else { return }
            text += "{" + tags(ink, layer, isAfterLarge: current == .litLarge || current == .boxed) + "}"
            current = ink
        }
        if !caption.label.isEmpty {
            change(to: between)
            text += ASSText.escape(caption.label)
        }
        var index = 0
        for (line, words) in caption.lines.enumerated() {
            if line > 0 { text += "\\N" }
            for (place, word) in words.enumerated() {
                if place > 0, word.followsBlank {
                    // A blank is as wide in every state, and has no box.
                    if current == .boxed || current == .litLarge { change(to: between) }
                    text += " "
                }
                change(to: inks[index])
                text += ASSText.escape(word.text)
                index += 1
            }
            // So that the next line's height is not that of a larger word.
            if current == .boxed || current == .litLarge { change(to: between) }
        }
        return text
    }

    private func tags(_ ink: Ink, _ layer: Layer, isAfterLarge: Bool) -> String {
        let isEnlarged = style.highlightScale > 1
        let usual = isAfterLarge && isEnlarged ? "\\fscx100\\fscy100" : ""
        let percent = CaptionMetrics.number(style.highlightScale * 100)
        let large = isEnlarged ? "\\fscx\(percent)\\fscy\(percent)" : ""
        switch (layer, ink) {
        case (.wordBox, .boxed):
            guard let color = style.boxColor else { return "\\3a&HFF&" }
            return "\\3c\(color.assColorTag)\\3a\(color.assAlphaTag)" + large
        case (.wordBox, _): return "\\3a&HFF&" + usual
        // Its style has no letters, only the box.
        case (.background, _): return ""
        case (_, .hidden): return "\\alpha&HFF&" + usual
        case (_, .plain): return letters(fill) + usual
        case (_, .lit), (_, .boxed): return letters(style.highlightColor ?? fill)
        case (_, .litLarge): return letters(style.highlightColor ?? fill) + large
        }
    }

    private func letters(_ color: CaptionColor) -> String {
        let color = color.faded(by: style.style.fillOpacity)
        let outline = style.style.outlineColor.faded(by: style.style.outlineOpacity)
        let shadow = style.style.shadowColor.faded(by: style.style.shadowOpacity)
        return "\\1c\(color.assColorTag)\\1a\(color.assAlphaTag)\\3a\(outline.assAlphaTag)\\4a\(shadow.assAlphaTag)"
    }

    /// The whole caption with ASS's karaoke tags, in hundredths of a second from its start.
    private func sweep(_ start: Int64) -> String {
        let lit = (style.highlightColor ?? fill).faded(by: style.style.fillOpacity)
        let plain = fill.faded(by: style.style.fillOpacity)
        var text = "{\\1c\(lit.assColorTag)\\1a\(lit.assAlphaTag)\\2c\(plain.assColorTag)\\2a\(plain.assAlphaTag)}"
        text += ASSText.escape(caption.label)
        var passed: Int64 = 0
        func hundredths(_ seconds: Double) -> Int64 {
            (max(CaptionMilliseconds.milliseconds(seconds) - start, 0) + 5) / 10
        }
        for (line, words) in caption.lines.enumerated() {
            if line > 0 { text += "\\N" }
            for (place, word) in words.enumerated() {
                let (from, to) = (max(hundredths(word.start), passed), max(hundredths(word.end), passed))
                if from > passed { text += "{\\k\(from - passed)}" }
                if place > 0, word.followsBlank { text += " " }
                text += "{\\kf\(max(to - from, 0))}" + ASSText.escape(word.text)
                passed = max(to, from)
            }
        }
        return text
    }
}
