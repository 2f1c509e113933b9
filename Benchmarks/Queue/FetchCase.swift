import FoundationEssentials
import JobQueue

/// The time of one claim, in tables that ought not to make a difference. Every claim is rolled back.
enum FetchCase {
    static let title = "one claim of 1 and of 50 jobs, each rolled back, beside the same from 1,000 ready jobs"

    /// Circumstances under which jobs are claimed.
    private struct Scene: Sendable {
        var name: String
        /// What it is held against, measured in turn with it.
        var beside = Beside.thousand
        /// What a claim must bring of what it asks for.
        var isEmpty = false
        var queue = "noop"
        var goals: [QueueFigure.Goal] = []
        /// Fills the database; may return a connection to keep open.
        var prepare: @Sendable (QueueDatabase, Int) async throws -> PostgresConnection?

        enum Beside: String { case thousand = "1,000 ready", nothing = "no jobs at all" }
    }

    private static let thousand = 1_000

    private static let scenes = [
        Scene(name: "100,000 ready") { database, million in
            try await database.fill(million / 10, series: 1)
            return nil
        },
        Scene(name: "1,000,000 ready", goals: [.ratio(.atMost, 1.2)]) { database, million in
            try await database.fill(million, series: 1)
            return nil
        },
        Scene(name: "1,000 ready, 1,000,000 finished") { database, million in
            try await database.fill(thousand, series: 1)
            try await database.run(
                """
                INSERT INTO kiln.job_history (id, outcome, finished_at, kind, queue, priority, run_at, payload, attempt,
                    max_attempts, cores, memory, crashes, created_at, created_by, changed_by)
                SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'succeeded', clock_timestamp(),
                    'noop', 'noop', 0, now(), '{"n": 1}', 1, 25, 1, 0, 0, now(), session_user, session_user
                FROM generate_series(1, \(million)) i
                """)
            return nil
        },
        Scene(name: "1,000 ready, 1,000,000 scheduled") { database, million in
            try await database.fill(thousand, series: 1)
            try await database.fill(
                million, series: 2, state: "scheduled", runAt: "now() + interval '1 year' + i * interval '1 second'")
            return nil
        },
        Scene(name: "1,000 ready, 1,000,000 of a blocked key") { database, million in
            try await database.run("SELECT kiln.set_queue('noop', key_concurrency => 1)")
            try await database.fill(million, series: 1, key: "'stuck'")
            try await claimOne(database)
            try await database.fill(thousand, series: 2)
            return nil
        },
        Scene(name: "1,000 ready, after 40,000 with a long transaction open") { database, _ in
            try await database.fill(ThroughputCase.jobs, series: 1)
            try await database.vacuum()
            let old = try await database.connect()
            try await old.script("BEGIN ISOLATION LEVEL REPEATABLE READ")
            _ = try await old.query("SELECT count(*) FROM kiln.worker")
            _ = try await database.pgbench(ThroughputCase.script, transactions: ThroughputCase.transactions)
            try await database.fill(thousand, series: 2)
            return old
        },
        Scene(name: "an empty queue beside 1,000,000 of another", beside: .nothing, isEmpty: true, queue: "idle") {
            database, million in
            try await database.fill(million, series: 1)
            return nil
        },
        Scene(name: "1,000 ready, concurrency limit") { database, _ in
            try await database.run("SELECT kiln.set_queue('noop', concurrency => 10000)")
            try await database.fill(thousand, series: 1)
            return nil
        },
        Scene(name: "1,000 ready, rate limit") { database, _ in
            try await database.run(
                "SELECT kiln.set_queue('noop', rate_limit => 1000000, rate_interval => '1 second')")
            try await database.fill(thousand, series: 1)
            return nil
        },
        Scene(name: "1,000 ready of 40 keys that take turns") { database, _ in
            try await database.fill(thousand, series: 1, key: "'tenant' || i % 40")
            try await claimOne(database)
            return nil
        },
    ]

    /// A claim that stays: it moves what producers appended into lanes.
    private static func claimOne(_ database: QueueDatabase) async throws {
        try await database.run(
            "SELECT count(*) FROM kiln.worker_claim(\(QueueDatabase.worker), '{noop}', NULL, 1, \(QueueDatabase.room))")
    }

