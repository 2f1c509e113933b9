/// Makes an ASS script of cues, with every line broken and every cue in its place.
///
/// ```swift
/// let writer = try ASSWriter(style: style, geometry: CaptionCanvas(width: 1280, height: 720))
/// let (script, warnings) = writer.write(cues)
/// ```
public struct ASSWriter {
    private let style: CaptionStyle
    private let geometry: CaptionCanvas
    private let metrics: CaptionMetrics
    private let measure: TextMeasure

    private static let textStyle = "Default"
    private static let boxStyle = "Box"
    private static let stretchStyle = "Stretch"
    /// How far a cue with too many lines is set smaller before it is shown in parts.
    private static let scales = [1, 0.9, 0.8, 0.7, 0.6]

    /// - Parameter measure: the width of text in the font that will be used; the built-in estimate by default.
    /// - Throws: `badRequest` where `style` is out of range.
    public init(
        style: CaptionStyle, geometry: CaptionCanvas, measure: @escaping TextMeasure = TextLayoutWidth.estimate
    ) throws(MediaError) {
        try style.validate()
        self.style = style
        self.geometry = geometry
        self.measure = measure
        metrics = CaptionMetrics(style: style, geometry: geometry)
    }

    /// The script, and warnings about cues that had to be shown in parts.
    public func write(_ cues: [Cue]) -> (script: ASSScript, warnings: [SubtitleWarning]) {
        var events: [ASSEvent] = []
        var warnings = SubtitleWarnings()
        for cue in cues { write(cue, to: &events, &warnings) }
        return (ASSScript(header: header, events: events), warnings.finished())
    }

    /// PlayRes is the frame itself, so that a script pixel is a pixel of the film.
    ///
    /// Wrap style 0 is only a safeguard, for a font wider than was measured.
    private var header: String {
        let styles = [
            metrics.styleLine(name: ASSWriter.textStyle),
            metrics.styleLine(name: ASSWriter.boxStyle, part: .box),
            metrics.styleLine(name: ASSWriter.stretchStyle, part: .stretches),
        ]
        return """
            [Script Info]
            ScriptType: v4.00+
            PlayResX: \(geometry.width)
            PlayResY: \(geometry.height)
            WrapStyle: \(style.lineWrapping == .none ? 2 : 0)
            ScaledBorderAndShadow: yes
            YCbCr Matrix: None

            [V4+ Styles]
            \(ASSScript.styleFormat)
            \(styles.joined(separator: "\n"))

            [Events]
            \(ASSScript.eventFormat)

            """
    }

    private func write(_ cue: Cue, to events: inout [ASSEvent], _ warnings: inout SubtitleWarnings) {
        let placement = ASSPlacement(
            cue.placement, isRightToLeft: ASSPlacement.isRightToLeft(cue.text), metrics: metrics)
        let fitted = fit(cue.spans, width: placement.lineWidth)
        let (start, end) = (ASSEvent.clamped(cue.start), ASSEvent.clamped(cue.end))
        guard !fitted.lines.isEmpty, end > start else { return }
        let parts = split(fitted, cue, duration: end - start, &warnings)
        for (index, lines) in parts.enumerated() {
            func time(_ index: Int) -> Int64 { start + (end - start) * Int64(index) / Int64(parts.count) }
            append(lines, from: time(index), to: time(index + 1), scale: fitted.scale, placement, &events)
        }
    }

    private struct Fitted {
        var lines: [[CueSpan]]
        var scale: Double
        var maximum: Int
    }

    /// The lines at the largest size at which there are few enough; at the smallest, if there is none.
    private func fit(_ spans: [CueSpan], width: Double) -> Fitted {
        let asWritten = TextLayout(spans, measure: measure)
        let canJoin = style.lineWrapping != .none && TextLayout.canJoin(spans)
        var joined: TextLayout?
        var last = Fitted(lines: [], scale: 1, maximum: 1)
        for scale in ASSWriter.scales {
            let size = metrics.fontSize * scale
            let maximum = min(style.maximumLines ?? .max, metrics.lines(ofSize: size))
            let lines = asWritten.lines(width: width / size, wrapping: style.lineWrapping)
            last = Fitted(lines: lines, scale: scale, maximum: maximum)
            if lines.count <= maximum { return last }
            guard canJoin else { continue }
            let layout = joined ?? TextLayout(spans, joined: true, measure: measure)
            joined = layout
            let reflowed = layout.lines(width: width / size, wrapping: style.lineWrapping)
            if reflowed.count < lines.count { last.lines = reflowed }
            if reflowed.count <= maximum { return last }
        }
        return last
    }

    /// Parts of at most the maximum number of lines, about as long each.
    private func split(
        _ fitted: Fitted, _ cue: Cue, duration: Int64, _ warnings: inout SubtitleWarnings
    ) -> [[[CueSpan]]] {
        let lines = fitted.lines
        var count = (lines.count + fitted.maximum - 1) / fitted.maximum
        guard count > 1 else { return [lines] }
        let line = cue.line > 0 ? cue.line : nil
        let most = Int(clamping: max(duration / ASSWriter.shortestPart, 1))
        let needed = "the cue at \(ASSEvent.time(cue.start)) needs \(lines.count) lines, more than \(fitted.maximum)"
        guard count <= most else {
            count = most
            warnings.add(line, "\(needed), and is too short to show all of them: cut off")
            return (0..<count).map { Array(lines[$0 * fitted.maximum..<($0 + 1) * fitted.maximum]) }
        }
        warnings.add(line, "\(needed): shown in \(count) parts")
        return (0..<count).map { Array(lines[$0 * lines.count / count..<($0 + 1) * lines.count / count]) }
    }

    /// A part shown for less than this many milliseconds would only flash.
    private static let shortestPart: Int64 = 40

    private func append(
        _ lines: [[CueSpan]], from start: Int64, to end: Int64, scale: Double, _ placement: ASSPlacement,
        _ events: inout [ASSEvent]
    ) {
        let size = metrics.fontSize * scale
        let (marginVertical, placeTags) = placement.resolved(lines: lines.count, lineHeight: size)
        let tags = placeTags + (scale == 1 ? "" : "\\fs" + CaptionMetrics.number(size))
        func add(_ part: CaptionMetrics.Part, layer: Int, style name: String) {
            let text = (tags.isEmpty ? "" : "{" + tags + "}") + ASSText.encode(lines, style: style, part: part)
            events.append(
                ASSEvent(
                    start: start, end: end, layer: layer, style: name, marginLeft: placement.marginLeft,
                    marginRight: placement.marginRight, marginVertical: marginVertical, text: text,
                    readOrder: events.count))
        }
        // libass has one depth for shadow and box; with both, the box needs an event of its own.
        if style.backgroundColor != nil, style.shadowOffset > 0 { add(.box, layer: 0, style: ASSWriter.boxStyle) }
        if lines.contains(where: { $0.contains { $0.background != nil } }) {
            add(.stretches, layer: 1, style: ASSWriter.stretchStyle)
        }
        add(.text, layer: 2, style: ASSWriter.textStyle)
    }
}
