import Foundation

/// Writes JSON objects around values that are JSON already, which no encoder can embed.
struct JSONText: Sendable {
    private(set) var bytes = Data()
    private var isEmpty = true

    /// Begins an object.
    init() { bytes.append(UInt8(ascii: "{")) }

    /// Adds a member; nil leaves it out.
    mutating func add(_ key: String, _ value: PostgresJSON?) {
        guard let value else { return }
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        bytes.append(Self.string(key))
        bytes.append(UInt8(ascii: ":"))
        bytes.append(value.bytes)
    }

    mutating func add(_ key: String, _ value: String?) {
        if let value { add(key, PostgresJSON(Self.string(value))) }
    }

    mutating func add(_ key: String, _ value: Int64?) {
        if let value { add(key, PostgresJSON(value.description)) }
    }

    mutating func add(_ key: String, _ value: Double?) {
        if let value, value.isFinite { add(key, PostgresJSON(value.description)) }
    }

    /// The object, closed.
    var json: PostgresJSON { PostgresJSON(bytes + [UInt8(ascii: "}")]) }

    static func array(_ items: [PostgresJSON]) -> PostgresJSON {
        var bytes = Data([UInt8(ascii: "[")])
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(item.bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        return PostgresJSON(bytes)
    }

    static func strings(_ items: [String]) -> PostgresJSON { array(items.map { PostgresJSON(string($0)) }) }

    /// The text in quotes. NUL, which Postgres cannot store, becomes U+FFFD.
    static func string(_ text: String) -> Data {
        var bytes = Data()
        bytes.reserveCapacity(text.utf8.count + 2)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0: bytes.append(contentsOf: "\u{FFFD}".utf8)
            case 1..<0x20:
                let digits = String(byte, radix: 16)
                bytes.append(contentsOf: "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return bytes
    }
}
