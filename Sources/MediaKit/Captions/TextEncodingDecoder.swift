/// A text in UTF-8, made from bytes in some encoding.
struct DecodedText {
    /// Valid UTF-8 without a byte order mark and without NUL.
    var utf8: [UInt8] = []
    /// The first places where bytes meant nothing and U+FFFD stands instead, as offsets in `utf8`.
    var replacements: [Int] = []
    /// How many there are in all.
    var replacementCount = 0

    private static let replacementLimit = 100

    fileprivate mutating func appendReplacement() {
        if replacements.count < DecodedText.replacementLimit { replacements.append(utf8.count) }
        replacementCount += 1
        utf8.append(contentsOf: [0xEF, 0xBF, 0xBD])
    }

    fileprivate mutating func append(_ value: UInt32) {
        guard value != 0, value != 0xFFFD, let scalar = Unicode.Scalar(value) else { return appendReplacement() }
        if value < 0x80 {
            utf8.append(UInt8(truncatingIfNeeded: value))
        } else {
            utf8.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }
}

extension TextEncoding {
    /// Decodes `bytes`. What is invalid, and NUL, becomes U+FFFD and is counted: no input fails.
    ///
    /// - Throws: `unsupported` where the C library has no converter for the encoding (small containers).
    func decode(_ bytes: ArraySlice<UInt8>) throws(MediaError) -> DecodedText {
        switch self {
        case .utf8: TextEncoding.decodeUTF8(bytes)
        case .utf16LittleEndian: TextEncoding.decodeUTF16(bytes, lowByteFirst: true)
        case .utf16BigEndian: TextEncoding.decodeUTF16(bytes, lowByteFirst: false)
        default:
            if let table {
                TextEncoding.decodeSingleByte(bytes, table: table)
            } else {
                try TextEncoding.decodeMultiByte(bytes, iconvName: iconvName ?? rawValue)
            }
        }
    }

    private static func decodeUTF8(_ bytes: ArraySlice<UInt8>) -> DecodedText {
        var text = DecodedText()
        text.utf8.reserveCapacity(bytes.count)
        var rest = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes
        while let first = rest.first {
            if first != 0, first < 0x80 {
                text.utf8.append(first)
                rest = rest.dropFirst()
                continue
            }
            let length = UTF8Sequence.length(at: rest.startIndex, in: rest)
            if length > 1 {
                text.utf8.append(contentsOf: rest.prefix(length))
                rest = rest.dropFirst(length)
            } else {
                text.appendReplacement()
                rest = rest.dropFirst()
            }
        }
        return text
    }

    private static func decodeUTF16(_ bytes: ArraySlice<UInt8>, lowByteFirst: Bool) -> DecodedText {
        var text = DecodedText()
        text.utf8.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        func unit(_ at: Int) -> UInt32? {
            guard at + 1 < bytes.endIndex else { return nil }
            let (low, high) = lowByteFirst ? (bytes[at], bytes[at + 1]) : (bytes[at + 1], bytes[at])
            return UInt32(high) << 8 | UInt32(low)
        }
        if unit(index) == 0xFEFF { index += 2 }
        while let first = unit(index) {
            index += 2
            guard (0xD800...0xDBFF).contains(first) else {
                text.append(first)
                continue
            }
            if let second = unit(index), (0xDC00...0xDFFF).contains(second) {
                index += 2
                text.append(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            } else {
                text.appendReplacement()
            }
        }
        if index < bytes.endIndex { text.appendReplacement() }
        return text
    }

    private static func decodeSingleByte(_ bytes: ArraySlice<UInt8>, table: [UInt32]) -> DecodedText {
        var text = DecodedText()
        text.utf8.reserveCapacity(bytes.count + bytes.count / 4)
        for byte in bytes { text.append(byte < 0x80 ? UInt32(byte) : table[Int(byte) - 0x80]) }
        return text
    }

    private static func decodeMultiByte(
        _ bytes: ArraySlice<UInt8>, iconvName: String
    ) throws(MediaError) -> DecodedText {
        guard let converter = TextEncodingConverter(from: iconvName) else {
            throw MediaError(
                .unsupported, "the C library of this system cannot read the encoding \(iconvName)",
                hint: "install its converters (Debian: libc6's gconv modules), or save the subtitles as UTF-8")
        }
        var text = DecodedText()
        text.utf8.reserveCapacity(bytes.count * 3 / 2)
        converter.convert(bytes) { piece in
            switch piece {
            case .text(let utf8):
                for byte in utf8 {
                    if byte == 0 { text.appendReplacement() } else { text.utf8.append(byte) }
                }
            case .invalid: text.appendReplacement()
            }
        }
        return text
    }
}

/// Well-formed UTF-8 (Unicode 15, table 3-7).
enum UTF8Sequence {
    /// The length in bytes of the well-formed sequence that begins at `index`, or 0.
    static func length(at index: Int, in bytes: ArraySlice<UInt8>) -> Int {
        let first = bytes[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { second = 0xA0...0xBF }
            if first == 0xED { second = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { second = 0x90...0xBF }
            if first == 0xF4 { second = 0x80...0x8F }
        default: return 0
        }
        guard bytes.endIndex - index >= length, second.contains(bytes[index + 1]) else { return 0 }
        for offset in 2..<max(length, 2) where !(0x80...0xBF).contains(bytes[index + offset]) { return 0 }
        return length
    }
}
