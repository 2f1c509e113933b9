/// The width of a text in units of the font size (a line's ascent and descent), given its weight and slant.
public typealias TextMeasure = (_ text: String, _ bold: Bool, _ italic: Bool) -> Double

/// An estimate of how wide text is, for want of the font itself.
///
/// The widths are those of a broad sans-serif (near DejaVu Sans), so that the estimate is seldom too small.
public enum TextLayoutWidth {
    /// In units of the font size, a line's height. Bold adds a tenth; italic makes no difference.
    public static func estimate(_ text: String, bold: Bool, italic: Bool) -> Double {
        let width = text.reduce(0.0) { $0 + cluster($1) }
        return bold ? width * 1.1 : width
    }

    /// A user-perceived character is as wide as its base.
    private static func cluster(_ character: Character) -> Double {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        // The table is in ems; a font's line is about 1.165 em high.
        return em(scalar) / 1.165
    }

    private static func em(_ scalar: Unicode.Scalar) -> Double {
        switch scalar.value {
        case 0x20, 0xA0: return 0.32
        case 0x21...0x7E: return ascii[Int(scalar.value) - 0x21]
        case 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F, 0xFEFF: return 0
        default: break
        }
        if TextLayoutBreaks.isWide(scalar) { return 1.05 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .control, .format: return 0
        case .uppercaseLetter, .titlecaseLetter: return 0.72
        case .decimalNumber: return 0.64
        case .dashPunctuation: return scalar.value == 0x2014 ? 1 : 0.55
        case .openPunctuation, .closePunctuation, .otherPunctuation, .initialPunctuation, .finalPunctuation: return 0.5
        case .otherSymbol, .mathSymbol: return 0.9
        default: return 0.64
        }
    }

    /// "!" to "~".
    private static let ascii: [Double] = {
        var widths = [Double](repeating: 0.62, count: 94)
        let narrow: [(String, Double)] = [
            ("!'.,:;|ijlI", 0.32), ("()[]", 0.39), ("ftr/\\\"-`", 0.42), ("Jskcvxyz?_*", 0.56),
            ("ABEFKLPRSTVXYZ", 0.66), ("CDGHNOQU", 0.77), ("mMWw%@", 0.96), ("#&+<>=~^", 0.8),
        ]
        for (characters, width) in narrow {
            for byte in characters.utf8 { widths[Int(byte) - 0x21] = width }
        }
        return widths
    }()
}
