public import Foundation

/// Where a job stands, in a few words: what somebody who watches it is told.
public struct JobGlance: Sendable, Hashable, Codable, Identifiable {
    /// What it is known by.
    public var id: JobID
    /// What it is: the name that its handler is registered under.
    public var kind: String
    /// The queue it is in.
    public var queue: String
    /// Where it stands.
    public var state: JobState
    /// Attempts begun that count against `maxAttempts`.
    public var attempt: Int
    /// How many attempts there are in all.
    public var maxAttempts: Int
    /// How far it has come, 0 to 1, if its handler has told.
    public var fraction: Double?
    /// What it is doing, in a word of the handler's.
    public var phase: String?
    /// The same for people, in a sentence.
    public var message: String?
    /// Why it is in its state.
    public var reason: String?
    /// What went wrong in the last attempt that did not succeed.
    public var error: String?
    /// When it was enqueued.
    public var createdAt: Date
    /// When it succeeded, died or was cancelled; nil while it is unfinished.
    public var finishedAt: Date?
}

extension QueueClient {
    /// Jobs in a few words, by one statement; those that are not there are left out.
    ///
    /// - Throws: `permission` if one of them belongs to another role, and this one may not look at it.
    package func glances(at ids: [JobID]) async throws -> [JobGlance] {
        // The function stands in FROM, so that it is called once for each job.
        try await values(
            """
            SELECT jsonb_build_object('id', i.id, 'kind', j -> 'kind', 'queue', j -> 'queue', 'state', j -> 'state',
                'attempt', j -> 'attempt', 'max_attempts', j -> 'max_attempts', 'reason', j -> 'reason',
                'fraction', j #> '{progress,fraction}', 'phase', j #> '{progress,phase}',
                'message', j #> '{progress,message}', 'error', j #> '{errors,-1,error,message}',
                'created_at', j -> 'created_at', 'finished_at', j -> 'finished_at')
            FROM unnest($1::uuid[]) AS i (id), \(schema).job(i.id) AS j WHERE j IS NOT NULL
            """, [ids])
    }
}
