/// Ways to damage a file. The same random numbers give the same damage.
struct Mutation {
    private var random: SplitMix
    /// Other files, whose parts may be spliced in.
    let others: [[UInt8]]

    init(seed: UInt64, others: [[UInt8]] = []) {
        random = SplitMix(state: seed)
        self.others = others
    }

    /// Numbers that often lie on the edge of what a reader expects.
    private static let edges: [UInt32] = [
        0, 1, 2, 7, 8, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF,
    ]
    /// Names of boxes and chunks whose sizes and counts decide what is read.
    private static let landmarks =
        [
            "moov", "trak", "mdia", "minf", "stbl", "stsd", "stts", "ctts", "stsc", "stsz", "stco", "co64", "elst",
            "mvhd",
        ]
        + [
            "tkhd", "mdhd", "hdlr", "avcC", "hvcC", "av1C", "esds", "moof", "trun", "tfhd", "tfdt", "mdat", "fmt ",
            "data",
        ]
        + [
            "OggS", "fLaC", "IHDR", "IDAT", "ID3", "LIST", "idx1", "avih", "strf", "tx3g", "udta", "meta", "chpl",
            "colr",
        ]

    /// One to four kinds of damage.
    mutating func mutate(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty { damage(&bytes) }
        return bytes
    }

    mutating func number(below bound: Int) -> Int { Int.random(in: 0..<max(bound, 1), using: &random) }

    private mutating func damage(_ bytes: inout [UInt8]) {
        switch number(below: 9) {
        case 0:
            // Single bits, half of the time in the head, where the structure is.
            for _ in 0...number(below: 30) { bytes[position(bytes.count)] ^= 1 << UInt8(number(below: 8)) }
        case 1:
            for _ in 0...number(below: 200) { bytes[position(bytes.count)] = UInt8(number(below: 256)) }
        case 2:
            bytes.removeLast(number(below: bytes.count))
        case 3:
            swap(&bytes)
        case 4:
            let first = position(bytes.count), count = length(bytes.count - first)
            bytes.removeSubrange(first..<first + count)
        case 5:
            let first = position(bytes.count), count = length(bytes.count - first)
            bytes.insert(contentsOf: Array(bytes[first..<first + count]), at: position(bytes.count))
        case 6:
            put(Self.edges[number(below: Self.edges.count)], at: position(bytes.count), in: &bytes)
        case 7:
            editLandmark(&bytes)
        default:
            guard !others.isEmpty else { return }
            let other = others[number(below: others.count)]
            guard !other.isEmpty else { return }
            let first = position(other.count), count = length(other.count - first)
            bytes.insert(contentsOf: other[first..<first + count], at: position(bytes.count))
        }
    }

    private mutating func position(_ count: Int) -> Int {
        number(below: number(below: 2) == 0 ? min(count, 4096) : count)
    }

    private mutating func length(_ most: Int) -> Int { number(below: min(most, 8192) + 1) }

    private mutating func swap(_ bytes: inout [UInt8]) {
        let size = length(bytes.count / 2)
        let a = number(below: bytes.count - 2 * size + 1)
        let b = a + size + number(below: bytes.count - a - 2 * size + 1)
        for offset in 0..<size { bytes.swapAt(a + offset, b + offset) }
    }

    /// Big-endian or little-endian, cut off at the end.
    private mutating func put(_ value: UInt32, at place: Int, in bytes: inout [UInt8]) {
        let isBig = number(below: 2) == 0
        for index in 0..<4 where bytes.indices.contains(place + index) {
            bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * (isBig ? 3 - index : index)))
        }
    }

    /// An edge number as the size of a box, or into one of its first fields.
    private mutating func editLandmark(_ bytes: inout [UInt8]) {
        let first = number(below: Self.landmarks.count)
        for step in 0..<Self.landmarks.count {
            let name = Array(Self.landmarks[(first + step) % Self.landmarks.count].utf8)
            let places = Self.places(of: name, in: bytes)
            guard !places.isEmpty else { continue }
            let place = places[number(below: places.count)]
            let value =
                number(below: 3) == 0 ? UInt32(number(below: 4096)) : Self.edges[number(below: Self.edges.count)]
            return put(value, at: max(0, place - 4 + 4 * number(below: 16)), in: &bytes)
        }
    }

    private static func places(of name: [UInt8], in bytes: [UInt8]) -> [Int] {
        guard bytes.count >= name.count, let first = name.first else { return [] }
        var found: [Int] = []
        for index in 0...bytes.count - name.count where bytes[index] == first {
            if bytes[index..<index + name.count].elementsEqual(name) { found.append(index) }
            if found.count == 64 { break }
        }
        return found
    }

    // MARK: Text

    private static let tokens = [
        "{\\p1}m 0 0 l 9 9", "{\\pos(1e308,-1e308)}", "{\\fs99999999}", "{\\t(\\fscx", "{\\fn", "}", "{", "<b", "<c.",
        "<v ",
        "</", "&#x110000;", "&amp", "-->", " --> 99:99:99,999", "00:00:00,000 --> 00:00:00,000", "9999999999999999999",
        "-1", "\u{0}", "\u{FEFF}", "\u{202E}", "WEBVTT", "STYLE", "REGION", "NOTE", "[Events]", "[Script Info]",
        "PlayResX: 2147483647", "Format: Text, Text, Text", "Dialogue: ", "Style: ,,,,,,,,,,", "\r", "\n\n\n",
        "line:-99999",
        "position:100%,line-right", "{\\clip(4,m 0 0 b 1 1 2 2 3 3)}", "{\\bord1e9\\blur1e9}", "{\\org(1,2)\\frz1e30}",
    ]

    /// Damage as people and programs do to text.
    mutating func mutateText(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0...number(below: 6) where !bytes.isEmpty {
            switch number(below: 5) {
            case 0:
                damage(&bytes)
            case 1:
                let token = Self.tokens[number(below: Self.tokens.count)]
                let count = number(below: 12) == 0 ? 500 : 1
                bytes.insert(contentsOf: String(repeating: token, count: count).utf8, at: number(below: bytes.count))
            case 2:
                let digits = bytes.indices.filter { (0x30...0x39).contains(bytes[$0]) }
                guard !digits.isEmpty else { continue }
                for _ in 0..<4 { bytes[digits[number(below: digits.count)]] = UInt8(0x30 + number(below: 10)) }
            default:
                var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
                let line = number(below: lines.count)
                if number(below: 2) == 0 { lines.remove(at: line) } else { lines.insert(lines[line], at: line) }
                lines.swapAt(number(below: lines.count - 1), max(0, lines.count - 1))
                bytes = Array(lines.joined(separator: [0x0A]))
            }
        }
        return bytes
    }
}
