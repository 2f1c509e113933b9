/// The line of times above a SubRip cue: `00:00:01,000 --> 00:00:02,500`.
struct SRTTimes: Equatable {
    var start: Int64
    var end: Int64

    enum Problem: Error {
        case unreadable
        case endsBeforeStart
    }

    /// Whether a line is meant as times, well-formed or not: it begins like a time and has some kind of arrow.
    static func looksLikeTimes(_ line: ArraySlice<UInt8>) -> Bool {
        if line.find("-->") != nil { return true }
        let trimmed = line.trimmed.prefix(80)
        let digits = trimmed.prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty, trimmed[digits.endIndex...].first == UInt8(ascii: ":") else { return false }
        return trimmed.find("->") != nil || trimmed.find("- >") != nil || trimmed.find("=>") != nil
            || trimmed.find("—>") != nil || trimmed.find("–>") != nil
    }

    /// Reads the times; what follows them (`X1:… Y2:…`, blanks) is ignored.
    init(_ line: ArraySlice<UInt8>) throws(Problem) {
        guard let arrow = line.find("-->") else { throw .unreadable }
        let after = line[(arrow + 3)...].trimmed.prefix { $0 != 0x20 && $0 != 0x09 }
        guard let start = SRTTimes.time(line[..<arrow].trimmed), let end = SRTTimes.time(after) else {
            throw .unreadable
        }
        guard end > start else { throw .endsBeforeStart }
        self.start = start
        self.end = end
    }

    /// Milliseconds of `[[h:]m:]s[,mmm]`.
    ///
    /// The fraction is three digits, or one (tenths). Two are refused: they stand for hundredths in some tools'
    /// files and for frames in others'.
    static func time(_ text: ArraySlice<UInt8>) -> Int64? {
        var whole = text
        var fraction: ArraySlice<UInt8>?
        if let mark = text.firstIndex(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ".") }) {
            whole = text[..<mark]
            fraction = text[(mark + 1)...]
        }
        var fields = whole.fields(separator: UInt8(ascii: ":"), limit: 6)
        if fraction == nil, fields.count == 4 { fraction = fields.removeLast() }
        guard (2...3).contains(fields.count), fields.allSatisfy({ $0.isDigits && $0.count <= 4 }) else { return nil }
        let numbers = fields.compactMap { Int64($0.string) }
        guard numbers.count == fields.count, let seconds = numbers.last, seconds < 60 else { return nil }
        let minutes = numbers[numbers.count - 2]
        let hours = numbers.count == 3 ? numbers[0] : 0
        guard numbers.count == 2 || minutes < 60 else { return nil }
        var milliseconds: Int64 = 0
        if let fraction {
            guard fraction.isDigits, fraction.count == 3 || fraction.count == 1, let value = Int64(fraction.string)
            else { return nil }
            milliseconds = fraction.count == 1 ? value * 100 : value
        }
        return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
    }
}
