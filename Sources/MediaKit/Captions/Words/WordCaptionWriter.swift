/// Makes an ASS script of a transcript in which words light up as they are spoken.
///
/// Each state of a caption is an event of its own, so that nothing on screen moves between two words and a renderer
/// draws only when a word changes. All states of a caption have the same words, sizes and place: what is not to be seen
/// is transparent, and so no word moves when another lights up.
///
/// ```swift
/// let writer = try WordCaptionWriter(look: CaptionLook(preset: .box), canvas: canvas)
/// let script = try writer.write(transcript)
/// ```
public struct WordCaptionWriter {
    /// The look on the frame.
    public let style: WordCaptionStyle
    private let canvas: CaptionCanvas
    private let metrics: CaptionMetrics
    private let measure: TextMeasure

    /// How small a caption is set that would be wider than the frame has room for.
    private static let smallest = 0.4
    /// The most characters of a word that is not cut, but set smaller.
    private static let longestWord = 24.0

    /// - Parameter measure: the width of text in the font that will be used; the built-in estimate by default.
    /// - Throws: `badRequest` where the look is out of range.
    public init(
        look: CaptionLook, canvas: CaptionCanvas, measure: @escaping TextMeasure = TextLayoutWidth.estimate
    ) throws(MediaError) {
        try look.validate()
        style = WordCaptionStyle(look: look, canvas: canvas)
        self.canvas = canvas
        self.measure = measure
        metrics = CaptionMetrics(style: style.style, geometry: canvas)
    }

    /// The script of a transcript.
    ///
    /// - Throws: `badRequest` where rules are out of range.
    public func write(_ transcript: Transcript) throws(MediaError) -> ASSScript {
        let captions = try captions(of: transcript)
        var events: [ASSEvent] = []
        var shown: [(end: Double, area: ClosedRange<Double>)] = []
        let colors = speakerColors(captions)
        for caption in captions {
            let block = block(of: caption, avoiding: &shown)
            let color = colors[Speaker(caption)] ?? style.style.fillColor
            WordCaptionEvents(caption: caption, style: style, block: block, fill: color).append(to: &events)
        }
        return ASSScript(header: header, events: events.sorted { $0.start < $1.start })
    }

    /// The captions as they are drawn, with no more in a line than the frame has room for.
    func captions(of transcript: Transcript) throws(MediaError) -> [Caption] {
        var transcript = transcript
        if style.uppercase {
            for index in transcript.segments.indices {
                transcript.segments[index].text = transcript.segments[index].text.uppercased()
                for word in transcript.segments[index].words.indices {
                    transcript.segments[index].words[word].text =
                        transcript.segments[index].words[word].text.uppercased()
                }
            }
        }
        var rules = style.rules
        if style.effect == .single {
            // A word stays until the next one is spoken, however short that is.
            rules = CaptionRules(
                maximumLines: 1, readingSpeed: 100, minimumDuration: 0.2, minimumGap: 0, closedGap: 0.6
            ).replaced(by: rules)
        }
        try rules.validate()
        var filled = rules.filled(for: transcript.spokenLanguage)
        let room = roomInLine / metrics.fontSize
        let each = averageWidth(of: transcript, rules: filled)
        filled.lineLength = min(filled.lineLength, max((room / each * 0.95).rounded(.down), 4))
        filled.wordLength = max(Self.longestWord * filled.blank, filled.lineLength)
        return CaptionSegmenter.captions(of: transcript, filled: filled)
    }

    /// The width of one unit of length in this transcript's letters, as a multiple of the font size.
    private func averageWidth(of transcript: Transcript, rules: FilledCaptionRules) -> Double {
        var width = 0.0
        var length = 0.0
        for segment in transcript.segments {
            for word in SpeechWords.of(segment).prefix(300) {
                width += measure(word.text, style.style.bold, style.style.italic)
                length += rules.length(word.text)
            }
            if length > 1000 { break }
        }
        let average = length > 0 ? width / length : 0
        return average.isFinite && average > 0.05 ? average : 0.6
    }

    /// How far what is drawn reaches beyond the letters' lines, in pixels.
    private var reach: Double {
        let background = style.style.backgroundColor == nil ? 0 : style.style.backgroundPadding
        let box = style.boxColor == nil ? 0 : WordCaptionStyle.boxPadding
        let letters = style.style.outlineWidth + style.style.shadowOffset
        return max(background, box, letters) * metrics.fontSize
    }

