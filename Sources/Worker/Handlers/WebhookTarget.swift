import JobQueue
import Transfer

/// Who wants to hear of a job, as its payload says it: `"webhook": "https://…"`, or with the states that matter,
/// `"webhook": {"url": "https://…", "events": ["completed", "failed"]}`.
///
/// It is the queue that makes a message of it, in the transaction in which the job starts or ends; here it is only checked.
struct WebhookTarget: Decodable, Sendable, Hashable {
    /// A state that a job comes to.
    enum Event: String, Decodable, Sendable, CaseIterable {
        case started, completed, failed, cancelled
    }

    var url: String
    /// `nil` for all.
    var events: [Event]?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case url, events
    }

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            url = text
        } else {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue))
            let values = try decoder.container(keyedBy: CodingKeys.self)
            url = try values.decode(String.self, forKey: .url)
            events = try values.decodeIfPresent([Event].self, forKey: .events)
        }
        do { _ = try HTTPURL(url) } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(error)", underlyingError: error))
        }
    }
}

extension WebhookTarget: SchemaDescribed {
    static var schema: JSONSchema {
        let url = JSONSchema(["type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"])
        return .oneOf([
            url,
            .object(
                ["url": url, "events": JSONSchema.array(of: .names(Event.allCases.map(\.rawValue))).orNull],
                required: ["url"]),
        ])
        .adding(["description": "Who is told of the job's states: all of them, or the events that are named."])
    }
    static var sample: WebhookTarget { WebhookTarget(url: "https://example.com") }

    private init(url: String) { self.url = url }
}

extension Decoder {
    /// A misspelt member must not be silently without effect.
    ///
    /// - Throws: `DecodingError` that names the first key that is not one of `known`.
    func refuseKeys(besides known: [String]) throws {
        let found = try container(keyedBy: AnyKey.self).allKeys.first { !known.contains($0.stringValue) }
        guard let found else { return }
        throw DecodingError.dataCorrupted(
            .init(
                codingPath: codingPath + [found],
                debugDescription: "unknown key \"\(found.stringValue)\"; there are \(known.joined(separator: ", "))"))
    }
}

private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
