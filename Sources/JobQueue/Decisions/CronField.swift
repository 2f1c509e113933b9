/// One parsed field of a cron expression: the set of its values.
struct CronField: Sendable, Hashable {
    /// Bit `v` is set when the value `v` matches.
    var values: UInt64 = 0
    /// Whether the field was written with a leading `*` (or as `?`), which decides how cron joins the two day fields.
    var startsWithStar = false
    /// Day of month only: `L`, the month's last day.
    var lastDay = false
    /// Day of week only: bit `7 * (n - 1) + weekday` is the n-th such weekday of a month (`FRI#2`), n in 1...5.
    var nth: UInt64 = 0
    /// Day of week only: bit `weekday` is the last such weekday of a month (`L5`).
    var lastWeekdays: UInt64 = 0

    func contains(_ value: Int) -> Bool { values & (1 << UInt64(value)) != 0 }

    /// The smallest value that matches and is at least `value`.
    func first(atLeast value: Int) -> Int? {
        guard value < 64 else { return nil }
        let rest = values & (UInt64.max << UInt64(value))
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    /// The largest value that matches and is at most `value`.
    func last(atMost value: Int) -> Int? {
        guard value >= 0 else { return nil }
        let rest = value >= 63 ? values : values & ((1 << UInt64(value + 1)) - 1)
        return rest == 0 ? nil : 63 - rest.leadingZeroBitCount
    }

    /// Whether every value the field can have matches.
    func coversAll(of field: CronError.Field) -> Bool {
        field.range.allSatisfy { contains($0) }
    }
}

extension CronError.Field {
    /// The values that are matched against, Sunday being 0.
    var range: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...6
        }
    }

    /// Names in place of numbers, beginning with the value of `range.lowerBound`.
    private var names: [Substring] {
        switch self {
        case .month: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(separator: " ")
        case .dayOfWeek: "SUN MON TUE WED THU FRI SAT".split(separator: " ")
        default: []
        }
    }

    /// What may stand in this field, for messages.
    private var allowed: String {
        switch self {
        case .dayOfWeek: "0 to 7 (0 and 7 are Sunday) or SUN to SAT"
        case .month: "1 to 12 or JAN to DEC"
        default: "\(range.lowerBound) to \(range.upperBound)"
        }
    }

    /// Parses this field's text out of `expression`, which errors quote.
    func parse(_ text: Substring, in expression: String) throws(CronError) -> CronField {
        var result = CronField()
        if text == "?" {
            guard self == .dayOfMonth || self == .dayOfWeek else {
                throw CronError(expression, self, "'?' is only for the two day fields; write '*'")
            }
            result.startsWithStar = true
            for value in range { result.values |= 1 << UInt64(value) }
            return result
        }
        result.startsWithStar = text.hasPrefix("*")
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !item.isEmpty else {
                throw CronError(expression, self, "'\(text)' has an empty item; write values with one comma between")
            }
            try parse(item: item, in: expression, into: &result)
        }
        return result
    }

    private func parse(item: Substring, in expression: String, into result: inout CronField) throws(CronError) {
        if self == .dayOfMonth, item.uppercased() == "L" {
            result.lastDay = true
            return
        }
        if self == .dayOfWeek {
            if let hash = item.firstIndex(of: "#") {
                let weekday = try value(item[..<hash], of: item, in: expression) % 7
                guard let n = number(item[item.index(after: hash)...]), (1...5).contains(n) else {
                    throw CronError(expression, self, "'\(item)': after '#' comes 1 to 5, as in FRI#2 (second Friday)")
                }
                result.nth |= 1 << UInt64(7 * (n - 1) + weekday)
                return
            }
            if item.count > 1, item.hasPrefix("L") || item.hasPrefix("l") {
                let weekday = try value(item.dropFirst(), of: item, in: expression) % 7
                result.lastWeekdays |= 1 << UInt64(weekday)
                return
            }
        }
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let base = parts[0]
        var step = 1
        if parts.count == 2 {
            guard let n = number(parts[1]), n > 0 else {
                throw CronError(expression, self, "'\(item)': after '/' comes a step of 1 or more")
            }
            step = n
        }
        var low: Int
        var high: Int
        if base == "*" {
            (low, high) = (range.lowerBound, range.upperBound)
        } else if let dash = base.firstIndex(of: "-") {
            low = try value(base[..<dash], of: item, in: expression)
            high = try value(base[base.index(after: dash)...], of: item, in: expression)
            // Sunday as the end of a range is 7, as its beginning 0: FRI-SUN and SUN-TUE need no thought.
            if self == .dayOfWeek {
                if high == 0, low > 0 { high = 7 }
                if low == 7 { (low, high) = (0, high == 7 ? 0 : high) }
            }
            // A range may wrap: 22-2 hours, NOV-FEB.
            if low > high { high += range.count }
        } else {
            low = try value(base, of: item, in: expression)
            // `5/10` is from 5 on, every 10.
            high = parts.count == 2 ? max(low, range.upperBound) : low
        }
        guard step <= range.count else {
            throw CronError(
                expression, self, "'\(item)': a step of \(step) is too long; the field has \(range.count) values")
        }
        for value in stride(from: low, through: high, by: step) {
            let wrapped = (value - range.lowerBound) % range.count + range.lowerBound
            result.values |= 1 << UInt64(wrapped)
        }
    }

    /// One number or name. For days of the week 7 is left as it is.
    private func value(_ text: Substring, of item: Substring, in expression: String) throws(CronError) -> Int {
        let name = text.uppercased()
        if let index = names.firstIndex(where: { $0 == name }) { return index + range.lowerBound }
        let top = self == .dayOfWeek ? 7 : range.upperBound
        guard let number = number(text), number >= range.lowerBound, number <= top else {
            let quoted = text == item ? "'\(item)'" : "'\(text)' in '\(item)'"
            throw CronError(expression, self, "\(quoted) is not \(allowed)")
        }
        return number
    }

    /// Decimal digits only: no sign, no other script's digits.
    private func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}
