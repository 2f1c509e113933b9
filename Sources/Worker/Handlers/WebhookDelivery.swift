import FoundationEssentials
import JobQueue
import Transfer

/// Brings a message about a job to whoever wanted to hear of it. The queue makes these jobs itself, in the transaction in
/// which a job with a `webhook` in its payload starts or ends.
enum WebhookDelivery: JobKind {
    static let name = "webhook.deliver"
    static let summary = "Post a message about a job to its webhook, signed. Made by the queue itself."
    static let weight = KindWeight(cores: 0.05, memory: 4 << 20)

    struct Payload: Decodable, Sendable {
        var url: String
        /// "job.completed"
        var event: String
        /// What is sent: `{"type", "timestamp", "data"}`.
        var body: JSONValue
    }

    /// What became of it.
    struct Delivered: Codable, Sendable {
        /// Of the answer: 200...299.
        var status: Int
        /// From connecting to the answer's end.
        var seconds: Double
    }

    static var schema: JSONSchema {
        JSONSchema.object(
            [
                "url": JSONSchema.string.adding(["pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"]), "event": .string,
                "body": JSONSchema(["type": "object"]),
            ], required: ["url", "event", "body"]
        ).adding(["$schema": "https://json-schema.org/draft/2020-12/schema"])
    }

    /// With the usual base, waits of 5 s, 10 s, … up to 6 h: a receiver may be away for a day.
    static func retries(_ work: WorkerConfiguration.Work) -> RetryPolicy {
        RetryPolicy(maxAttempts: 15, base: work.retryDelay, cap: .seconds(6 * 3600), jitter: .equal)
    }

    static func run(_ job: Job<Payload>, _ services: JobServices) async throws -> Delivered {
        let webhooks = services.configuration.webhooks
        guard !webhooks.secrets.isEmpty || webhooks.allowsUnsigned else {
            throw JobError.retry(
                "webhooks are signed, and the worker has no key: set KILN_WEBHOOK_SECRET, or KILN_WEBHOOK_UNSIGNED=true"
            )
        }
        let start = ContinuousClock.now
        // With its keys in order: the same bytes whenever it is sent again.
        let body = try QueueJSON.encoder().encode(job.payload.body)
        do {
            let reply = try await services.post(
                Array(body), to: try HTTPURL(job.payload.url), id: job.id.uuidString.lowercased(),
                patience: .seconds(20), answerLimit: 1 << 20)
            return Delivered(status: reply.status, seconds: (ContinuousClock.now - start) / .seconds(1))
        } catch let error as TransferError {
            throw Self.judged(error)
        }
    }

    /// A receiver that is being set up or moved answers with anything, and 404 too. Only 410 says that nobody wants to hear
    /// of it any more.
    private static func judged(_ error: TransferError) -> any Error {
        guard let status = error.status else { return error }
        if status == 410 { return JobError.permanent("\(error)") }
        return JobError.retry(after: error.retryAfter, "\(error)")
    }
}
