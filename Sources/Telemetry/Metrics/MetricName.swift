/// Names as Prometheus takes them. https://prometheus.io/docs/concepts/data_model/
enum MetricName {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`: every other byte becomes "_", so that "http.requests" is `http_requests`.
    static func metric(_ text: String) -> String { valid(text) { $0 == UInt8(ascii: ":") } }

    /// The name of a timer: in seconds, which its end says.
    static func timer(_ text: String) -> String {
        let name = metric(text)
        return name.hasSuffix("_seconds") ? name : name + "_seconds"
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, and not with "__" at its beginning, which is Prometheus' own.
    static func label(_ text: String) -> String {
        let name = valid(text) { _ in false }
        return name.hasPrefix("__") ? "_" + name.drop { $0 == "_" } : name
    }

    private static func valid(_ text: String, _ isAllowedToo: (UInt8) -> Bool) -> String {
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
                || isAllowedToo(byte)
        }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        // Most names are valid as they are.
        if let first = text.utf8.first, isLetter(first), text.utf8.allSatisfy({ isLetter($0) || isDigit($0) }) {
            return text
        }
        var bytes = text.utf8.map { isLetter($0) || isDigit($0) ? $0 : UInt8(ascii: "_") }
        if bytes.first.map(isLetter) != true { bytes.insert(UInt8(ascii: "_"), at: 0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
