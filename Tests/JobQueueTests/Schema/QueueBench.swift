import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

/// A session with a database that has the queue's schema and nothing else; by default its owner's.
///
/// SQL is written with the schema's usual name, `kiln.`, whatever it is called in this database.
struct QueueBench: Sendable {
    let database: TestDatabase
    let schema: String
    let connection: PostgresConnection

    /// A database of one's own, with the schema and the roles `kiln_producer`, `kiln_worker` and `kiln_reader`.
    init(schema: String = "kiln") async throws {
        let template = schema == "kiln" ? "queue" : "queue in another schema"
        database = try await PostgresCluster.shared.makeDatabase(template: template) { url in
            try await Migrations(url, schema: schema, list: EmbeddedMigrations.all, logger: quiet).migrate()
            let roles = String(decoding: PackageResources.roles_sql, as: UTF8.self)
                .replacing("{{role_prefix_literal}}", with: "'kiln_'")
                .replacing("{{schema_literal}}", with: schema.quotedLiteral)
            let connection = try await PostgresConnection.connect(PostgresSettings(url), logger: quiet)
            try await connection.script(roles)
            await connection.close()
        }
        self.schema = schema
        connection = try await PostgresConnection.connect(Self.patient(database.url), logger: quiet)
    }

    private init(_ other: QueueBench, as user: String) async throws {
        database = other.database
        schema = other.schema
        connection = try await PostgresConnection.connect(
            Self.patient(database.cluster.url(database: database.name, user: user)), logger: quiet)
    }

    /// The largest statements take long where many tests share two cores.
    private static func patient(_ url: String) throws -> PostgresSettings {
        var settings = try PostgresSettings(url)
        settings.statementTimeout = .seconds(180)
        return settings
    }

    /// Another session with the same database.
    func another(as user: String = "postgres") async throws -> QueueBench { try await QueueBench(self, as: user) }

    /// A session of a new login that has been granted `role`, if any.
    func login(_ role: String? = nil) async throws -> QueueBench {
        let name = "login_" + UUID().uuidString.lowercased().filter { $0 != "-" }
        try await run("CREATE ROLE \(name) LOGIN")
        if let role { try await run("GRANT kiln_\(role) TO \(name)") }
        return try await another(as: name)
    }

    // MARK: SQL

    func named(_ sql: String) -> String { sql.replacing("kiln.", with: schema.quotedIdentifier + ".") }

    @discardableResult
    func run(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        try await connection.query(named(sql), parameters)
    }

    /// The only value of a query.
    func value<T: PostgresDecodable>(
        _ sql: String, _ parameters: (any PostgresEncodable)?..., as type: T.Type = T.self
    ) async throws -> T {
        try await connection.value(named(sql), parameters)
    }

    /// A column of values.
    func values<T: PostgresDecodable>(
        _ sql: String, _ parameters: (any PostgresEncodable)?..., as type: T.Type = T.self
    ) async throws -> [T] {
        try await connection.query(named(sql), parameters).map { try $0.decode(0) }
    }

    /// The error that a statement must raise.
    func error(
        _ sql: String, _ parameters: (any PostgresEncodable)?..., location: SourceLocation = #_sourceLocation
    ) async -> QueueError? {
        await queueError({ _ = try await connection.query(named(sql), parameters) }, location)
    }

    /// Runs `body` in a transaction of this session.
    func transaction<R: Sendable>(
        _ isolation: PostgresIsolation = .readCommitted, _ body: @Sendable () async throws -> R
    ) async throws -> R {
        try await connection.withTransaction(isolation: isolation) { _ in try await body() }
    }

    /// Returns once this session's server process waits for a lock; `observer` asks.
    func waitUntilBlocked(seenBy observer: QueueBench, process: Int) async throws {
        while try await observer.value("SELECT cardinality(pg_blocking_pids($1)) = 0", process) {}
    }

    func process() async throws -> Int { try await value("SELECT pg_backend_pid()") }

    // MARK: Jobs

    /// - Parameters:
    ///   - arguments: further ones in SQL, such as `priority => 3`; `$2` is the first parameter.
    @discardableResult
    func enqueue(_ kind: String, _ arguments: String = "", _ parameters: (any PostgresEncodable)?...) async throws
        -> UUID
    {
        let list = arguments.isEmpty ? "" : ", " + arguments
        return try await connection.value(named("SELECT kiln.enqueue($1\(list))"), [kind] + parameters)
    }

    /// `count` jobs alike, of the keys of `enqueue` in SQL: `jsonb_build_object('kind', 'a', 'priority', i)`.
    @discardableResult
    func enqueue(count: Int, _ object: String) async throws -> [UUID] {
        try await values(
            "SELECT kiln.enqueue_many((SELECT jsonb_agg(\(object) ORDER BY i) FROM generate_series(1, \(count)) i))")
    }

    func state(_ id: UUID) async throws -> String? { try await value("SELECT kiln.job($1) ->> 'state'", id) }

