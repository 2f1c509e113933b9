/// Claiming and completing at the level of SQL: two connections, 50 jobs at a time, nothing done in between.
enum ThroughputCase {
    static let title = "claim and complete, two connections, 50 at a time"
    static let transactions = 400
    static let batch = 50
    static let jobs = 2 * transactions * batch

    /// A claim and its completion, as two transactions, as a worker does it.
    static let script = """
        SELECT count(*) AS n, coalesce(array_agg(id), '{}') AS ids, coalesce(array_agg(token), '{}') AS tokens
        FROM kiln.worker_claim(\(QueueDatabase.pgbenchWorker), '{noop}', NULL, \(batch), \(QueueDatabase.room)) \\gset
        SELECT count(*) FROM kiln.worker_complete(\(QueueDatabase.pgbenchWorker), :ids, :tokens,
            array_fill('{"ok": true}'::jsonb, ARRAY[:n::integer]));
        """

    /// Claims by index and moves to a history in one statement.
    static let floor = """
        WITH claimed AS MATERIALIZED (
            SELECT id FROM bare_ready WHERE state = 0 ORDER BY run_at, id LIMIT \(batch) FOR UPDATE SKIP LOCKED
        ), gone AS (DELETE FROM bare_ready b USING claimed c WHERE b.id = c.id RETURNING b.*)
        INSERT INTO bare_done SELECT * FROM gone;
        """

    static func prepareFloor(_ database: QueueDatabase) async throws {
        try await database.run(
            "CREATE TABLE bare_ready (id bigint PRIMARY KEY, state integer, run_at timestamptz, payload jsonb)",
            "CREATE INDEX ON bare_ready (run_at, id) WHERE state = 0", "CREATE TABLE bare_done (LIKE bare_ready)")
    }

    /// Jobs per second of ours; `configure` runs before each round.
    static func ours(_ database: QueueDatabase, key: String = "NULL", settings: String? = nil) async throws -> Double {
        try await database.clear()
        if let settings { try await database.run("SELECT kiln.set_queue('noop', \(settings))") }
        try await database.fill(jobs, series: 1, key: key)
        try await database.vacuum()
        let seconds = try await database.pgbench(script, transactions: transactions)
        // Not all claims are full where keys or limits divide the jobs.
        return try await database.number("SELECT count(*) FROM kiln.job_history") / seconds
    }

    static func bare(_ database: QueueDatabase) async throws -> Double {
        try await database.run("TRUNCATE bare_ready, bare_done")
        try await database.run(
            "INSERT INTO bare_ready SELECT i, 0, now(), '{\"n\": 1}' FROM generate_series(1, \(jobs)) i")
        try await database.vacuum()
        let seconds = try await database.pgbench(floor, transactions: transactions)
        return try await database.number("SELECT count(*) FROM bare_done") / seconds
    }

    static func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        let database = try await bench.server.database()
        try await prepareFloor(database)
        let rounds = try await bench.turns(
            "throughput", [{ try await ours(database) }, { try await bare(database) }])
        try await database.drop()
        return QueueReport.Case(
            name: "throughput", title: title,
            figures: [
                QueueFigure(
                    "worker_claim, worker_complete", .jobsPerSecond, rounds: rounds[0],
                    against: ("claim and move in one statement", rounds[1]))
            ], notes: [])
    }
}

/// The same with limits on, beside the same without.
enum LimitsCase {
    static let title = "claim and complete with limits that never bind, beside none: what checking them costs"

    private static let ways: [(name: String, key: String, settings: String?)] = [
        ("concurrency", "NULL", "concurrency => 10000"),
        ("rate limit", "NULL", "rate_limit => 100000000, rate_interval => '1 second'"),
        ("40 keys that take turns", "'tenant' || i % 40", nil),
        ("40 keys, 1,000 at once of each", "'tenant' || i % 40", "key_concurrency => 1000"),
        (
            "all of them", "'tenant' || i % 40",
            "concurrency => 10000, key_concurrency => 1000, rate_limit => 100000000, rate_interval => '1 second'"
        ),
    ]

    static func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        let database = try await bench.server.database()
        let none: @Sendable () async throws -> Double = { try await ThroughputCase.ours(database) }
        let limited = ways.map { way -> @Sendable () async throws -> Double in
            { try await ThroughputCase.ours(database, key: way.key, settings: way.settings) }
        }
        let rounds = try await bench.turns("limits", [none] + limited)
        try await database.drop()
        return QueueReport.Case(
            name: "limits", title: title,
            figures: zip(ways, rounds.dropFirst()).map { way, figures in
                QueueFigure(
                    way.name, .jobsPerSecond, rounds: figures, against: ("none", rounds[0]),
                    goals: [.ratio(.atLeast, 0.75)])
            }, notes: [])
    }
}
