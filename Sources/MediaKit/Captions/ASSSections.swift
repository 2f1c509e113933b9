/// The lines of an ASS script, each with the section it stands in.
struct ASSSections {
    enum Section: Equatable {
        case info
        /// `[V4+ Styles]`, or `[V4 Styles]` of SSA.
        case styles(isSSA: Bool)
        case events
        case other
    }

    struct Line {
        var text: String
        var section: Section
        /// The line in the script, from 1.
        var number: Int

        /// The value if the line is `key: value`; `key` is in lower case.
        func value(of key: String) -> Substring? {
            guard text.utf8.count > key.utf8.count,
                text.utf8.prefix(key.utf8.count).lazy.map(asciiLowercased).elementsEqual(key.utf8)
            else { return nil }
            let rest = text.utf8.dropFirst(key.utf8.count).drop { $0 == 0x20 || $0 == 0x09 }
            guard rest.first == UInt8(ascii: ":") else { return nil }
            return Substring(rest.dropFirst().drop { $0 == 0x20 || $0 == 0x09 })
        }
    }

    var lines: [Line]

    init(_ script: String) {
        var section = Section.other
        var number = 0
        var lines: [Line] = []
        var rest = Array(script.utf8)[...]
        while !rest.isEmpty {
            let end = rest.firstIndex { $0 == 0x0A || $0 == 0x0D } ?? rest.endIndex
            let text = rest[..<end]
            number += 1
            if text.trimmed.first == UInt8(ascii: "[") { section = ASSSections.section(text.trimmed) }
            lines.append(Line(text: text.string, section: section, number: number))
            let ending = rest[end...].starts(with: [0x0D, 0x0A]) ? 2 : 1
            rest = rest[end...].dropFirst(ending)
        }
        self.lines = lines
    }

    private static func section(_ header: ArraySlice<UInt8>) -> Section {
        if header.hasPrefixIgnoringCase("[script info]") { return .info }
        if header.hasPrefixIgnoringCase("[v4+ styles]") { return .styles(isSSA: false) }
        if header.hasPrefixIgnoringCase("[v4 styles]") { return .styles(isSSA: true) }
        return header.hasPrefixIgnoringCase("[events]") ? .events : .other
    }

    var text: String { lines.reduce(into: "") { $0 += $1.text + "\n" } }

    /// The number after `key:` in `[Script Info]`, if it is a size that a picture can have.
    func infoNumber(_ key: String) -> Double? {
        for line in lines where line.section == .info {
            guard let value = line.value(of: key) else { continue }
            let number = Double(String(value.prefix { !$0.isWhitespace }))
            if let number, number >= 1, number <= 100_000 { return number }
        }
        return nil
    }

    /// The names of a `Format:` line, in lower case.
    static func fieldNames(_ format: Substring) -> [String] {
        format.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.filter { !$0.isWhitespace }.lowercased() }
    }
}
