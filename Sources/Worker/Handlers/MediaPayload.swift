import FoundationEssentials
import JobQueue
import MediaKit

/// The payload of a media job: the library's own request, with who wants to hear of the job, and whatever its producer
/// wants to find again.
///
/// ```json
/// {"input": "s3://media/in/a.mov", "video": {"crf": 21}, "webhook": "https://app.example.com/hooks", "metadata": {"id": 7}}
/// ```
/// What `kiln transcode --print-request` prints is one. `output` may be left out.
struct MediaPayload<Operation: MediaOperation>: Decodable, Sendable {
    /// The request; without an output of its own, that is empty.
    var operation: Operation
    var webhook: WebhookTarget?

    private enum Key: String, CodingKey {
        case operation, webhook, output
    }

    init(from decoder: any Decoder) throws {
        var members = try [String: JSONValue](from: decoder)
        let values = try decoder.container(keyedBy: Key.self)
        webhook = try values.decodeIfPresent(WebhookTarget.self, forKey: .webhook)
        for key in PayloadEnvelope.keys { members[key] = nil }
        if let name = members.removeValue(forKey: Key.operation.rawValue), name != .string(Operation.name) {
            throw DecodingError.dataCorruptedError(
                forKey: Key.operation, in: values, debugDescription: "a job of this kind is \"\(Operation.name)\"")
        }
        if Operation.self is any WritingOperation.Type, (members[Key.output.rawValue] ?? .null) == .null {
            members[Key.output.rawValue] = .string("")
        }
        // The request itself takes no other keys than its own.
        operation = try JSONDecoder().decode(Operation.self, from: JSONEncoder().encode(members))
    }

    /// The request's schema, with what a payload has besides.
    static var schema: JSONSchema {
        get throws {
            let request = try SchemaRecorder.schema(of: Operation.self)
            var (properties, required) = request.members
            properties[Key.operation.rawValue] = ["const": .string(Operation.name)]
            properties.merge(PayloadEnvelope.properties.mapValues(\.json)) { $1 }
            if let output = properties[Key.output.rawValue], case .object(let keywords) = output {
                properties[Key.output.rawValue] = JSONSchema(keywords).orNull.json
            }
            required.removeAll { $0 == Key.output.rawValue }
            return request.adding([
                "$schema": "https://json-schema.org/draft/2020-12/schema", "properties": .object(properties),
                "required": .array(required.map { .string($0) }),
            ])
        }
    }
}
