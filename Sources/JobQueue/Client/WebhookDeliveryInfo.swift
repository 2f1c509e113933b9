public import Foundation

/// A message about a job on its way to whoever wanted to hear of it, or after that: itself a job, of the kind
/// `webhook.deliver`.
public struct WebhookDeliveryInfo: Sendable, Hashable, Codable, Identifiable {
    /// Of the delivery, which can be looked at, cancelled and retried as any job.
    public var id: JobID
    /// What it tells: `started`, `completed`, `failed` or `cancelled`.
    public var event: String
    /// How far it is.
    public var state: JobState
    /// Attempts so far.
    public var attempt: Int
    /// How many there are in all.
    public var maxAttempts: Int
    /// When the state that it tells of came about.
    public var createdAt: Date
    /// When it is tried next, or was to be tried first.
    public var runAt: Date
    /// When it was delivered or given up; nil as long as it is under way.
    public var finishedAt: Date?
    /// What went wrong last; nil if nothing has.
    public var error: String?
}

extension QueueClient {
    /// The messages about a job, oldest first.
    ///
    /// - Throws: `permission` unless the role may read all jobs (kiln_reader, kiln_worker, the schema's owner).
    public func deliveries(about job: JobID) async throws -> [WebhookDeliveryInfo] {
        // The kind as a literal, and the member by this operator: as the index has them.
        try await values(
            """
            SELECT jsonb_build_object('id', id, 'event', metadata ->> 'event', 'state', state, 'attempt', attempt,
                'max_attempts', max_attempts, 'created_at', created_at, 'run_at', run_at, 'finished_at', finished_at,
                'error', errors -> -1 -> 'error' ->> 'message')
            FROM \(schema).jobs
            WHERE kind = 'webhook.deliver' AND metadata ->> 'job' = $1::uuid::text
            ORDER BY id LIMIT 1000
            """, [job])
    }
}