    /// A part of what `job` returns, as text: `errors,-1,error,code`.
    func job(_ id: UUID, _ path: String) async throws -> String? {
        try await value("SELECT kiln.job($1) #>> $2::text[]", id, "{\(path)}")
    }

    /// The workflow's id, and those of its jobs by node.
    func workflow(_ nodes: String, name: String = "test") async throws -> (id: UUID, jobs: [String: UUID]) {
        let rows = try await run(
            """
            SELECT (w ->> 'workflow')::uuid AS id, node, job::uuid FROM
            (SELECT kiln.enqueue_workflow(jsonb_build_object('name', $1::text, 'nodes', $2::jsonb)) AS w OFFSET 0) x,
            jsonb_each_text(w -> 'jobs') AS j(node, job)
            """, name, nodes)
        var jobs: [String: UUID] = [:]
        for row in rows { jobs[try row.decode("node")] = try row.decode("job", as: UUID.self) }
        return (try #require(rows.first).decode("id"), jobs)
    }

    @discardableResult
    func maintain(_ part: String? = "often") async throws -> String {
        try await value("SELECT kiln.maintain($1)::text", part)
    }

    /// Lets the time of every job that waits for one come.
    func letTimePass() async throws {
        try await run(
            "UPDATE kiln.job SET run_at = clock_timestamp() - interval '1 s' WHERE state IN ('scheduled', 'failed')")
    }

    // MARK: Workers

    func worker(
        _ queues: String..., name: String = "worker", lease: Duration = .seconds(600), kinds: String = "[]"
    ) async throws -> SQLWorker {
        let worker = SQLWorker(bench: self, id: UUID(), queues: queues)
        try await run(
            "SELECT kiln.worker_register($1, $2, 'host', 1, 'test', $3, $4, 8, 1000000000, 8, $5)", worker.id, name,
            queues, PostgresJSON(kinds), lease)
        return worker
    }

    // MARK: Expectations

    /// Each queue's permits and what runs add up to its limits, no queue without a limit has any, and lanes count what
    /// runs of their keys.
    func expectExactLimits(_ location: SourceLocation = #_sourceLocation) async throws {
        let wrong = try await values(
            """
            SELECT concat_ws(' ', q.name, q.concurrency, q.rate_limit, 'run', running, 'free', free, 'starts', starts)
            FROM kiln.queue q CROSS JOIN LATERAL (
                SELECT (SELECT count(*) FROM kiln.job WHERE queue = q.name AND state = 'running') AS running,
                    (SELECT coalesce(sum(n), 0) FROM kiln.permit WHERE queue = q.name AND NOT rated) AS free,
                    (SELECT coalesce(sum(n), 0) FROM kiln.permit WHERE queue = q.name AND rated) AS starts) x
            WHERE free <> coalesce(concurrency - running, 0) OR starts <> coalesce(rate_limit, 0)
            UNION ALL
            SELECT concat_ws(' ', l.queue, l.key, l.running, 'freed', freed, 'run', real)
            FROM kiln.lane l JOIN kiln.queue q ON q.name = l.queue AND q.key_concurrency IS NOT NULL CROSS JOIN LATERAL (
                SELECT (SELECT coalesce(sum(u.n), 0) FROM kiln.lane_freed f, unnest(f.keys, f.counts) u(key, n)
                        WHERE f.queue = l.queue AND u.key = l.key) AS freed,
                    (SELECT count(*) FROM kiln.job WHERE queue = l.queue AND concurrency_key = l.key
                        AND state = 'running') AS real) x
            WHERE l.running - freed <> real
            """, as: String.self)
        #expect(wrong == [], sourceLocation: location)
    }

    /// The counters say what counting the jobs says, before and after they are rolled up.
    func expectHonestCounters(_ location: SourceLocation = #_sourceLocation) async throws {
        let states = ["blocked", "scheduled", "ready", "running", "failed", "succeeded", "cancelled", "dead"]
        let counted = states.map { "count(*) FILTER (WHERE state = '\($0)')" }.joined(separator: ", ")
        for _ in 0..<2 {
            let wrong = try await values(
                """
                SELECT concat(q.queue, ': ', row(q.\(states.joined(separator: ", q."))), ' is ', real)
                FROM kiln.queues q LEFT JOIN (SELECT queue, row(\(counted))::text AS real FROM kiln.jobs GROUP BY queue) r
                    ON r.queue = q.queue
                WHERE row(q.\(states.joined(separator: ", q.")))::text <> coalesce(real, '(0,0,0,0,0,0,0,0)')
                """, as: String.self)
            #expect(wrong == [], sourceLocation: location)
            try await maintain()
        }
        let missing = try await values(
            "SELECT DISTINCT queue FROM kiln.jobs WHERE queue NOT IN (SELECT queue FROM kiln.queues)", as: String.self)
        #expect(missing == [], sourceLocation: location)
    }
}