    private var roomInLine: Double {
        max(min(metrics.width - 2 * metrics.marginX, style.style.maximumWidth * metrics.width) - 2 * reach, 1)
    }

    /// Where a caption stands and how large, so that it is inside the safe area and covers none that is shown.
    private func block(
        of caption: Caption, avoiding shown: inout [(end: Double, area: ClosedRange<Double>)]
    ) -> WordCaptionEvents.Block {
        let widths = caption.lines.enumerated().map { index, line -> Double in
            func width(_ text: String) -> Double { measure(text, style.style.bold, style.style.italic) }
            let words = Caption.text(of: line)
            let whole = width((index == 0 ? caption.label : "") + words)
            // A line with a larger word is wider by what that word grows.
            guard style.highlightScale > 1 else { return whole }
            return whole + (style.highlightScale - 1) * (line.map { width($0.text) }.max() ?? 0)
        }
        let widest = (widths.max() ?? 0) * metrics.fontSize
        let top = metrics.marginY + reach
        let bottom = metrics.height - metrics.marginY - reach
        let lines = Double(max(caption.lines.count, 1)) + (style.highlightScale - 1)
        let narrow = widest.isFinite && widest > 0 ? min(roomInLine / widest, 1) : 1
        let low = min((bottom - top) / (lines * metrics.fontSize), 1)
        let scale = max(min(narrow, low), Self.smallest * min(low, 1))
        let size = metrics.fontSize * scale
        let grown = (style.highlightScale - 1) * size / 2
        let height = Double(max(caption.lines.count, 1)) * size
        var lower = bottom - grown
        if let position = style.position {
            lower = min(max(position * metrics.height + height / 2, top + grown + height), lower)
        }
        shown.removeAll { $0.end <= caption.start }
        let space = 2 * reach + size * 0.15
        // From below upwards: captions shown at once stand above each other.
        for other in shown.sorted(by: { $0.area.upperBound > $1.area.upperBound })
        where lower + space > other.area.lowerBound && lower - height - space < other.area.upperBound {
            lower = other.area.lowerBound - space
        }
        lower = max(lower, top + grown + height)
        shown.append((caption.end, lower - height...lower))
        return WordCaptionEvents.Block(
            x: metrics.width / 2, y: lower, size: size, isScaled: scale < 1)
    }

    private struct Speaker: Hashable {
        var name: String?
        var channel: Int?
        init(_ caption: Caption) {
            name = caption.speaker
            channel = caption.speaker == nil ? caption.channel : nil
        }
    }

    private func speakerColors(_ captions: [Caption]) -> [Speaker: CaptionColor] {
        guard !style.speakerColors.isEmpty else { return [:] }
        var colors: [Speaker: CaptionColor] = [:]
        for caption in captions where colors[Speaker(caption)] == nil {
            colors[Speaker(caption)] = style.speakerColors[colors.count % style.speakerColors.count]
        }
        return colors
    }

    private var header: String {
        var letters = style.style
        letters.alignment = .bottom
        letters.backgroundColor = nil
        var boxes = letters
        boxes.outlineWidth = WordCaptionStyle.boxPadding
        var background = style.style
        background.alignment = .bottom
        let styles = [
            CaptionMetrics(style: letters, geometry: canvas).styleLine(name: WordCaptionEvents.textStyle),
            CaptionMetrics(style: boxes, geometry: canvas).styleLine(
                name: WordCaptionEvents.wordBoxStyle, part: .stretches),
            CaptionMetrics(style: background, geometry: canvas).styleLine(
                name: WordCaptionEvents.backgroundStyle, part: .box),
        ]
        return """
            [Script Info]
            ScriptType: v4.00+
            PlayResX: \(canvas.width)
            PlayResY: \(canvas.height)
            WrapStyle: 2
            ScaledBorderAndShadow: yes
            YCbCr Matrix: None

            [V4+ Styles]
            \(ASSScript.styleFormat)
            \(styles.joined(separator: "\n"))

            [Events]
            \(ASSScript.eventFormat)

            """
    }
}
