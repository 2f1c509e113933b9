/// Character references of HTML as subtitles use them.
enum CueEntities {
    /// The character that the reference at `index` (an `&`) stands for, and the reference's length in bytes; `nil` if
    /// it is none, and the `&` is meant as it is.
    static func decode(at index: Int, in bytes: ArraySlice<UInt8>) -> (text: String, length: Int)? {
        let window = bytes[index...].prefix(12)
        guard let end = window.firstIndex(of: UInt8(ascii: ";")), end > index + 1 else { return nil }
        let name = bytes[(index + 1)..<end]
        let length = end + 1 - index
        if name.first == UInt8(ascii: "#") {
            return number(name.dropFirst()).map { ($0, length) }
        }
        return named[name.string].map { ($0, length) }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> String? {
        let isHex = digits.first.map(asciiLowercased) == UInt8(ascii: "x")
        guard let value = UInt32((isHex ? digits.dropFirst() : digits).string, radix: isHex ? 16 : 10) else {
            return nil
        }
        guard value >= 0x20, !(0x7F...0x9F).contains(value), let scalar = Unicode.Scalar(value) else {
            return value == 0x0A ? "\n" : "\u{FFFD}"
        }
        return String(Character(scalar))
    }

    private static let named: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": "\u{A0}", "lrm": "\u{200E}",
        "rlm": "\u{200F}", "zwj": "\u{200D}", "zwnj": "\u{200C}", "shy": "\u{AD}", "ensp": "\u{2002}",
        "emsp": "\u{2003}", "thinsp": "\u{2009}", "hellip": "…", "ndash": "–", "mdash": "—", "lsquo": "‘",
        "rsquo": "’", "ldquo": "“", "rdquo": "”", "laquo": "«", "raquo": "»", "bull": "•", "middot": "·",
        "copy": "©", "reg": "®", "trade": "™", "deg": "°", "euro": "€", "pound": "£", "yen": "¥", "iexcl": "¡",
        "iquest": "¿", "eacute": "é", "egrave": "è", "agrave": "à", "ccedil": "ç", "auml": "ä", "ouml": "ö",
        "uuml": "ü", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü", "szlig": "ß", "ntilde": "ñ",
    ]
}
