/// A look on a certain frame: all that is needed to draw captions word by word.
public struct WordCaptionStyle: Sendable, Equatable {
    /// What happens to the word that is spoken.
    public enum Effect: Sendable, Equatable {
        /// Nothing.
        case none
        /// It has another colour, a box or another size while it is spoken.
        case highlight
        /// It takes another colour and keeps it; with `sweep` the colour runs through it.
        case fill(sweep: Bool)
        /// It appears.
        case reveal
        /// It stands alone.
        case single
    }

    /// How words look that are not lit up, and where captions stand.
    public var style = CaptionStyle()
    /// What happens to the word that is spoken.
    public var effect = Effect.none
    /// The colour of the word that is spoken.
    public var highlightColor: CaptionColor?
    /// The colour of the box behind it.
    public var boxColor: CaptionColor?
    /// How much larger it is drawn.
    public var highlightScale = 1.0
    /// Whether all letters are capitals.
    public var uppercase = false
    /// The height of a caption's middle as a fraction of the frame's height; `nil` is the bottom of the safe area.
    public var position: Double?
    /// In the order in which speakers first speak.
    public var speakerColors: [CaptionColor] = []
    /// What the look says of how captions are cut.
    public var rules = CaptionRules()

    /// How far the box of a word reaches beyond it, as a fraction of the font size.
    static let boxPadding = 0.12

    /// The preset on a frame, with what the look changes.
    public init(look: CaptionLook, canvas: CaptionCanvas) {
        let isPortrait = canvas.height > canvas.width
        setPreset(look.preset, isPortrait: isPortrait)
        // The edges of a phone's screen are the app's: names and buttons below, more on the right.
        if isPortrait {
            (style.safeArea, style.marginVertical, style.marginHorizontal) = (0.05, 0.13, 0.03)
            position = position ?? 0.68
        } else {
            (style.safeArea, style.marginVertical) = (0.05, 0.02)
        }
        style.maximumWidth = 1
        if let fontFamily = look.fontFamily { style.fontFamily = fontFamily }
        if let fontSize = look.fontSize { style.fontSize = fontSize }
        if let bold = look.bold { style.bold = bold }
        if let color = look.color { style.fillColor = color }
        if let outlineColor = look.outlineColor { style.outlineColor = outlineColor }
        if let outlineWidth = look.outlineWidth { style.outlineWidth = outlineWidth }
        if let backgroundColor = look.backgroundColor { style.backgroundColor = backgroundColor }
        if let uppercase = look.uppercase { self.uppercase = uppercase }
        if let highlightColor = look.highlightColor { self.highlightColor = highlightColor }
        if let boxColor = look.boxColor { self.boxColor = boxColor }
        if let highlightScale = look.highlightScale { self.highlightScale = highlightScale }
        if let position = look.position { self.position = position }
        if let sweep = look.sweep, case .fill = effect { effect = .fill(sweep: sweep) }
        // What is asked for is done in every preset that shows words together.
        let isAsked = look.highlightColor != nil || look.boxColor != nil || look.highlightScale != nil
        if isAsked, effect == .none { effect = .highlight }
        speakerColors = look.speakerColors ?? []
        rules = look.rules.map { rules.replaced(by: $0) } ?? rules
    }

    private mutating func setPreset(_ preset: CaptionLook.Preset, isPortrait: Bool) {
        func size(_ landscape: Double, _ portrait: Double) -> Double { isPortrait ? portrait : landscape }
        style.bold = preset != .classic
        style.outlineWidth = preset == .classic ? 0.06 : 0.08
        if preset != .classic { (style.shadowOffset, style.shadowOpacity) = (0.03, 0.5) }
        // Words follow each other on screen as they do in speech: a blink between two captions would look like a fault.
        if preset != .classic { rules.minimumGap = 0 }
        // Where lines are short, captions of two lines have but a few words.
        rules.maximumWords = isPortrait && preset != .classic ? 7 : nil
        switch preset {
        case .classic:
            style.fontSize = size(0.06, 0.07)
        case .bold:
            effect = .highlight
            style.fontSize = size(0.085, 0.1)
            uppercase = true
            highlightColor = CaptionColor(red: 0xFF, green: 0xE0, blue: 0x00)
            highlightScale = 1.08
            rules.maximumWords = isPortrait ? 5 : 8
        case .box:
            effect = .highlight
            style.fontSize = size(0.075, 0.09)
            boxColor = CaptionColor(red: 0x7C, green: 0x3A, blue: 0xED)
        case .karaoke:
            effect = .fill(sweep: false)
            style.fontSize = size(0.075, 0.09)
            highlightColor = CaptionColor(red: 0x00, green: 0xD5, blue: 0xFF)
        case .pop:
            effect = .single
            style.fontSize = size(0.13, 0.15)
            uppercase = true
            position = isPortrait ? 0.62 : 0.72
            rules.maximumWords = 1
        case .reveal:
            effect = .reveal
            style.fontSize = size(0.07, 0.085)
        }
    }
}

extension CaptionRules {
    /// These rules, with those of `other` where it says something.
    func replaced(by other: CaptionRules) -> CaptionRules {
        CaptionRules(
            maximumLineLength: other.maximumLineLength ?? maximumLineLength,
            maximumLines: other.maximumLines ?? maximumLines, maximumWords: other.maximumWords ?? maximumWords,
            lengthUnit: other.lengthUnit ?? lengthUnit, readingSpeed: other.readingSpeed ?? readingSpeed,
            minimumDuration: other.minimumDuration ?? minimumDuration,
            maximumDuration: other.maximumDuration ?? maximumDuration, minimumGap: other.minimumGap ?? minimumGap,
            closedGap: other.closedGap ?? closedGap, pause: other.pause ?? pause,
            speakerMarks: other.speakerMarks ?? speakerMarks)
    }
}
