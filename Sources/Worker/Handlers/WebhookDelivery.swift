import FoundationEssentials
import JobQueue
import Logging
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

    /// With the usual base, waits of 5 s, 10 s, … up to 6 h: 9 to 17 hours in all.
    static func retries(_ work: WorkerConfiguration.Work) -> RetryPolicy {
        RetryPolicy(maxAttempts: 15, base: work.retryDelay, cap: .seconds(6 * 3600), jitter: .equal)
    }

    static func run(_ job: Job<Payload>, _ services: JobServices) async throws -> Delivered {
        let webhooks = services.configuration.webhooks
        guard !webhooks.secrets.isEmpty || webhooks.allowsUnsigned else {
            throw Self.withoutKey(since: job.context.createdAt, job.logger)
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

    /// Another worker may have a key, or this one get it: that costs no attempt, but does not go on for ever.
    private static func withoutKey(since createdAt: Date, _ logger: Logger) -> JobError {
        let message =
            "webhooks are signed, and the worker has no key: set KILN_WEBHOOK_SECRET, or KILN_WEBHOOK_UNSIGNED=true"
        guard Date.now.timeIntervalSince(createdAt) < patience / .seconds(1) else { return .permanent(message) }
        logger.warning("\(message)")
        return .snooze(until: Date.now.addingTimeInterval(60))
    }

    private static let patience = Duration.seconds(7 * 86_400)

    /// A receiver that is being set up or moved answers with anything, and 404 too. Only 410 says that nobody wants to hear
    /// of it any more.
    private static func judged(_ error: TransferError) -> any Error {
        guard let status = error.status else { return error }
        if status == 410 { return JobError.permanent("\(error)") }
        return JobError.retry(after: error.retryAfter, "\(error)")
    }
}
