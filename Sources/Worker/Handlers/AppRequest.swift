import FoundationEssentials
import JobQueue
import Transfer

/// A signed request to the app's own URL, whose JSON answer is the job's result: so the app's own work runs from the same
/// queue, with the same retries, schedules and limits.
enum AppRequest: JobKind {
    static let name = "http.request"
    static let summary = "Post JSON to a URL of the app's, signed; its JSON answer is the result."
    static let weight = KindWeight(cores: 0.05, memory: 8 << 20)

    struct Payload: Decodable, Sendable {
        var url: String
        /// What is sent. Default `{}`.
        var body: JSONValue
        /// Sent along.
        var headers: [String: String]
        /// Seconds from connecting to the last byte of the answer.
        var timeout: Double
        var webhook: WebhookTarget?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case url, body, headers, timeout, webhook
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue) + PayloadEnvelope.keys)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            url = try values.decode(String.self, forKey: .url)
            body = try values.decodeIfPresent(JSONValue.self, forKey: .body) ?? .object([:])
            headers = try values.decodeIfPresent([String: String].self, forKey: .headers) ?? [:]
            timeout = try values.decodeIfPresent(Double.self, forKey: .timeout) ?? 30
            guard (0.1...3600).contains(timeout) else {
                throw DecodingError.dataCorruptedError(
                    forKey: CodingKeys.timeout, in: values, debugDescription: "it must lie between 0.1 and 3600 seconds"
                )
            }
            webhook = try values.decodeIfPresent(WebhookTarget.self, forKey: .webhook)
        }
    }

    static var schema: JSONSchema {
        let text = JSONSchema.string
        return JSONSchema.object(
            [
                "url": text.adding(["pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"]),
                "body": JSONSchema.any.adding(["description": "What is sent; {} if it is left out."]),
                "headers": JSONSchema(["type": ["object", "null"], "additionalProperties": text.json]),
                "timeout": JSONSchema.number.orNull.adding([
                    "minimum": 0.1, "maximum": 3600,
                    "description": "Seconds from connecting to the last byte of the answer; 30 if it is left out.",
                ]),
            ].merging(PayloadEnvelope.properties) { $1 }, required: ["url"]
        ).adding(["$schema": "https://json-schema.org/draft/2020-12/schema"])
    }

    /// Bytes of an answer at most: it becomes a row.
    private static let answerLimit = 1 << 20

    static func run(_ job: Job<Payload>, _ services: JobServices) async throws -> JSONValue {
        let payload = job.payload
        guard !services.configuration.webhooks.secrets.isEmpty else {
            throw JobError.retry("requests to the app are signed, and the worker has no key: set KILN_WEBHOOK_SECRET")
        }
        let body = try QueueJSON.encoder().encode(payload.body)
        var headers = HTTPHeaders(
            payload.headers.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) })
        let id = job.id.uuidString.lowercased()
        headers["kiln-job"] = id
        headers["kiln-attempt"] = "\(job.attempt)"
        headers["Accept"] = "application/json"
        TracePropagation.inject(into: &headers)
        let reply: HTTPReply
        do {
            reply = try await services.post(
                Array(body), to: try HTTPURL(payload.url), id: id, headers: headers,
                patience: .seconds(payload.timeout), answerLimit: answerLimit)
        } catch let error as TransferError {
            throw Self.judged(error)
        }
        guard !reply.body.isEmpty else { return .null }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(reply.body))
        } catch {
            // The work is done: to ask again would do it again.
            throw JobError.permanent("\(reply.url): the answer is not JSON")
        }
    }

    /// By the status alone, where there is one: what it means elsewhere, at a store, say, it need not mean at the app.
    private static func judged(_ error: TransferError) -> any Error {
        guard let status = error.status else { return error }
        guard FailureVerdict.kind(ofStatus: status) == .transient else { return JobError.permanent("\(error)") }
        return JobError.retry(after: error.retryAfter, "\(error)")
    }
}
