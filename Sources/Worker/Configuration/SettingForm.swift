/// What stands for a setting's value outside.
enum SettingText: Sendable, Equatable {
    /// A variable, or a scalar of the file.
    case text(String)
    /// A list of the file.
    case list([String])

    /// `nil` for a list.
    var single: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    /// The members of a list; of a text, what stands between its commas.
    var items: [String] {
        switch self {
        case .text(let text): text.split(separator: ",").map(\.trimmed).filter { !$0.isEmpty }
        case .list(let list): list.map(\.trimmed).filter { !$0.isEmpty }
        }
    }
}

/// How a sort of value is written outside.
struct SettingForm<Value: Sendable>: Sendable {
    /// What is expected, as it goes behind "give": "a whole number from 1 to 1024".
    let expected: String
    /// Whether a message may repeat what was given instead. Not so where it may hold a password.
    let isQuotable: Bool
    /// `nil` for a text that is not of this form.
    let read: @Sendable (SettingText) -> Value?
    /// A value as it may be shown: without what is secret in it.
    let write: @Sendable (Value) -> String

    init(
        _ expected: String, isQuotable: Bool = true, read: @escaping @Sendable (SettingText) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.expected = expected
        self.isQuotable = isQuotable
        self.read = read
        self.write = write
    }

    /// The same, with a word for no value at all.
    static func optional<Wrapped>(_ form: SettingForm<Wrapped>, _ word: String = "none") -> SettingForm
    where Value == Wrapped? {
        SettingForm("\(form.expected), or \(word)", isQuotable: form.isQuotable) { text -> Value? in
            if text.single?.lowercased() == word { return .some(nil) }
            return form.read(text).map { .some($0) }
        } write: { value in
            value.map(form.write) ?? word
        }
    }

    /// Instead of anything that is secret.
    static var mask: String { "****" }
}

extension SettingForm where Value == String {
    /// Any text that `isValid` finds so, as it is.
    static func text(
        _ expected: String = "a text", isQuotable: Bool = true,
        where isValid: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> SettingForm {
        SettingForm(expected, isQuotable: isQuotable) { text in
            text.single.flatMap { isValid($0) ? $0 : nil }
        } write: {
            $0
        }
    }

    /// A text that is never shown.
    static func secret(_ expected: String = "a text") -> SettingForm {
        SettingForm(expected, isQuotable: false) {
            $0.single
        } write: { _ in
            mask
        }
    }
}

extension SettingForm where Value == Bool {
    static var flag: SettingForm {
        SettingForm("true or false") { text in
            switch text.single?.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        } write: {
            $0 ? "true" : "false"
        }
    }
}

extension SettingForm where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> SettingForm {
        let (least, most) = (range.lowerBound, range.upperBound)
        let bounds = most < 1 << 40 ? "from \(least) to \(most)" : "of at least \(least)"
        return SettingForm("a whole number \(bounds)") { text in
            text.single.flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil }
        } write: {
            "\($0)"
        }
    }

    /// 0 stands for any port that is free.
    static var port: SettingForm { count(0...65_535) }
}

extension SettingForm where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> SettingForm {
        SettingForm("a number from \(Figures.short(range.lowerBound)) to \(Figures.short(range.upperBound))") { text in
            text.single.flatMap { Double($0) }.flatMap { range.contains($0) ? $0 : nil }
        } write: {
            Figures.short($0)
        }
    }

    /// A duration in seconds.
    static func seconds(_ range: ClosedRange<Duration>) -> SettingForm {
        let form = SettingForm<Duration>.duration(range)
        return SettingForm(form.expected) {
            form.read($0).map { $0 / .seconds(1) }
        } write: {
            DurationText.write(.microseconds(Int64(($0 * 1e6).rounded())))
        }
    }
}

extension SettingForm where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> SettingForm {
        SettingForm("a time such as 90 (seconds), 30s or 1m30s, \(bounds(range))") { text in
            text.single.flatMap { Span(argument: $0)?.value }.flatMap { range.contains($0) ? $0 : nil }
        } write: {
            DurationText.write($0)
        }
    }

    /// As `duration`, but a number alone is milliseconds: for variables whose names say so.
    static func milliseconds(_ range: ClosedRange<Duration>) -> SettingForm {
        SettingForm("milliseconds, or a time such as 5s, \(bounds(range))") { text in
            guard let single = text.single else { return nil }
            let value = Int64(single).map { $0 < 1 << 50 ? Duration.milliseconds($0) : .seconds(1 << 40) }
            return (value ?? Span(argument: single)?.value).flatMap { range.contains($0) ? $0 : nil }
        } write: {
            DurationText.write($0)
        }
    }

    private static func bounds(_ range: ClosedRange<Duration>) -> String {
        "from \(DurationText.write(range.lowerBound)) to \(DurationText.write(range.upperBound))"
    }
}

extension SettingForm where Value == Int64 {
    /// Bytes.
    static func size(_ range: ClosedRange<Int64>) -> SettingForm {
        let (least, most) = (SizeText.write(range.lowerBound), SizeText.write(range.upperBound))
        let bounds = range.upperBound < 1 << 60 ? "from \(least) to \(most)" : "of at least \(least)"
        return SettingForm("a size such as 500M, 2G or 4Gi, \(bounds)") { text in
            text.single.flatMap { SizeText.read($0) }.flatMap { range.contains($0) ? $0 : nil }
        } write: {
            SizeText.write($0)
        }
    }
}

extension SettingForm where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the words that the cases are written as, in whatever case.
    static var choice: SettingForm {
        let words = Value.allCases.map(\.rawValue)
        let list = words.dropLast().joined(separator: ", ") + " or " + words.suffix(1).joined()
        return SettingForm(list) { text in
            let word = text.single?.lowercased()
            return Value.allCases.first { $0.rawValue.lowercased() == word }
        } write: {
            $0.rawValue
        }
    }
}

extension SettingForm where Value == [String] {
    /// Texts, each of which `clean` approves of, or `nil`; an empty list is called `word`.
    static func list(
        _ expected: String, empty word: String = "none", _ clean: @escaping @Sendable (String) -> String? = { $0 }
    ) -> SettingForm {
        list(of: expected, empty: word, read: clean, write: { $0 })
    }
}

extension SettingForm {
    /// Values that are read one by one from a list, or from between commas.
    static func list<Element: Sendable>(
        of expected: String, isQuotable: Bool = true, empty word: String = "none",
        read: @escaping @Sendable (String) -> Element?, write: @escaping @Sendable (Element) -> String
    ) -> SettingForm where Value == [Element] {
        SettingForm("a list of \(expected)", isQuotable: isQuotable) { text in
            if text.single?.lowercased() == word { return [] }
            let items = text.items
            let values = items.compactMap(read)
            return values.count == items.count && !values.isEmpty ? values : nil
        } write: { list in
            list.isEmpty ? word : list.map(write).joined(separator: ",")
        }
    }
}
