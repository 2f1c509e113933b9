/// The line of times and settings above a WebVTT cue.
struct WebVTTTimes {
    var start: Int64
    var end: Int64
    /// What follows the times.
    var settings: ArraySlice<UInt8>

    /// `nil` if it is not well-formed.
    init?(_ line: ArraySlice<UInt8>) {
        guard let arrow = line.find("-->") else { return nil }
        let after = line[(arrow + 3)...].trimmed
        let endText = after.prefix { $0 != 0x20 && $0 != 0x09 }
        guard let start = WebVTTTimes.time(line[..<arrow].trimmed), let end = WebVTTTimes.time(endText) else {
            return nil
        }
        self.start = start
        self.end = end
        settings = after[endText.endIndex...]
    }

    /// Milliseconds of `[h+:]mm:ss.mmm`; a comma, as SubRip has it, is taken for the dot.
    ///
    /// See <https://www.w3.org/TR/webvtt1/#collect-a-webvtt-timestamp>.
    static func time(_ text: ArraySlice<UInt8>) -> Int64? {
        guard text.count >= 9 else { return nil }
        let mark = text[text.endIndex - 4]
        let fields = text.dropLast(4).fields(separator: UInt8(ascii: ":"), limit: 5)
        let fraction = text.suffix(3)
        guard mark == UInt8(ascii: ".") || mark == UInt8(ascii: ","), fraction.isDigits,
            (2...3).contains(fields.count), fields.allSatisfy({ $0.isDigits && $0.count <= 5 }),
            fields.suffix(2).allSatisfy({ $0.count == 2 })
        else { return nil }
        let numbers = (fields + [fraction]).compactMap { Int64($0.string) }
        guard numbers.count == fields.count + 1 else { return nil }
        let (minutes, seconds) = (numbers[fields.count - 2], numbers[fields.count - 1])
        guard minutes < 60, seconds < 60 else { return nil }
        let hours = fields.count == 3 ? numbers[0] : 0
        return ((hours * 60 + minutes) * 60 + seconds) * 1000 + numbers[fields.count]
    }
}
