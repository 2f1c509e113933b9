/// How a text file's bytes stand for characters.
public enum TextEncoding: String, Sendable, Codable, CaseIterable {
    /// Unicode; a byte order mark is left out.
    case utf8 = "utf-8"
    /// Unicode, the low byte of a unit first; a byte order mark is left out.
    case utf16LittleEndian = "utf-16le"
    /// Unicode, the high byte of a unit first; a byte order mark is left out.
    case utf16BigEndian = "utf-16be"
    /// Western Europe; what is assumed when nothing speaks for another.
    case windows1252 = "windows-1252"
    /// Central Europe.
    case windows1250 = "windows-1250"
    /// Cyrillic.
    case windows1251 = "windows-1251"
    /// Greek.
    case windows1253 = "windows-1253"
    /// Turkish.
    case windows1254 = "windows-1254"
    /// Hebrew.
    case windows1255 = "windows-1255"
    /// Arabic and Persian.
    case windows1256 = "windows-1256"
    /// Baltic; never guessed.
    case windows1257 = "windows-1257"
    /// Vietnamese; never guessed.
    case windows1258 = "windows-1258"
    /// Russian on Unix.
    case koi8R = "koi8-r"
    /// Japanese, with Microsoft's additions.
    case shiftJIS = "shift_jis"
    /// Japanese on Unix.
    case eucJP = "euc-jp"
    /// Simplified Chinese; takes in GBK and GB2312.
    case gb18030 = "gb18030"
    /// Traditional Chinese, with Microsoft's additions.
    case big5 = "big5"
    /// Korean, with Microsoft's additions.
    case eucKR = "euc-kr"

    /// From a name as people write it: case, `-` and `_` don't count, and common aliases are known.
    ///
    /// As on the web, ISO 8859-1 and ASCII are taken for the Windows encoding that contains them
    /// (<https://encoding.spec.whatwg.org/#names-and-labels>).
    public init?(name: String) {
        let plain = TextEncoding.plain(name)
        if let encoding = TextEncoding.allCases.first(where: { TextEncoding.plain($0.rawValue) == plain }) {
            self = encoding
        } else if let encoding = TextEncoding.aliases[plain] {
            self = encoding
        } else {
            return nil
        }
    }

    private static func plain(_ name: String) -> String {
        name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }

    private static let aliases: [String: TextEncoding] = [
        "latin1": .windows1252, "iso88591": .windows1252, "ascii": .windows1252, "usascii": .windows1252,
        "cp1250": .windows1250, "cp1251": .windows1251, "cp1252": .windows1252, "cp1253": .windows1253,
        "cp1254": .windows1254, "cp1255": .windows1255, "cp1256": .windows1256, "cp1257": .windows1257,
        "cp1258": .windows1258, "iso88599": .windows1254, "latin5": .windows1254, "koi8": .koi8R,
        "sjis": .shiftJIS, "cp932": .shiftJIS, "windows31j": .shiftJIS, "ujis": .eucJP, "gbk": .gb18030,
        "gb2312": .gb18030, "cp936": .gb18030, "cp950": .big5, "big5hkscs": .big5, "cp949": .eucKR,
        "uhc": .eucKR, "utf16": .utf16LittleEndian,
    ]

    /// The meaning of the bytes from 0x80, for single-byte encodings.
    var table: [UInt32]? {
        switch self {
        case .windows1250: TextEncodingTables.windows1250
        case .windows1251: TextEncodingTables.windows1251
        case .windows1252: TextEncodingTables.windows1252
        case .windows1253: TextEncodingTables.windows1253
        case .windows1254: TextEncodingTables.windows1254
        case .windows1255: TextEncodingTables.windows1255
        case .windows1256: TextEncodingTables.windows1256
        case .windows1257: TextEncodingTables.windows1257
        case .windows1258: TextEncodingTables.windows1258
        case .koi8R: TextEncodingTables.koi8R
        default: nil
        }
    }

    /// What glibc's iconv calls it, for the multi-byte encodings.
    var iconvName: String? {
        switch self {
        case .shiftJIS: "CP932"
        case .eucJP: "EUC-JP"
        case .gb18030: "GB18030"
        case .big5: "CP950"
        case .eucKR: "CP949"
        default: nil
        }
    }
}
