/// Finds out in which encoding a text is.
///
/// In this order: a byte order mark; NULs where UTF-16 has them; UTF-8 if it is valid (or nearly); else a guess from
/// how often each letter occurs in the languages of each encoding, with Windows-1252 where nothing speaks for another.
enum TextEncodingDetector {
    /// As much of a file as the guess looks at, in bytes.
    private static let sampleLength = 1 << 18

    static func detect(_ bytes: [UInt8]) -> TextEncoding {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return .utf8 }
        if let marked = utf16WithMark(bytes) ?? utf16WithoutMark(bytes) { return marked }
        if isMostlyUTF8(bytes) { return .utf8 }
        let sample = bytes.prefix(sampleLength)
        return MultiByteGuess.best(sample) ?? SingleByteGuess.best(sample)
    }

    private static func utf16WithMark(_ bytes: [UInt8]) -> TextEncoding? {
        if bytes.starts(with: [0xFF, 0xFE]) { return .utf16LittleEndian }
        if bytes.starts(with: [0xFE, 0xFF]) { return .utf16BigEndian }
        return nil
    }

    /// Digits, blanks and line ends fill every subtitle file, and in UTF-16 one byte of each of them is NUL.
    private static func utf16WithoutMark(_ bytes: [UInt8]) -> TextEncoding? {
        let sample = bytes.prefix(4096)
        guard sample.count >= 4 else { return nil }
        var nulls = (even: 0, odd: 0)
        for (index, byte) in sample.enumerated() where byte == 0 {
            if index.isMultiple(of: 2) { nulls.even += 1 } else { nulls.odd += 1 }
        }
        let enough = sample.count / 10
        if nulls.odd > enough, nulls.even * 10 < nulls.odd { return .utf16LittleEndian }
        if nulls.even > enough, nulls.odd * 10 < nulls.even { return .utf16BigEndian }
        return nil
    }

    /// One bad byte among many good sequences is damage, not another encoding.
    private static func isMostlyUTF8(_ bytes: [UInt8]) -> Bool {
        var (good, bad) = (0, 0)
        var index = 0
        while index < bytes.count {
            if bytes[index] < 0x80 {
                index += 1
                continue
            }
            let length = UTF8Sequence.length(at: index, in: bytes[...])
            if length > 0 { good += 1 } else { bad += 1 }
            index += max(length, 1)
        }
        return bad == 0 || good > bad * 4
    }
}
