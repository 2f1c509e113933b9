public import Foundation

/// JSON as the bytes that the database has, or that it is to have: no number loses a digit.
public struct RawJSON: Sendable, Hashable, CustomStringConvertible {
    /// UTF-8.
    public var bytes: Data

    /// Nothing is checked: the database refuses what is not JSON.
    public init(_ bytes: Data) { self.bytes = bytes }
    /// Nothing is checked, likewise.
    public init(_ text: String) { bytes = Data(text.utf8) }

    /// The JSON as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
    public var description: String { text }

    /// Reads a value.
    ///
    /// - Throws: the decoder's error.
    public func decode<T: Decodable>(_ type: T.Type = T.self, with decoder: JSONDecoder = JSONDecoder()) throws -> T {
        try decoder.decode(type, from: bytes)
    }

    var isNull: Bool { bytes == Data("null".utf8) }
}

/// Within other JSON it is the value that it stands for.
extension RawJSON: Codable {
    public init(from decoder: any Decoder) throws {
        bytes = try JSONEncoder().encode(JSONValue(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try decode(JSONValue.self).encode(to: encoder)
    }
}

extension RawJSON {
    /// - Parameter what: what it is, for the message.
    /// - Throws: `badRequest` if the value cannot be JSON, or has a NUL in it.
    init(encoding value: some Encodable, of what: @autoclosure () -> String) throws(QueueError) {
        if let raw = value as? RawJSON {
            self = raw
        } else {
            do {
                self.init(try JSONEncoder().encode(value))
            } catch {
                throw QueueError(
                    .badRequest, "\(what()) cannot be written as JSON: \(Self.reason(error))",
                    hint: "numbers must be finite, and every part Encodable", cause: error)
            }
        }
        guard !hasNUL else { throw .nul(in: what()) }
    }

    private static func reason(_ error: any Error) -> String {
        guard case EncodingError.invalidValue(_, let context) = error else { return "\(error)" }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }

    /// Whether there is a NUL character, raw or as the escape `\u0000`, which jsonb takes neither of.
    private var hasNUL: Bool {
        bytes.withUnsafeBytes { bytes in
            var index = 0
            while index < bytes.count {
                switch bytes[index] {
                case 0: return true
                case UInt8(ascii: "\\"):
                    // An escape of an escape is none.
                    if index + 5 < bytes.count, bytes[index + 1] == UInt8(ascii: "u"),
                        bytes[(index + 2)...(index + 5)].allSatisfy({ $0 == UInt8(ascii: "0") })
                    {
                        return true
                    }
                    index += 2
                default: index += 1
                }
            }
            return false
        }
    }
}

extension QueueError {
    static func nul(in what: String) -> QueueError {
        QueueError(
            .badRequest, "\(what) contains a NUL character (\\u0000), which Postgres cannot store",
            hint: "remove it, or encode the value, for example as base64")
    }
}
