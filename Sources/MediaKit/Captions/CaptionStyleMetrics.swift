/// A style's fractions as pixels of a script.
struct CaptionMetrics {
    let style: CaptionStyle
    /// The frame in the script's pixels.
    let width: Double
    let height: Double
    /// The height of a line of text.
    let fontSize: Double
    let marginX: Double
    let marginY: Double

    /// - Parameters:
    ///   - scale: script pixels per pixel of the frame, in height.
    ///   - width: the script's width; that of the frame if `nil`.
    init(style: CaptionStyle, geometry: CaptionCanvas, scale: Double = 1, width: Double? = nil) {
        self.style = style
        self.width = width ?? Double(geometry.width) * scale
        height = Double(geometry.height) * scale
        fontSize = max(style.fontSizePixels ?? style.fontSize * Double(geometry.shorterSide), 1) * scale
        marginX = (style.safeArea + style.marginHorizontal) * self.width
        marginY = (style.safeArea + style.marginVertical) * height
    }

    /// The widest line between the margins.
    var lineWidth: Double { max(min(style.maximumWidth * width, width - 2 * marginX), fontSize) }

    /// How many lines of a size fit between the margins.
    func lines(ofSize size: Double) -> Int {
        Int(max((height - 2 * marginY) / max(size, 1), 1).rounded(.down))
    }

    enum Part {
        /// Text, outline and shadow.
        case text
        /// Only the box behind the caption.
        case box
        /// Only boxes behind single stretches of text, in the outline's colour.
        case stretches
    }

    /// A `Style:` line.
    ///
    /// The box is libass's border style 4: one rectangle around the whole event in BackColour, which the "shadow"
    /// makes larger on all sides. (Border style 3 draws one per line and stretch, whose overlaps show.) An encoding of
    /// -1 lets the first strong letter of each line give its direction.
    func styleLine(name: String, part: Part = .text) -> String {
        let clear = CaptionColor(red: 0, green: 0, blue: 0, alpha: 0)
        let background = style.backgroundColor?.faded(by: style.backgroundOpacity)
        // With one event for both, the box takes the place of the shadow.
        let boxInText = part == .text && background != nil && style.shadowOffset == 0
        let fill = part == .text ? style.fillColor.faded(by: style.fillOpacity) : clear
        let outline = part == .text ? style.outlineColor.faded(by: style.outlineOpacity) : clear
        let shadow = style.shadowColor.faded(by: style.shadowOpacity)
        let hasBox = boxInText || (part == .box && background != nil)
        let back = hasBox ? background ?? clear : part == .text ? shadow : clear
        let borderStyle = hasBox ? 4 : part == .stretches ? 3 : 1
        let borderWidth = part == .stretches ? max(0.08, style.outlineWidth) : style.outlineWidth
        let shadowDepth = hasBox ? style.backgroundPadding : part == .text ? style.shadowOffset : 0
        let fields: [String] = [
            name, style.fontFamily, CaptionMetrics.number(fontSize), fill.assStyleValue, fill.assStyleValue,
            outline.assStyleValue, back.assStyleValue, style.bold ? "-1" : "0", style.italic ? "-1" : "0", "0", "0",
            "100", "100", "0", "0", "\(borderStyle)", CaptionMetrics.number(borderWidth * fontSize),
            CaptionMetrics.number(shadowDepth * fontSize), "\(style.alignment.assNumber)",
            "\(Int(marginX.rounded()))", "\(Int(marginX.rounded()))", "\(Int(marginY.rounded()))", "-1",
        ]
        return "Style: " + fields.joined(separator: ",")
    }

    /// Up to three decimals, always with a dot.
    static func number(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        let thousandths = Int64((value * 1000).rounded())
        let whole = thousandths.magnitude / 1000
        var fraction = String(thousandths.magnitude % 1000 + 1000).dropFirst()
        while fraction.last == "0" { fraction = fraction.dropLast() }
        return (thousandths < 0 ? "-" : "") + "\(whole)" + (fraction.isEmpty ? "" : "." + fraction)
    }
}
