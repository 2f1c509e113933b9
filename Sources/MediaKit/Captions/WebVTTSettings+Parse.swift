extension WebVTTSettings {
    /// Reads the settings after a cue's times. What is malformed is left at its default, as the specification wants,
    /// and named in `problems`.
    ///
    /// See <https://www.w3.org/TR/webvtt1/#parse-the-webvtt-cue-settings>. Older drafts' `align:middle` and
    /// `position:…,start|middle|end` are read as what became of them.
    init(parsing text: ArraySlice<UInt8>, problems: inout [String]) {
        self.init()
        for setting in text.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 }) {
            let parts = setting.fields(separator: UInt8(ascii: ":"), limit: 2)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
                set(parts[0].string, to: parts[1].string)
            else {
                problems.append("“\(setting.prefix(40).string)” is not a cue setting: ignored")
                continue
            }
        }
    }

    private mutating func set(_ name: String, to value: String) -> Bool {
        let parts = value.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch name {
        case "region":
            // Regions are not drawn; the cue stands where it would without.
            return true
        case "vertical":
            vertical = Vertical(rawValue: value)
            return vertical != nil
        case "line":
            return setLine(parts)
        case "position":
            guard let number = percentage(parts[0]) else { return false }
            var alignment: PositionAlignment?
            if parts.count == 2 {
                alignment = PositionAlignment(rawValue: parts[1]) ?? WebVTTSettings.formerAlignments[parts[1]]
                if alignment == nil { return false }
            }
            position = number
            positionAlignment = alignment
            return true
        case "size":
            guard let number = percentage(value) else { return false }
            size = number
            return true
        case "align":
            let alignment = value == "middle" ? .center : TextAlignment(rawValue: value)
            if let alignment { align = alignment }
            return alignment != nil
        default:
            return false
        }
    }

    private static let formerAlignments: [String: PositionAlignment] = [
        "start": .lineLeft, "middle": .center, "end": .lineRight,
    ]

    private mutating func setLine(_ parts: [String]) -> Bool {
        let newLine: Line
        if parts[0].hasSuffix("%") {
            guard let number = percentage(parts[0]) else { return false }
            newLine = .percentage(number)
        } else {
            guard parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }),
                let number = Double(parts[0]), abs(number) < 100_000
            else { return false }
            newLine = .number(number)
        }
        var alignment = LineAlignment.start
        if parts.count == 2 {
            guard let given = LineAlignment(rawValue: parts[1] == "middle" ? "center" : parts[1]) else { return false }
            alignment = given
        }
        line = newLine
        lineAlignment = alignment
        return true
    }

    /// A number from 0 to 100 with a percent sign.
    private func percentage(_ text: String) -> Double? {
        guard text.hasSuffix("%") else { return nil }
        let digits = text.dropLast()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }), let number = Double(digits),
            (0...100).contains(number)
        else { return nil }
        return number
    }
}
