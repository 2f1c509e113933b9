/// How speech is cut into captions. A member that is `nil` takes the default of the transcript's language.
///
/// As JSON the keys are the names below; an unknown key is refused. The length of lines and their number always hold.
/// Reading speed and durations are met as far as the speech allows: nobody can read faster than is spoken.
public struct CaptionRules: Codable, Sendable, Equatable {
    /// The most characters of a line, 4 to 200. Default 42; 16 full-width characters in Japanese, Chinese and Korean,
    /// 35 in Thai.
    public var maximumLineLength: Int?
    /// The most lines of a caption, 1 to 10. Default 2.
    public var maximumLines: Int?
    /// The most words of a caption, 1 to 100; a stretch without blanks is one word. Default: as many as fit.
    public var maximumWords: Int?
    /// What the length of a line is counted in. Default by language.
    public var lengthUnit: LengthUnit?
    /// Characters a second that can be read, blanks among them, 1 to 100. Default 17; 7 in Japanese, 9 in Chinese, 12
    /// in Korean.
    public var readingSpeed: Double?
    /// Seconds that a caption stays at least, 0 to 10. Default 5/6.
    public var minimumDuration: Double?
    /// Seconds that a caption stays at most, 0.5 to 60. Default 7.
    public var maximumDuration: Double?
    /// Seconds without a caption between two, 0 to 2. Default 0.083: two pictures at 24 a second.
    public var minimumGap: Double?
    /// A shorter gap than this, in seconds, is closed down to the minimum, 0 to 5: a blink would draw the eye. Default
    /// 0.5.
    public var closedGap: Double?
    /// Seconds of silence that always end a caption, 0.1 to 60. Default 0.8.
    public var pause: Double?
    /// How a change of speaker is shown in the text. Default none.
    public var speakerMarks: SpeakerMarks?

    /// What the length of a line is counted in.
    public enum LengthUnit: String, Codable, Sendable, CaseIterable {
        /// Characters as they are perceived; one of full width, such as an ideograph, counts as two.
        case character
        /// Full-width characters; any other counts as a half.
        case fullWidth
    }

    /// How a change of speaker is shown in the text.
    public enum SpeakerMarks: String, Codable, Sendable, CaseIterable {
        /// Not at all.
        case none
        /// By the speaker's name before the first caption: "Caller: Hello".
        case labels
        /// By a dash before the first caption: "- Hello".
        case dashes
    }

    /// Members that are not given take the defaults of the transcript's language.
    public init(
        maximumLineLength: Int? = nil, maximumLines: Int? = nil, maximumWords: Int? = nil,
        lengthUnit: LengthUnit? = nil, readingSpeed: Double? = nil, minimumDuration: Double? = nil,
        maximumDuration: Double? = nil, minimumGap: Double? = nil, closedGap: Double? = nil, pause: Double? = nil,
        speakerMarks: SpeakerMarks? = nil
    ) {
        self.maximumLineLength = maximumLineLength
        self.maximumLines = maximumLines
        self.maximumWords = maximumWords
        self.lengthUnit = lengthUnit
        self.readingSpeed = readingSpeed
        self.minimumDuration = minimumDuration
        self.maximumDuration = maximumDuration
        self.minimumGap = minimumGap
        self.closedGap = closedGap
        self.pause = pause
        self.speakerMarks = speakerMarks
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case maximumLineLength, maximumLines, maximumWords, lengthUnit, readingSpeed, minimumDuration
        case maximumDuration, minimumGap, closedGap, pause, speakerMarks
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        maximumLineLength = try values.decodeIfPresent(Int.self, forKey: .maximumLineLength)
        maximumLines = try values.decodeIfPresent(Int.self, forKey: .maximumLines)
        maximumWords = try values.decodeIfPresent(Int.self, forKey: .maximumWords)
        lengthUnit = try values.decodeIfPresent(LengthUnit.self, forKey: .lengthUnit)
        readingSpeed = try values.decodeIfPresent(Double.self, forKey: .readingSpeed)
        minimumDuration = try values.decodeIfPresent(Double.self, forKey: .minimumDuration)
        maximumDuration = try values.decodeIfPresent(Double.self, forKey: .maximumDuration)
        minimumGap = try values.decodeIfPresent(Double.self, forKey: .minimumGap)
        closedGap = try values.decodeIfPresent(Double.self, forKey: .closedGap)
        pause = try values.decodeIfPresent(Double.self, forKey: .pause)
        speakerMarks = try values.decodeIfPresent(SpeakerMarks.self, forKey: .speakerMarks)
    }

    /// - Throws: `badRequest` naming the first member that is out of range, and the range.
    public func validate() throws(MediaError) {
        try check("maximumLineLength", maximumLineLength.map(Double.init), 4...200)
        try check("maximumLines", maximumLines.map(Double.init), 1...10)
        try check("maximumWords", maximumWords.map(Double.init), 1...100)
        try check("readingSpeed", readingSpeed, 1...100)
        try check("minimumDuration", minimumDuration, 0...10)
        try check("maximumDuration", maximumDuration, 0.5...60)
        try check("minimumGap", minimumGap, 0...2)
        try check("closedGap", closedGap, 0...5)
        try check("pause", pause, 0.1...60)
        if let minimumDuration, let maximumDuration, minimumDuration > maximumDuration {
            throw MediaError(.badRequest, "caption rules: minimumDuration is longer than maximumDuration")
        }
    }

    private func check(_ name: String, _ value: Double?, _ range: ClosedRange<Double>) throws(MediaError) {
        guard let value, !range.contains(value) else { return }
        throw MediaError(
            .badRequest,
            "caption rules: \(name) is \(CaptionMetrics.number(value)); it must be "
                + "\(CaptionMetrics.number(range.lowerBound)) to \(CaptionMetrics.number(range.upperBound))")
    }
}
