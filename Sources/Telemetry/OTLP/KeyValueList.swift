public import Transfer

/// The lists in OpenTelemetry's environment: `api-key=abc,tenant=a%20b`, as W3C Baggage writes them.
/// https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
public enum KeyValueList {
    /// A list that cannot be read. Its description names the place and never a value.
    public struct Malformed: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// `OTEL_EXPORTER_OTLP_HEADERS`.
    public static func headers(_ text: String) throws(Malformed) -> HTTPHeaders {
        var headers = HTTPHeaders()
        for (index, pair) in try pairs(text).enumerated() {
            guard pair.name.utf8.allSatisfy(isTokenByte) else {
                throw Malformed(description: "the name of entry \(index + 1) is not that of an HTTP header")
            }
            guard pair.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw Malformed(description: "the value of \(pair.name) holds a control character")
            }
            headers.add(pair.name, pair.value)
        }
        return headers
    }

    /// `OTEL_RESOURCE_ATTRIBUTES`. Of a name that comes twice, the last value counts.
    public static func attributes(_ text: String) throws(Malformed) -> [String: String] {
        Dictionary(try pairs(text).map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }

    private static func pairs(_ text: String) throws(Malformed) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for (index, entry) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            guard !trimmed(entry).isEmpty else { continue }
            guard let equals = entry.firstIndex(of: "=") else {
                throw Malformed(description: "entry \(index + 1) is not of the form name=value")
            }
            let name = decoded(trimmed(entry[..<equals]))
            guard !name.isEmpty else { throw Malformed(description: "entry \(index + 1) has no name before its =") }
            pairs.append((name, decoded(trimmed(entry[entry.index(after: equals)...]))))
        }
        return pairs
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    /// Percent-encoding resolved; what is none stays as it is.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2,
                let value = Hex.value(String(decoding: digits, as: UTF8.self).lowercased().utf8)
            {
                bytes.append(UInt8(truncatingIfNeeded: value))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 9110, §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
