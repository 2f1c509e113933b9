/// Durations as settings write them; `Span` reads them.
enum DurationText {
    /// In the largest unit that needs no fraction: "1h", "90s", "1500ms".
    static func write(_ value: Duration) -> String {
        let (seconds, attoseconds) = value.components
        guard attoseconds == 0 else {
            let milliseconds = value / .milliseconds(1)
            return "\(Figures.short(milliseconds))ms"
        }
        for (unit, length) in [("d", Int64(86_400)), ("h", 3600), ("m", 60)] where seconds >= length {
            if seconds.isMultiple(of: length) { return "\(seconds / length)\(unit)" }
        }
        return "\(seconds)s"
    }
}

/// Numbers of bytes, with Kubernetes's units: k, M, G, T are powers of 1000, Ki, Mi, Gi, Ti of 1024.
/// https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#meaning-of-memory
enum SizeText {
    private static let units: [(name: String, bytes: Int64)] = [
        ("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10), ("T", 1_000_000_000_000),
        ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000),
    ]

    /// "2G", "1.5Gi", "800000", each also with a "B" behind. `nil` for anything else, and below 0.
    static func read(_ text: String) -> Int64? {
        let text = text.hasSuffix("B") ? text.dropLast() : text[...]
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let name = text.dropFirst(digits.count)
        guard let number = Double(digits) else { return nil }
        let factor: Int64
        if name.isEmpty {
            factor = 1
        } else {
            // A capital K is as good, and no other unit.
            let wanted = name.hasPrefix("K") && name != "Ki" ? "k" + name.dropFirst() : String(name)
            guard let unit = units.first(where: { $0.name == wanted }) else { return nil }
            factor = unit.bytes
        }
        let bytes = (number * Double(factor)).rounded()
        return bytes <= 1e18 ? Int64(bytes) : nil
    }

    /// In the largest unit that needs no fraction.
    static func write(_ bytes: Int64) -> String {
        let unit = units.filter { bytes >= $0.bytes && bytes.isMultiple(of: $0.bytes) }.max { $0.bytes < $1.bytes }
        return unit.map { "\(bytes / $0.bytes)\($0.name)" } ?? "\(bytes)"
    }
}
