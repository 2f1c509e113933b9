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

    /// Jobs per second of ours.
    static func ours(_ database: QueueDatabase) async throws -> Double {
        try await database.clear()
        try await database.fill(jobs, series: 1)
        try await database.vacuum()
        let seconds = try await database.pgbench(script, transactions: transactions)
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
