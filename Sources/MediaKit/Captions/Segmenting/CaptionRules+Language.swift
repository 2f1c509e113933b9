extension CaptionRules {
    /// All rules for a language, none of them `nil`: the usual ones of subtitling guides, such as
    /// <https://partnerhelp.netflixstudios.com/hc/en-us/sections/22463232153235-Timed-Text-Style-Guides>.
    ///
    /// - Parameter language: a BCP 47 tag such as "en" or "zh-Hant"; `nil` or one that is not known takes English's.
    public static func defaults(for language: String? = nil) -> CaptionRules {
        var rules = CaptionRules(
            maximumLineLength: 42, maximumLines: 2, lengthUnit: .character, readingSpeed: 17,
            minimumDuration: 5.0 / 6, maximumDuration: 7, minimumGap: 0.083, closedGap: 0.5, pause: 0.8,
            speakerMarks: SpeakerMarks.none)
        switch CaptionLanguage.primary(language) {
        case "ja": (rules.maximumLineLength, rules.readingSpeed, rules.lengthUnit) = (16, 7, .fullWidth)
        case "zh", "yue", "cmn": (rules.maximumLineLength, rules.readingSpeed, rules.lengthUnit) = (16, 9, .fullWidth)
        case "ko": (rules.maximumLineLength, rules.readingSpeed, rules.lengthUnit) = (16, 12, .fullWidth)
        case "th", "lo", "km", "my": rules.maximumLineLength = 35
        default: break
        }
        return rules
    }

    /// These rules, where they say nothing those of a language.
    func filled(for language: String?) -> FilledCaptionRules {
        let usual = CaptionRules.defaults(for: language)
        // The length of a line means nothing without its unit: whoever gives only a number means the language's.
        let shortest = minimumDuration ?? usual.minimumDuration ?? 0
        let longest = maximumDuration ?? usual.maximumDuration ?? 7
        return FilledCaptionRules(
            lineLength: Double(maximumLineLength ?? usual.maximumLineLength ?? 42), wordLength: nil,
            lines: maximumLines ?? usual.maximumLines ?? 2, words: maximumWords ?? .max,
            unit: lengthUnit ?? usual.lengthUnit ?? .character,
            readingSpeed: readingSpeed ?? usual.readingSpeed ?? 17, minimumDuration: min(shortest, longest),
            maximumDuration: max(longest, minimumDuration ?? 0), minimumGap: minimumGap ?? usual.minimumGap ?? 0,
            closedGap: closedGap ?? usual.closedGap ?? 0, pause: pause ?? usual.pause ?? 1,
            speakerMarks: speakerMarks ?? .none, language: CaptionLanguage(language))
    }
}

/// Rules without anything left open.
struct FilledCaptionRules {
    var lineLength: Double
    /// A word up to this length is not cut, but stands alone where it is longer than a line; `nil` for the line's.
    var wordLength: Double?
    var lines: Int
    var words: Int
    var unit: CaptionRules.LengthUnit
    var readingSpeed: Double
    var minimumDuration: Double
    var maximumDuration: Double
    var minimumGap: Double
    var closedGap: Double
    var pause: Double
    var speakerMarks: CaptionRules.SpeakerMarks
    var language: CaptionLanguage

    /// The length of a text in the rules' unit. Marks that take no room of their own count nothing.
    func length(_ text: String) -> Double {
        text.reduce(0) { sum, character in
            guard
                let scalar = character.unicodeScalars.first(where: { scalar in
                    switch scalar.properties.generalCategory {
                    case .nonspacingMark, .enclosingMark, .control, .format: false
                    default: true
                    }
                })
            else { return sum }
            let isWide = TextLayoutBreaks.isWide(scalar)
            return sum + (unit == .fullWidth ? (isWide ? 1 : 0.5) : (isWide ? 2 : 1))
        }
    }

    /// The length of the blank between two words.
    var blank: Double { unit == .fullWidth ? 0.5 : 1 }
}
