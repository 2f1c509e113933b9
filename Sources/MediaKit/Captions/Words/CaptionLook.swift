/// A ready look for captions whose words can light up as they are spoken, and what is changed of it.
///
/// ```json
/// {"preset": "karaoke", "highlightColor": "#00E5FF", "rules": {"maximumWords": 5}}
/// ```
/// Sizes and places fit the frame: in portrait there are fewer and larger words, above what apps lay over the picture.
public struct CaptionLook: Codable, Sendable, Equatable {
    /// Where it begins. Default classic.
    public var preset: Preset
    /// A family as fontconfig knows it.
    public var fontFamily: String?
    /// The height of a line as a fraction of the frame's shorter side, 0.01 to 0.5.
    public var fontSize: Double?
    /// Whether letters are bold.
    public var bold: Bool?
    /// Whether all letters are capitals.
    public var uppercase: Bool?
    /// The colour of words that are not lit up.
    public var color: CaptionColor?
    /// The colour of the word that is spoken; with `karaoke` of all that have been.
    public var highlightColor: CaptionColor?
    /// The colour of a box behind the word that is spoken.
    public var boxColor: CaptionColor?
    /// How much larger the word that is spoken is drawn, 1 to 1.5. Other words keep their places.
    public var highlightScale: Double?
    /// The colour of the line around the letters.
    public var outlineColor: CaptionColor?
    /// Its width as a fraction of the font size, 0 to 0.5.
    public var outlineWidth: Double?
    /// A box behind the whole caption.
    public var backgroundColor: CaptionColor?
    /// The height of a caption's middle, as a fraction of the frame's height: 0 is the top, 1 the bottom. What would
    /// reach beyond the safe area is moved inside.
    public var position: Double?
    /// Whether the karaoke colour runs through each word instead of taking it at once. Costs a new picture for every
    /// frame. Default false.
    public var sweep: Bool?
    /// Colours of speakers, in the order in which they first speak; taken again from the first if there are more
    /// speakers. They replace `color`.
    public var speakerColors: [CaptionColor]?
    /// How captions are cut. Lines are never longer than the frame has room for.
    public var rules: CaptionRules?

    /// A ready look.
    public enum Preset: String, Codable, Sendable, CaseIterable {
        /// White with a thin outline at the bottom; no word lights up.
        case classic
        /// Large bold capitals; the spoken word is yellow and a little larger.
        case bold
        /// A box of colour behind the spoken word.
        case box
        /// Words take a colour as they are spoken, and keep it.
        case karaoke
        /// One large word at a time.
        case pop
        /// Words appear one after the other as they are spoken, each in its place.
        case reveal
    }

    /// Members that are not given are the preset's.
    public init(
        preset: Preset = .classic, fontFamily: String? = nil, fontSize: Double? = nil, bold: Bool? = nil,
        uppercase: Bool? = nil, color: CaptionColor? = nil, highlightColor: CaptionColor? = nil,
        boxColor: CaptionColor? = nil, highlightScale: Double? = nil, outlineColor: CaptionColor? = nil,
        outlineWidth: Double? = nil, backgroundColor: CaptionColor? = nil, position: Double? = nil,
        sweep: Bool? = nil, speakerColors: [CaptionColor]? = nil, rules: CaptionRules? = nil
    ) {
        self.preset = preset
        self.fontFamily = fontFamily
        self.fontSize = fontSize
        self.bold = bold
        self.uppercase = uppercase
        self.color = color
        self.highlightColor = highlightColor
        self.boxColor = boxColor
        self.highlightScale = highlightScale
        self.outlineColor = outlineColor
        self.outlineWidth = outlineWidth
        self.backgroundColor = backgroundColor
        self.position = position
        self.sweep = sweep
        self.speakerColors = speakerColors
        self.rules = rules
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case preset, fontFamily, fontSize, bold, uppercase, color, highlightColor, boxColor, highlightScale
        case outlineColor, outlineWidth, backgroundColor, position, sweep, speakerColors, rules
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        preset = try values.decodeIfPresent(Preset.self, forKey: .preset) ?? .classic
        fontFamily = try values.decodeIfPresent(String.self, forKey: .fontFamily)
        fontSize = try values.decodeIfPresent(Double.self, forKey: .fontSize)
        bold = try values.decodeIfPresent(Bool.self, forKey: .bold)
        uppercase = try values.decodeIfPresent(Bool.self, forKey: .uppercase)
        color = try values.decodeIfPresent(CaptionColor.self, forKey: .color)
        highlightColor = try values.decodeIfPresent(CaptionColor.self, forKey: .highlightColor)
        boxColor = try values.decodeIfPresent(CaptionColor.self, forKey: .boxColor)
        highlightScale = try values.decodeIfPresent(Double.self, forKey: .highlightScale)
        outlineColor = try values.decodeIfPresent(CaptionColor.self, forKey: .outlineColor)
        outlineWidth = try values.decodeIfPresent(Double.self, forKey: .outlineWidth)
        backgroundColor = try values.decodeIfPresent(CaptionColor.self, forKey: .backgroundColor)
        position = try values.decodeIfPresent(Double.self, forKey: .position)
        sweep = try values.decodeIfPresent(Bool.self, forKey: .sweep)
        speakerColors = try values.decodeIfPresent([CaptionColor].self, forKey: .speakerColors)
        rules = try values.decodeIfPresent(CaptionRules.self, forKey: .rules)
    }

    /// - Throws: `badRequest` naming the first member that is out of range, and the range.
    public func validate() throws(MediaError) {
        try rules?.validate()
        for (name, value, range) in [
            ("highlightScale", highlightScale, 1...1.5), ("position", position, 0...1),
        ] as [(String, Double?, ClosedRange<Double>)] {
            guard let value, !range.contains(value) else { continue }
            throw MediaError(
                .badRequest,
                "captions: \(name) is \(CaptionMetrics.number(value)); it must be "
                    + "\(CaptionMetrics.number(range.lowerBound)) to \(CaptionMetrics.number(range.upperBound))")
        }
        for canvas in [CaptionCanvas(width: 16, height: 9), CaptionCanvas(width: 9, height: 16)] {
            try WordCaptionStyle(look: self, canvas: canvas).style.validate()
        }
    }
}
