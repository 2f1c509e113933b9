/// Where a line of text may be broken: the parts of Unicode's line breaking (UAX #14) that captions meet.
///
/// At blanks, after hyphens and dashes inside words, and between East Asian characters, except where Japanese
/// typesetting forbids it (kinsoku shori, JIS X 4051).
enum TextLayoutBreaks {
    /// Whether a break is allowed between two characters, neither of which is a blank.
    static func isAllowed(between before: Character, and after: Character) -> Bool {
        guard let last = before.unicodeScalars.last, let left = before.unicodeScalars.first,
            let right = after.unicodeScalars.first
        else { return false }
        if last.value == 0x200B { return true }
        if joiners.contains(left.value) || joiners.contains(right.value) || joiners.contains(last.value) {
            return false
        }
        if neverFirst.contains(right) || isSmallKana(right) || neverLast.contains(left) { return false }
        if left.value == 0x2D || left.value == 0x2010 || left.value == 0x2013 || left.value == 0x2014 {
            // "twenty-one" may be broken, "-5" and "--" not.
            return right.properties.isAlphabetic
        }
        return isBreakable(left) || isBreakable(right)
    }

    /// No-break space, word joiner and their like.
    private static let joiners: Set<UInt32> = [0xA0, 0x202F, 0x2060, 0xFEFF, 0x2011]

    /// No line begins with these.
    private static let neverFirst = Set(
        "、。，．・：；？！゛゜´｀¨＾ヽヾゝゞ々〻ー」』）〕］｝〉》】〙〗〟’”｠»›,.:;!?)]}%‰℃°…‥‐–〜～・％"
            .unicodeScalars)

    /// No line ends with these.
    private static let neverLast = Set("（「『〔［｛〈《【〘〖〝‘“｟«‹([{¥$£￥￡＄¿¡#".unicodeScalars)

    private static func isSmallKana(_ scalar: Unicode.Scalar) -> Bool {
        smallKana.contains(scalar) || (0x31F0...0x31FF).contains(scalar.value)
    }

    private static let smallKana = Set("ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ".unicodeScalars)

    /// Whether lines may be broken before and after it: ideographs, kana, emoji; not Hangul, which has blanks.
    private static func isBreakable(_ scalar: Unicode.Scalar) -> Bool {
        isWide(scalar) && !isHangul(scalar)
    }

    private static func isHangul(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x11FF, 0x3130...0x318F, 0xA960...0xA97F, 0xAC00...0xD7FF: true
        default: false
        }
    }

    /// Whether it takes a full square (East Asian Width W and F, UAX #11, in blocks).
    static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
            0x1F1E6...0x1F1FF, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F7E0...0x1F7EB, 0x1F900...0x1F9FF,
            0x1FA70...0x1FAFF, 0x20000...0x3FFFD:
            true
        case 0x2600...0x27BF: scalar.properties.isEmojiPresentation
        default: false
        }
    }
}
