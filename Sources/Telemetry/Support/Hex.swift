/// Numbers in hexadecimal, in small letters only.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Appends the lowest `digits` digits of `value`.
    static func append(_ value: UInt64, digits count: Int = 16, to bytes: inout [UInt8]) {
        for place in stride(from: 4 * (count - 1), through: 0, by: -4) {
            bytes.append(digits[Int(value >> UInt64(place) & 15)])
        }
    }

    /// Reads at most 16 digits; `nil` if there are none, more, or others.
    static func value(_ text: some Collection<UInt8>) -> UInt64? {
        guard (1...16).contains(text.count) else { return nil }
        var value: UInt64 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}
