import Foundation

/// A handler, with the types of its payload and result taken away.
final class RegisteredKind: Sendable {
    let name: String
    let options: KindOptions
    /// Returns the result's JSON, or nil for none.
    let handler: @Sendable (JobContext) async throws -> Data?
    let metrics: KindMetrics

    init(name: String, options: KindOptions, handler: @escaping @Sendable (JobContext) async throws -> Data?) {
        self.name = name
        self.options = options
        self.handler = handler
        metrics = KindMetrics(kind: name)
    }

    var queue: String { options.queue ?? name }
}

/// A payload that is not what its handler takes: no attempt can succeed.
struct PayloadError: Error, CustomStringConvertible {
    let kind: String
    /// Where in the payload: `source.tracks[2].id`.
    let path: String
    let reason: String

    var description: String {
        let place = path.isEmpty ? "" : ", key \(path)"
        return "the payload is not what \(kind.debugDescription) takes\(place): \(reason)"
    }

    init(kind: String, _ error: any Error) {
        self.kind = kind
        guard let error = error as? DecodingError else {
            path = ""
            reason = "\(error)"
            return
        }
        let context: DecodingError.Context
        var missing: (any CodingKey)?
        switch error {
        case .keyNotFound(let key, let found):
            (context, missing, reason) = (found, key, "it is missing")
        case .valueNotFound(let type, let found):
            (context, reason) = (found, "null where a \(type) is expected")
        case .typeMismatch(let type, let found):
            (context, reason) = (found, "not a \(type): \(found.debugDescription)")
        case .dataCorrupted(let found):
            (context, reason) = (found, found.debugDescription)
        @unknown default:
            path = ""
            reason = "\(error)"
            return
        }
        path = (context.codingPath + [missing].compactMap { $0 }).reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}

extension Error {
    /// The error as it is kept with an attempt: `{code, message, type}`.
    func attemptJSON(code: String) -> PostgresJSON {
        attemptErrorJSON(code: code, message: "\(self)", type: "\(type(of: self))")
    }
}

/// Messages are cut at 4,000 characters.
func attemptErrorJSON(code: String, message: String, type: String? = nil) -> PostgresJSON {
    var text = JSONText()
    text.add("code", code)
    text.add("message", message.count > 4000 ? message.prefix(4000) + "…" : message)
    text.add("type", type)
    return text.json
}
