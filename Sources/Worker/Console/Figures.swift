/// Numbers as people read them.
enum Figures {
    /// A number with so many digits after its point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let scale = (0..<digits).reduce(Int64(1)) { scale, _ in scale * 10 }
        let whole = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        return "\(sign)\(whole / scale).\(padded(whole % scale, digits))"
    }

    /// Without zeros at its end: 29.97, 30.
    static func short(_ value: Double, _ digits: Int = 3) -> String {
        let text = fixed(value, digits)
        guard text.contains(".") else { return text }
        let cut = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
        return String(cut.reversed())
    }

    /// Seconds as a clock: "00:01:30.500".
    static func clock(_ seconds: Double, digits: Int = 3) -> String {
        guard seconds.isFinite, abs(seconds) < 1e12 else { return "\(seconds)" }
        let scale = (0..<digits).reduce(Int64(1)) { scale, _ in scale * 10 }
        let units = Int64((abs(seconds) * Double(scale)).rounded())
        let whole = units / scale
        let text = "\(padded(whole / 3600, 2)):\(padded(whole / 60 % 60, 2)):\(padded(whole % 60, 2))"
        let fraction = digits > 0 ? ".\(padded(units % scale, digits))" : ""
        return (seconds < 0 && units > 0 ? "-" : "") + text + fraction
    }

    /// "1.8 MB"
    static func bytes(_ count: Int64) -> String { scaled(Double(count), "B") }

    /// "2.5 Mb/s"
    static func bitRate(_ bits: Int64) -> String { scaled(Double(bits), "b/s") }

    private static func scaled(_ value: Double, _ unit: String) -> String {
        var value = value
        for prefix in ["", "k", "M", "G"] {
            if abs(value) < 999.5 {
                let digits = prefix.isEmpty || value >= 99.95 ? 0 : 1
                return "\(fixed(value, digits)) \(prefix)\(unit)"
            }
            value /= 1000
        }
        return "\(fixed(value, 1)) T\(unit)"
    }

    private static func padded(_ value: Int64, _ digits: Int) -> String {
        let text = "\(value)"
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
