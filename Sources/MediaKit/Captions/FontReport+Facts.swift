import Glibc

/// What a font file says of itself: its names, and whether its glyphs are outlines.
///
/// Reads the table directory and the `name` table alone (OpenType 1.9, "Organization of an OpenType Font" and
/// "name — Naming Table").
struct FontFacts: Equatable {
    /// Family and full names; the preferred English family name first.
    var names: [String]
    /// False for a font that holds nothing but bitmaps, which libass cannot draw.
    var hasOutlines: Bool
}

extension FontFacts {
    /// Nil where the file cannot be read or is of another kind, such as Type 1.
    init?(path: String, index: Int) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        self.init(index: index) { offset, count in
            guard count >= 0, count <= 1 << 20 else { return nil }
            var bytes = [UInt8](repeating: 0, count: count)
            let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, count, off_t(offset)) }
            return got == count ? bytes : nil
        }
    }

    /// Nil where the bytes are no OpenType font.
    init?(bytes: [UInt8], index: Int) {
        self.init(index: index) { offset, count in
            guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
            return Array(bytes[offset..<offset + count])
        }
    }

    /// Those of every font in a file: several in a collection, otherwise one.
    static func all(in bytes: [UInt8]) -> [FontFacts] {
        guard bytes.starts(with: Array("ttcf".utf8)) else {
            return [FontFacts(bytes: bytes, index: 0)].compactMap { $0 }
        }
        // No collection in use has as many.
        return (0..<256).lazy.map { FontFacts(bytes: bytes, index: $0) }.prefix { $0 != nil }.compactMap { $0 }
    }

    /// - Parameter read: bytes at an offset, all of them or nil.
    private init?(index: Int, read: (_ offset: Int, _ count: Int) -> [UInt8]?) {
        guard var head = read(0, 12) else { return nil }
        var start = 0
        if Self.tag(head, 0) == "ttcf" {
            // fontconfig keeps the number of a variable font's named instance in the high bits.
            let number = index & 0xFFFF
            guard number < Self.word32(head, 8), let entry = read(12 + 4 * number, 4) else { return nil }
            start = Self.word32(entry, 0)
            guard let next = read(start, 12) else { return nil }
            head = next
        }
        let tableCount = Self.word16(head, 4)
        guard tableCount > 0, tableCount < 512, let directory = read(start + 12, 16 * tableCount) else { return nil }
        var hasOutlines = false
        var names: [String] = []
        for entry in 0..<tableCount {
            switch Self.tag(directory, entry * 16) {
            case "glyf", "CFF ", "CFF2": hasOutlines = true
            case "name":
                let offset = Self.word32(directory, entry * 16 + 8)
                let length = min(Self.word32(directory, entry * 16 + 12), 1 << 18)
                if let table = read(offset, length) { names = Self.names(in: table) }
            default: break
            }
        }
        self.init(names: names, hasOutlines: hasOutlines)
    }

    private static func names(in table: [UInt8]) -> [String] {
        guard table.count >= 6 else { return [] }
        let storage = word16(table, 4)
        var found: [(rank: Int, name: String)] = []
        for record in 0..<word16(table, 2) {
            let at = 6 + 12 * record
            guard at + 12 <= table.count else { break }
            let (platform, language, id) = (word16(table, at), word16(table, at + 4), word16(table, at + 6))
            let length = word16(table, at + 8)
            let offset = storage + word16(table, at + 10)
            // 16 typographic family, 1 family, 4 full name, 6 PostScript name.
            guard let rank = [16: 0, 1: 1, 4: 2, 6: 3][id], offset + length <= table.count else { continue }
            let bytes = table[offset..<offset + length]
            let name: String
            if platform == 0 || platform == 3 {
                let units = stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2).map {
                    UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
                }
                name = String(decoding: units, as: UTF16.self)
            } else {
                name = String(decoding: bytes, as: UTF8.self)
            }
            let isEnglish = platform == 0 || (platform == 3 ? language & 0x3FF == 9 : language == 0)
            found.append((rank + (isEnglish ? 0 : 10), name))
        }
        return found.sorted { $0.rank < $1.rank }.map(\.name)
    }

    private static func word16(_ bytes: [UInt8], _ at: Int) -> Int { Int(bytes[at]) << 8 | Int(bytes[at + 1]) }
    private static func word32(_ bytes: [UInt8], _ at: Int) -> Int { word16(bytes, at) << 16 | word16(bytes, at + 2) }
    private static func tag(_ bytes: [UInt8], _ at: Int) -> String {
        String(decoding: bytes[at..<at + 4], as: UTF8.self)
    }
}
