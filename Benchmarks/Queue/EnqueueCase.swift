/// What it costs to enqueue, beside an INSERT into a table of the same columns with nothing but a primary key.
enum EnqueueCase {
    static let title = "enqueueing, two connections, every call a transaction that is on disk when it returns"

    private static let bare = """
        INSERT INTO bare_job (id, kind, queue, state, run_at, payload, max_attempts, created_at, created_by, changed_at,
            changed_by) SELECT gen_random_uuid(), 'noop', 'noop', 'ready', now(), '{"n": 1}', 25, now(), session_user,
            now(), session_user
        """
    private static let batch = 1_000

    private struct Way: Sendable {
        var name: String
        var ours: String
        var floor: String
        var floorName: String
        var transactions: Int
        var jobs = 1
        var goals: [QueueFigure.Goal] = []
    }

    private static let ways = [
        Way(
            name: "enqueue, single calls", ours: "SELECT kiln.enqueue('noop', '{\"n\": 1}');", floor: "\(bare);",
            floorName: "INSERT", transactions: 2_000),
        Way(
            name: "enqueue beside an app's insert",
            ours: "BEGIN;\nINSERT INTO app (v) VALUES ('x');\nSELECT kiln.enqueue('noop', '{\"n\": 1}');\nCOMMIT;",
            floor: "BEGIN;\nINSERT INTO app (v) VALUES ('x');\n\(bare);\nCOMMIT;", floorName: "two INSERTs",
            transactions: 2_000),
        Way(
            name: "enqueue_many of 1,000", ours: "SELECT count(*) FROM kiln.enqueue_many('[\(batchOfJobs)]');",
            floor: "\(bare) FROM generate_series(1, \(batch));", floorName: "INSERT of 1,000", transactions: 20,
            jobs: batch, goals: [QueueFigure.Goal(subject: .value, bound: .atLeast, limit: 40_000)]),
    ]

    /// As a program sends them: as text. A space after each colon, since pgbench takes `:1` for a variable.
    private static let batchOfJobs = (1...batch)
        .map { "{\"kind\": \"noop\", \"payload\": {\"n\": \($0)}}" }.joined(separator: ",")

    static func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        let database = try await bench.server.database()
        try await database.run(
            "CREATE TABLE app (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)",
            "CREATE TABLE bare_job (LIKE kiln.job INCLUDING DEFAULTS, PRIMARY KEY (id))")
        var figures: [QueueFigure] = []
        for way in ways {
            let rounds = try await bench.turns(
                way.name,
                [
                    { try await rate(way, of: way.ours, into: "kiln.job", database) },
                    { try await rate(way, of: way.floor, into: "bare_job", database) },
                ])
            figures.append(
                QueueFigure(
                    way.name, .jobsPerSecond, rounds: rounds[0], against: (way.floorName, rounds[1]), goals: way.goals))
        }
        try await database.drop()
        return QueueReport.Case(
            name: "enqueue", title: title, figures: figures,
            notes: ["A batch travels as text, as a program sends it; the floor's rows are made by generate_series."])
    }

    private static func rate(
        _ way: Way, of script: String, into table: String, _ database: QueueDatabase
    ) async throws -> Double {
        try await database.clear()
        try await database.run("TRUNCATE app, bare_job")
        let seconds = try await database.pgbench(script, transactions: way.transactions)
        let jobs = Double(2 * way.transactions * way.jobs)
        let made = try await database.number("SELECT count(*) FROM \(table)")
        guard made == jobs else {
            throw ChildProcess.Failure(description: "\(way.name) made \(made) rows in \(table) instead of \(jobs)")
        }
        return jobs / seconds
    }
}
