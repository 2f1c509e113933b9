import FoundationEssentials
import JobQueue
import MediaKit

/// JSON as the command writes and reads it; times are ISO 8601.
enum JSONText {
    /// For people and `diff`: a key per line, in order.
    static func pretty(_ value: some Encodable) throws -> String { try text(value, isPretty: true) }

    /// On one line.
    static func line(_ value: some Encodable) throws -> String { try text(value, isPretty: false) }

    private static func text(_ value: some Encodable, isPretty: Bool) throws -> String {
        let encoder = QueueJSON.encoder()
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw MediaError(.internal, "a result cannot be written as JSON: \(error)")
        }
    }

    /// Reads a value.
    ///
    /// - Parameter name: what it is read from, for the message.
    /// - Throws: ``MediaError`` with code `bad_request`, whose message names the key.
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], name: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            if let problem = JSONSyntax.problem(in: bytes) {
                throw MediaError(.badRequest, "\(name) is not valid JSON: \(problem)")
            }
            throw MediaError(.badRequest, "\(name): \(describe(error))")
        } catch let error as MediaError {
            throw error
        } catch {
            throw MediaError(.badRequest, "\(name) is not valid JSON: \(error)")
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            return "the key \(path(context.codingPath + [key])) is missing"
        case .typeMismatch(let type, let context):
            return "\(path(context.codingPath)) must be \(noun(for: type))"
        case .valueNotFound(let type, let context):
            return "\(path(context.codingPath)) must be \(noun(for: type)), not null"
        case .dataCorrupted(let context):
            return "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            return "\(error)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        guard !keys.isEmpty else { return "the request" }
        return keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }

    private static func noun(for type: any Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type: "a whole number"
        case is Double.Type: "a number"
        case is [String: Any].Type: "an object"
        case is [Any].Type: "a list"
        default: "\(type)"
        }
    }
}
