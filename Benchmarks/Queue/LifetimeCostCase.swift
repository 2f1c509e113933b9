/// What a job leaves behind in its life: bytes of the write-ahead log and versions of rows for vacuum to remove.
enum LifetimeCostCase {
    static let title = "what one job costs the server from enqueue to history"
    private static let batches = 20
    private static let jobs = 20_000
    private static let singles = 2_000

    /// What the server has counted so far.
    private struct Counts {
        var wal: Double
        var dead: Double

        static func - (a: Counts, b: Counts) -> Counts { Counts(wal: a.wal - b.wal, dead: a.dead - b.dead) }
        static func + (a: Counts, b: Counts) -> Counts { Counts(wal: a.wal + b.wal, dead: a.dead + b.dead) }

        func each(of jobs: Int) -> Counts { Counts(wal: wal / Double(jobs), dead: dead / Double(jobs)) }
    }

    private static func counts(_ database: QueueDatabase) async throws -> Counts {
        let wal = try await database.number("pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
        let versions = "sum(n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
        // What a session has done is counted when it is gone.
        var dead = -1.0
        while true {
            let now = try await database.number("SELECT \(versions)")
            if now == dead { break }
            dead = now
            try await Task.sleep(for: .milliseconds(1_200))
        }
        return Counts(wal: wal, dead: dead)
    }

    private static func cost(
        _ database: QueueDatabase, _ script: String, transactions: Int, jobs: Int = jobs
    ) async throws -> Counts {
        let before = try await counts(database)
        _ = try await database.pgbench(script, clients: 1, transactions: transactions)
        return (try await counts(database) - before).each(of: jobs)
    }

    static func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        let database = try await bench.server.database()
        try await ThroughputCase.prepareFloor(database)
        // Vacuum writes to the log as well; its share depends on when it comes.
        try await database.run(
            """
            DO $$ DECLARE t regclass; BEGIN
                FOR t IN SELECT c.oid FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
                    WHERE c.relkind = 'r'
                LOOP
                    EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', t);
                END LOOP;
            END $$
            """)
        let batch = """
            SELECT count(*) FROM kiln.enqueue_many((SELECT jsonb_agg(jsonb_build_object('kind', 'noop', 'payload',
                jsonb_build_object('n', i))) FROM generate_series(1, \(jobs / batches)) i));
            """
        let claim = """
            SELECT count(*) FROM kiln.worker_claim(\(QueueDatabase.worker), '{noop}', NULL, 50, \(QueueDatabase.room));
            """
        let complete = """
            SELECT array_agg(id) AS ids, array_agg(lease_token) AS tokens
            FROM (SELECT id, lease_token FROM kiln.job WHERE state = 'running' LIMIT 50) r \\gset
            SELECT count(*) FROM kiln.worker_complete(\(QueueDatabase.worker), :ids, :tokens,
                array_fill('{"ok": true}'::jsonb, ARRAY[50]));
            """
        bench.note("cost: single calls")
        let single = try await cost(
            database, "SELECT kiln.enqueue('noop', '{\"n\": 1}');", transactions: singles, jobs: singles)
        try await database.clear()
        bench.note("cost: batches")
        let enqueued = try await cost(database, batch, transactions: batches)
        let claimed = try await cost(database, claim, transactions: jobs / 50)
        let completed = try await cost(database, complete, transactions: jobs / 50)
        let done = try await database.number("SELECT count(*) FROM kiln.job_history")
        guard done == Double(jobs) else { throw bench.failure("\(done) of \(jobs) jobs finished") }
        bench.note("cost: floor")
        let inserted = try await cost(
            database,
            "INSERT INTO bare_ready SELECT i, 0, now(), '{\"n\": 1}' FROM generate_series(1, \(jobs)) i;",
            transactions: 1)
        let moved = try await cost(database, ThroughputCase.floor, transactions: jobs / 50)
        try await database.drop()
        let whole = enqueued + claimed + completed, floor = inserted + moved
        func bytes(_ name: String, _ counts: Counts) -> QueueFigure { QueueFigure(name, .bytes, rounds: [counts.wal]) }
        return QueueReport.Case(
            name: "cost", title: title,
            figures: [
                QueueFigure(
                    "WAL of a whole life, batches", .bytes, rounds: [whole.wal],
                    against: ("bare insert and move", [floor.wal])),
                bytes("  enqueue_many of 1,000", enqueued), bytes("  claim of 50", claimed),
                bytes("  complete of 50", completed), bytes("  enqueue, single call instead", single),
                QueueFigure(
                    "dead versions of rows, whole life", .rows, rounds: [whole.dead],
                    against: ("bare insert and move", [floor.dead])),
            ],
            notes: ["Counted once, over \(jobs) jobs, with autovacuum off: these do not depend on the machine's mood."])
    }
}
