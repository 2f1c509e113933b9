import FoundationEssentials
import JobQueue

/// What the payload of every kind may hold besides what the kind itself is told.
enum PayloadEnvelope {
    /// The keys, which a kind's own must not be called like.
    static let keys = ["webhook", "metadata", "traceparent", "tracestate"]

    /// Their schemas, by key.
    static var properties: [String: JSONSchema] {
        [
            "webhook": WebhookTarget.schema.orNull,
            "metadata": JSONSchema.any.adding(["description": "Anything; it is handed on with the job's webhooks."]),
            "traceparent": JSONSchema.string.orNull.adding([
                "description": "The trace that the job is part of, as W3C Trace Context has it."
            ]),
            "tracestate": JSONSchema.string.orNull,
        ]
    }
}
