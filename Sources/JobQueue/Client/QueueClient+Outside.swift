package import Foundation

/// Something outside of the database that an attempt has begun and not ended: an upload, say.
package struct OutsideEffect: Sendable, Hashable {
    /// What it is known by here.
    package var id: UUID
    /// Whose it is.
    package var job: UUID
    /// The token of that job's claim.
    package var token: Int64
    /// What it is in.
    package var place: String
    /// What it is called there.
    package var name: String
    /// What undoing it takes; nil as long as that is not known.
    package var reference: String?
    /// By the database's clock.
    package var begunAt: Date

    init(_ row: PostgresRow) throws {
        id = try row.decode("id")
        job = try row.decode("job")
        token = try row.decode("token")
        place = try row.decode("place")
        name = try row.decode("name")
        reference = try row.decode("reference")
        begunAt = try row.decode("begun_at")
    }
}

/// What became of the wish for a name outside.
package enum TakenName: Sendable, Hashable {
    case taken
    /// Another job has it.
    case refused(owner: UUID)
    /// The job is no longer run under that token.
    case fenced
}

/// Effects and names outside of the database, under the fence of the job that they belong to. Every call may happen twice,
/// and is repeated while the database is away.
extension QueueClient {
    /// Whether the job still runs under that token.
    package func holds(_ job: UUID, token: Int64) async throws -> Bool {
        try await asking("worker_holds($1, $2)", [job, token]).one()
    }

    /// Notes an effect that is about to begin.
    ///
    /// - Returns: its id; nil if the job no longer runs under that token.
    package func beginEffect(of job: UUID, token: Int64, place: String, name: String) async throws -> UUID? {
        try await asking("worker_effect_begin($1, $2, $3, $4)", [job, token, place, name]).one()
    }

    /// Notes what undoing an effect takes.
    package func noteEffect(_ id: UUID, reference: String) async throws {
        _ = try await asking("worker_effect_note($1, $2)", [id, reference])
    }

    /// Forgets an effect.
    package func endEffect(_ id: UUID) async throws {
        _ = try await asking("worker_effect_end($1)", [id])
    }

    /// Effects whose attempts are over, or have lost their jobs, but for those that were asked for less than `again` ago.
    package func abandonedEffects(limit: Int, again: Duration = .seconds(30)) async throws -> [OutsideEffect] {
        try await asking("worker_effects_abandoned($1, $2)", [limit, again]).map { try OutsideEffect($0) }
    }

    /// The effects under a name whose attempts hold their jobs.
    package func liveEffects(place: String, name: String) async throws -> [OutsideEffect] {
        try await asking("worker_effects_live($1, $2)", [place, name]).map { try OutsideEffect($0) }
    }

    /// Whether the job has taken that name, in this or an earlier attempt.
    package func owns(_ job: UUID, place: String, name: String) async throws -> Bool {
        try await asking("worker_owns_name($1, $2, $3)", [job, place, name]).one()
    }

    /// Takes a name for a job.
    ///
    /// - Parameter replacing: whether it may be that of another job that has succeeded. One that is unfinished keeps it.
    package func takeName(
        _ job: UUID, token: Int64, place: String, name: String, replacing: Bool
    ) async throws -> TakenName {
        let rows = try await asking("worker_take_name($1, $2, $3, $4, $5)", [job, token, place, name, replacing])
        guard let row = rows.first else { throw QueueError(.badRow, "worker_take_name has no answer") }
        switch try row.decode(0, as: String.self) {
        case "taken": return .taken
        case "fenced": return .fenced
        default: return .refused(owner: try row.decode(1))
        }
    }

    /// Forgets names of jobs that the queue has forgotten. Each name is looked at once a day, whoever asks.
    ///
    /// - Returns: how many were looked at.
    package func forgetNames(limit: Int) async throws -> Int {
        try await asking("worker_forget_names($1)", [limit]).one()
    }

    /// Enqueues the webhook that says that a job has started, if its payload asks for one: once for all its attempts.
    ///
    /// - Returns: whether the job still runs under that token.
    package func reportStarted(_ job: UUID, token: Int64) async throws -> Bool {
        try await asking("worker_webhook_started($1, $2)", [job, token]).one()
    }

    private func asking(_ call: String, _ parameters: [(any PostgresEncodable)?]) async throws -> PostgresRows {
        let statement = PostgresStatement("SELECT * FROM \(schema).\(call)", parameters)
        return try await pool.retrying { try await run(statement) }
    }
}
