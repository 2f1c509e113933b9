/// Random cron expressions of every form, for comparisons with another implementation.
struct RandomCron {
    var generator: SeededGenerator
    /// Leaves out the forms that croniter means differently; see `CroniterTests`.
    var onlyCommonForms = false

    private static let months = ["JAN", "feb", "Mar", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    private static let weekdays = ["SUN", "mon", "TUE", "WED", "Thu", "FRI", "SAT"]

    mutating func next(seconds: Bool) -> String {
        var fields = [field(0...59), field(0...23), day(), field(1...12, names: Self.months), weekday()]
        // Day restrictions in both fields are rare in random picks and worth more looks.
        if generator.chance(0.2) { (fields[2], fields[4]) = ("\(generator.int(1...28))", "\(generator.int(0...6))") }
        if onlyCommonForms {
            // Beside days of the month these differ.
            if fields[2] == "*", generator.chance(0.1) { fields[4] = "\(generator.int(0...6))#\(generator.int(1...5))" }
            if fields[2] == "*", generator.chance(0.05) { fields[4] = "L\(generator.int(0...6))" }
        }
        if seconds { fields.insert(field(0...59), at: 0) }
        return fields.joined(separator: " ")
    }

    private mutating func day() -> String {
        generator.chance(0.1) ? "L" : generator.chance(0.05) ? "?" : field(1...31)
    }

    private mutating func weekday() -> String {
        if !onlyCommonForms, generator.chance(0.1) { return "\(generator.int(0...6))#\(generator.int(1...5))" }
        if !onlyCommonForms, generator.chance(0.05) { return "L\(generator.int(0...6))" }
        return generator.chance(0.3) ? "*" : field(0...6, names: Self.weekdays)
    }

    private mutating func field(_ range: ClosedRange<Int>, names: [String] = []) -> String {
        if generator.chance(0.3) { return "*" }
        if generator.chance(0.2) { return "*/\(generator.int(1...max(2, range.count / 2)))" }
        return (0..<generator.int(1...3)).map { _ in item(range, names: names) }.joined(separator: ",")
    }

    private mutating func item(_ range: ClosedRange<Int>, names: [String]) -> String {
        func text(_ value: Int) -> String {
            !names.isEmpty && generator.chance(0.5) ? names[value - range.lowerBound] : "\(value)"
        }
        let low = generator.int(range)
        if generator.chance(0.6) { return text(low) }
        if low == range.upperBound { return text(low) }
        let high = generator.int((low + 1)...range.upperBound)
        let step = generator.chance(0.4) ? "/\(generator.int(1...max(1, range.count / 4)))" : ""
        return "\(text(low))-\(text(high))\(step)"
    }
}
