/// What libass makes of the fonts that a script asks for.
public struct FontReport: Sendable, Equatable, Codable {
    /// A family that is not there, and the one that stands in for it.
    public struct Substitution: Sendable, Equatable, Hashable, Codable {
        /// The family's name as the script has it.
        public var requested: String
        /// The family of the font that libass took.
        public var actual: String
    }

    /// Characters that no font can draw: they come out as empty boxes, or not at all.
    public struct MissingGlyphs: Sendable, Equatable, Hashable, Codable {
        /// The family that the script asks for at these characters.
        public var family: String
        /// Unicode code points, in rising order.
        public var codePoints: [UInt32]
    }

    /// In the order in which the script asks for them.
    public var substitutions: [Substitution] = []
    /// One entry for each family, in the order in which the script asks for them.
    public var missing: [MissingGlyphs] = []
    /// Names of the fonts in memory that cannot be used: they are no fonts, or hold bitmaps only, as colour emoji fonts
    /// do.
    public var unusableFonts: [String] = []
    /// Whether the script has more different characters than are looked at.
    public var isPartial = false

    /// A report without findings.
    public init() {}

    /// Whether every family is there and every character can be drawn.
    public var isClean: Bool { substitutions.isEmpty && missing.isEmpty && unusableFonts.isEmpty }

    /// One sentence for each finding.
    public var warnings: [String] { fontWarnings + glyphWarnings }

    /// Those about fonts that are not there or of no use.
    public var fontWarnings: [String] {
        unusableFonts.map { "the font file \($0) has no outlines that can be drawn" }
            + substitutions.map { "font \"\($0.requested)\" is not installed; \"\($0.actual)\" is used instead" }
    }

    /// Those about characters that no font can draw.
    public var glyphWarnings: [String] {
        missing.map { entry in
            let shown = entry.codePoints.prefix(10).map(Self.name).joined(separator: ", ")
            let more = entry.codePoints.count > 10 ? " and \(entry.codePoints.count - 10) more" : ""
            return "no font has a glyph for \(shown)\(more) (font \"\(entry.family)\")"
        }
    }

    /// "U+1F600 😀".
    static func name(of codePoint: UInt32) -> String {
        let digits = String(codePoint, radix: 16, uppercase: true)
        let number = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        guard let scalar = Unicode.Scalar(codePoint), scalar.properties.generalCategory != .control else {
            return number
        }
        return "\(number) \(Character(scalar))"
    }
}