    private static func statement(_ queue: String, _ count: Int) -> PostgresStatement {
        PostgresStatement(
            "SELECT * FROM kiln.worker_claim(\(QueueDatabase.worker), '{\(queue)}', NULL, \(count), \(QueueDatabase.room))",
            name: "claim\(count)")
    }

    private static func bareStatement(_ count: Int) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE bare_ready SET state = 1 WHERE id IN (SELECT id FROM bare_ready WHERE state = 0 ORDER BY run_at, id
                LIMIT \(count) FOR UPDATE SKIP LOCKED) RETURNING *
            """, name: "bare\(count)")
    }

    /// One contestant: a connection and what it runs.
    private struct Claimer {
        var connection: PostgresConnection
        var statement: PostgresStatement
        var expected: Int

        func sample(_ calls: Int) async throws -> CallTimes {
            try await connection.script("VACUUM kiln.job", timeout: .seconds(600))
            var times = CallTimes()
            // The first ones fill caches of the connection.
            for call in -5..<calls {
                try await connection.script("BEGIN")
                let started = ContinuousClock.now
                let count = try await connection.query(statement).count
                if call >= 0 { times.record(ContinuousClock.now - started) }
                try await connection.script("ROLLBACK")
                guard count == expected else {
                    throw ChildProcess.Failure(description: "a claim gave \(count) jobs instead of \(expected)")
                }
            }
            return times
        }
    }

    private static func compare(
        _ ours: Claimer, with other: Claimer, named name: String, reference: String, goals: [QueueFigure.Goal],
        rounds: Int
    ) async throws -> QueueFigure {
        var times = CallTimes(), others = CallTimes()
        var ratios: [Double] = []
        for _ in 0..<rounds {
            let a = try await other.sample(100), b = try await ours.sample(100)
            times.add(b)
            others.add(a)
            ratios.append(b.milliseconds(50) / a.milliseconds(50))
        }
        return QueueFigure(
            name, times: times,
            against: QueueFigure.Reference(name: reference, value: others.milliseconds(50), ratio: ratios.median),
            goals: goals)
    }

    static func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        let base = try await bench.server.database(), empty = try await bench.server.database()
        try await base.fill(thousand, series: 1)
        try await ThroughputCase.prepareFloor(base)
        try await base.run("INSERT INTO bare_ready SELECT i, 0, now(), '{\"n\": 1}' FROM generate_series(1, 1000) i")
        for database in [base, empty] { try await database.vacuum() }
        let baseConnection = try await base.connect(), emptyConnection = try await empty.connect()
        var figures: [QueueFigure] = []
        for count in [1, 50] {
            bench.note("fetch: 1,000 ready, \(count)")
            figures.append(
                try await compare(
                    Claimer(connection: baseConnection, statement: statement("noop", count), expected: count),
                    with: Claimer(connection: baseConnection, statement: bareStatement(count), expected: count),
                    named: "claim \(count): 1,000 ready", reference: "UPDATE of a bare table", goals: [],
                    rounds: bench.rounds))
        }
        for scene in scenes {
            bench.note("fetch: \(scene.name)")
            let database = try await bench.server.database()
            let kept = try await scene.prepare(database, bench.million)
            try await database.vacuum()
            let connection = try await database.connect()
            for count in scene.isEmpty ? [50] : [1, 50] {
                let other = scene.beside == .thousand ? baseConnection : emptyConnection
                figures.append(
                    try await compare(
                        Claimer(
                            connection: connection, statement: statement(scene.queue, count),
                            expected: scene.isEmpty ? 0 : count),
                        with: Claimer(
                            connection: other, statement: statement("noop", count),
                            expected: scene.isEmpty ? 0 : count),
                        named: "claim \(count): \(scene.name)", reference: scene.beside.rawValue, goals: scene.goals,
                        rounds: bench.rounds))
            }
            await kept?.close()
            await connection.close()
            try await database.drop()
        }
        for connection in [baseConnection, emptyConnection] { await connection.close() }
        for database in [base, empty] { try await database.drop() }
        return QueueReport.Case(
            name: "fetch", title: title, figures: figures,
            notes: bench.million == 1_000_000 ? [] : ["A million was \(bench.million) rows in this run."])
    }
}
