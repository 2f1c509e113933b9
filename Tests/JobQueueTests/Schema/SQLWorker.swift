import Foundation
import Testing

@testable import JobQueue

/// A row that `worker_claim` returned.
struct ClaimedJob: Sendable {
    var id: UUID
    var token: Int64
    var kind: String
    var queue: String
    var priority: Int
    var attempt: Int
    var node: String?
    var crashes: Int
    var alone: Bool
    var held: Bool
    var checkpoint: String?
    var cancelReason: String?

    init(_ row: PostgresRow) throws {
        id = try row.decode("id")
        token = try row.decode("token")
        kind = try row.decode("kind")
        queue = try row.decode("queue")
        priority = try row.decode("priority")
        attempt = try row.decode("attempt")
        node = try row.decode("node")
        crashes = try row.decode("crashes")
        alone = try row.decode("alone")
        held = try row.decode("held")
        checkpoint = try row.decode("checkpoint")
        cancelReason = try row.decode("cancel_reason")
    }
}

/// A worker's part of the protocol, one call at a time.
struct SQLWorker: Sendable {
    let bench: QueueBench
    let id: UUID
    let queues: [String]

    func claim(
        _ max: Int = 100, from other: [String]? = nil, allowance: [Int]? = nil, cores: Double = 1000,
        memory: Int = 1 << 40, totalCores: Double = 1000, totalMemory: Int = 1 << 40, idle: Bool = false,
        patience: Duration = .seconds(10)
    ) async throws -> [ClaimedJob] {
        try await bench.run(
            "SELECT * FROM kiln.worker_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", id, other ?? queues, allowance,
            max, cores, memory, totalCores, totalMemory, idle, patience
        ).map { try ClaimedJob($0) }
    }

    /// Claims the one job that there is.
    func claimOne(idle: Bool = false, location: SourceLocation = #_sourceLocation) async throws -> ClaimedJob {
        let jobs = try await claim(idle: idle)
        #expect(jobs.count == 1, sourceLocation: location)
        return try #require(jobs.first, sourceLocation: location)
    }

    /// Whether each was accepted.
    @discardableResult
    func complete(_ jobs: [ClaimedJob], result: String = "null") async throws -> [Bool] {
        try await bench.values(
            "SELECT accepted FROM kiln.worker_complete($1, $2, $3, $4)", id, jobs.map(\.id), jobs.map(\.token),
            jobs.map { _ in PostgresJSON(result) })
    }

    /// The state afterwards, nil if it was not accepted.
    @discardableResult
    func fail(
        _ job: ClaimedJob, _ error: String = #"{"code": "broken", "message": "boom"}"#, log: String? = nil,
        delay: Duration = .zero, permanent: Bool = false
    ) async throws -> String? {
        try await bench.value(
            "SELECT CASE WHEN accepted THEN state END FROM kiln.worker_fail($1, $2, $3, $4, $5, $6, $7)", id, job.id,
            job.token, PostgresJSON(error), log.map { PostgresJSON($0) }, delay, permanent)
    }

    @discardableResult
    func release(_ jobs: [ClaimedJob]) async throws -> [Bool] {
        try await bench.values(
            "SELECT accepted FROM kiln.worker_release($1, $2, $3)", id, jobs.map(\.id), jobs.map(\.token))
    }

    func snooze(_ job: ClaimedJob, _ duration: Duration = .seconds(3600)) async throws -> Bool {
        try await bench.value(
            "SELECT kiln.worker_snooze($1, $2, $3, clock_timestamp() + $4)", id, job.id, job.token, duration)
    }

    @discardableResult
    func cancelled(_ job: ClaimedJob, reason: String? = nil) async throws -> Bool {
        try await bench.value("SELECT kiln.worker_cancelled($1, $2, $3, $4)", id, job.id, job.token, reason)
    }

    @discardableResult
    func start(_ jobs: [ClaimedJob], alone: Bool = false) async throws -> [UUID] {
        try await bench.values(
            "SELECT kiln.worker_start($1, $2, $3, $4)", id, jobs.map(\.id), jobs.map(\.token), alone)
    }

    /// `fields` are further ones of the progress, in JSON without braces.
    @discardableResult
    func progress(_ job: ClaimedJob, _ fields: String) async throws -> [UUID] {
        try await bench.values(
            "SELECT kiln.worker_progress($1, $2)", id,
            PostgresJSON(#"[{"id": "\#(job.id)", "token": \#(job.token), \#(fields)}]"#))
    }

    /// What it is asked to do, as `job signal reason`.
    @discardableResult
    func renew(_ lease: Duration = .seconds(600)) async throws -> [String] {
        try await bench.values("SELECT concat_ws(' ', job, signal, reason) FROM kiln.worker_renew($1, $2)", id, lease)
    }

    func sleep() async throws -> Bool { try await bench.value("SELECT asleep FROM kiln.worker_sleep($1)", id) }

    /// `accepted status result`.
    func beginStep(_ job: ClaimedJob, _ name: String) async throws -> String {
        try await bench.value(
            "SELECT concat_ws(' ', accepted, status, result) FROM kiln.worker_step_begin($1, $2, $3, $4)", id, job.id,
            job.token, name)
    }

    func finishStep(_ job: ClaimedJob, _ name: String, result: String? = nil, error: String? = nil) async throws -> Bool {
        try await bench.value(
            "SELECT kiln.worker_step_finish($1, $2, $3, $4, $5, NULL, $6)", id, job.id, job.token, name,
            result.map { PostgresJSON($0) }, error.map { PostgresJSON($0) })
    }

    func spawn(_ job: ClaimedJob, _ jobs: String) async throws -> [UUID] {
        try await bench.values(
            "SELECT kiln.worker_spawn($1, $2, $3, $4)", id, job.id, job.token, PostgresJSON(jobs))
    }

    func leave() async throws -> Int { try await bench.value("SELECT kiln.worker_leave($1)", id) }

    /// Its lease runs out; nobody has noticed yet.
    func expire() async throws {
        try await bench.run(
            "UPDATE kiln.worker SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1", id)
    }

    /// It is gone without a word, and its jobs are taken back.
    func die() async throws {
        try await expire()
        try await bench.maintain()
    }
}

/// Runs `body` as several sessions at once, each with a worker of its own.
func withWorkers(
    _ count: Int, _ bench: QueueBench, _ queues: [String],
    _ body: @escaping @Sendable (SQLWorker, _ index: Int) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<count {
            group.addTask {
                let session = try await bench.another()
                let worker = SQLWorker(bench: session, id: UUID(), queues: queues)
                try await session.run(
                    "SELECT kiln.worker_register($1, $2, 'host', 1, 'test', $3, '[]', 8, 1000000000, 8, '10 minutes')",
                    worker.id, "worker \(index)", queues)
                try await body(worker, index)
                await session.connection.close()
            }
        }
        try await group.waitForAll()
    }
}
