/// Tells the East Asian encodings by their structure and by how much of a text is in their common characters.
///
/// Nearly all characters of a Chinese, Japanese or Korean text come from the first part of their standard: kana and
/// the 2,000 to 5,000 everyday ideographs or syllables. Text in a single-byte encoding that happens to be well-formed
/// lands all over the table instead.
enum MultiByteGuess {
    private struct Count {
        /// Two-byte characters.
        var characters = 0
        /// Those of them that are in daily use.
        var common = 0
        /// Bytes that cannot be in this encoding.
        var invalid = 0

        var share: Double { characters == 0 ? 0 : Double(common) / Double(characters) }
    }

    static func best(_ bytes: ArraySlice<UInt8>) -> TextEncoding? {
        let counts: [(TextEncoding, Count)] = [
            (.shiftJIS, shiftJIS(bytes)), (.eucJP, eucJP(bytes)), (.eucKR, eucKR(bytes)), (.gb18030, gb(bytes)),
            (.big5, big5(bytes)),
        ]
        let candidates = counts.filter { _, count in
            count.characters >= 4 && count.invalid * 50 <= count.characters && count.share > 0.75
        }
        // Korean's syllables are all common in GB2312 too: of equals the first counts.
        return candidates.max { $0.1.share < $1.1.share }?.0
    }

    /// Walks over `bytes`; `measure` is given a lead byte and the one after it, and says how many bytes the character
    /// takes (0: invalid) and whether it is a common one (`nil`: does not count).
    private static func walk(
        _ bytes: ArraySlice<UInt8>, _ measure: (UInt8, UInt8) -> (length: Int, common: Bool?)
    ) -> Count {
        var count = Count()
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let lead = bytes[index]
            if lead < 0x80 {
                index += 1
                continue
            }
            let (length, common) = measure(lead, index + 1 < bytes.endIndex ? bytes[index + 1] : 0)
            if length == 0 { count.invalid += 1 }
            if let common {
                count.characters += 1
                if common { count.common += 1 }
            }
            index += max(length, 1)
        }
        return count
    }

    private static func shiftJIS(_ bytes: ArraySlice<UInt8>) -> Count {
        walk(bytes) { lead, trail in
            // Half-width katakana: in real text rare, in other encodings' letters frequent.
            if (0xA1...0xDF).contains(lead) { return (1, false) }
            guard (0x81...0x9F).contains(lead) || (0xE0...0xFC).contains(lead), (0x40...0xFC).contains(trail),
                trail != 0x7F
            else { return (0, nil) }
            return (2, (0x81...0x83).contains(lead) || (0x88...0x97).contains(lead))
        }
    }

    private static func eucJP(_ bytes: ArraySlice<UInt8>) -> Count {
        var kana = 0
        var count = walk(bytes) { lead, trail in
            guard (0xA1...0xFE).contains(trail) else { return (0, nil) }
            if lead == 0x8E { return (2, false) }
            if lead == 0x8F { return (3, false) }
            guard (0xA1...0xFE).contains(lead) else { return (0, nil) }
            if lead == 0xA4 || lead == 0xA5 { kana += 1 }
            return (2, (0xA1...0xA5).contains(lead) || (0xB0...0xCF).contains(lead))
        }
        // The structure is that of GB2312 and EUC-KR too; what tells Japanese is its kana.
        if kana * 5 < count.characters { count.common = 0 }
        return count
    }

    private static func gb(_ bytes: ArraySlice<UInt8>) -> Count {
        var kana = 0
        var count = walk(bytes) { lead, trail in
            guard (0x81...0xFE).contains(lead) else { return (0, nil) }
            if (0x30...0x39).contains(trail) { return (4, false) }
            guard (0x40...0xFE).contains(trail), trail != 0x7F else { return (0, nil) }
            if lead == 0xA4 || lead == 0xA5 { kana += 1 }
            return (2, trail >= 0xA1 && ((0xB0...0xD7).contains(lead) || lead == 0xA1 || lead == 0xA3))
        }
        if kana * 5 >= count.characters { count.common = 0 }
        return count
    }

    private static func big5(_ bytes: ArraySlice<UInt8>) -> Count {
        walk(bytes) { lead, trail in
            guard (0xA1...0xF9).contains(lead), (0x40...0x7E).contains(trail) || (0xA1...0xFE).contains(trail) else {
                return (0, nil)
            }
            return (2, (0xA4...0xC6).contains(lead) || lead == 0xA1)
        }
    }

    private static func eucKR(_ bytes: ArraySlice<UInt8>) -> Count {
        walk(bytes) { lead, trail in
            guard (0x81...0xFE).contains(lead), (0x41...0xFE).contains(trail) else { return (0, nil) }
            return (2, trail >= 0xA1 && ((0xB0...0xC8).contains(lead) || lead == 0xA1))
        }
    }
}
