/// The identity of a trace: 16 bytes that are not all 0. https://www.w3.org/TR/trace-context/#trace-id
public struct TraceID: Sendable, Hashable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    init?(high: UInt64, low: UInt64) {
        guard high != 0 || low != 0 else { return nil }
        self.high = high
        self.low = low
    }

    /// Reads 32 hexadecimal digits in small letters; `nil` for all else, and for zeros only.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8
        guard digits.count == 32, let high = Hex.value(digits.prefix(16)), let low = Hex.value(digits.suffix(16)) else {
            return nil
        }
        self.init(high: high, low: low)
    }

    /// A new one.
    public static func random(using generator: inout some RandomNumberGenerator) -> TraceID {
        while true {
            if let made = TraceID(high: generator.next(), low: generator.next()) { return made }
        }
    }

    /// 32 hexadecimal digits in small letters.
    public var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    func append(to bytes: inout [UInt8]) {
        Hex.append(high, to: &bytes)
        Hex.append(low, to: &bytes)
    }
}

/// The identity of a span in its trace: 8 bytes that are not all 0. https://www.w3.org/TR/trace-context/#parent-id
public struct SpanID: Sendable, Hashable, CustomStringConvertible {
    let value: UInt64

    init?(_ value: UInt64) {
        guard value != 0 else { return nil }
        self.value = value
    }

    /// Reads 16 hexadecimal digits in small letters; `nil` for all else, and for zeros only.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 16, let value = Hex.value(text.utf8) else { return nil }
        self.init(value)
    }

    /// A new one.
    public static func random(using generator: inout some RandomNumberGenerator) -> SpanID {
        while true {
            if let made = SpanID(generator.next() as UInt64) { return made }
        }
    }

    /// 16 hexadecimal digits in small letters.
    public var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    func append(to bytes: inout [UInt8]) { Hex.append(value, to: &bytes) }
}
