import FoundationEssentials
import JobQueue
import Logging
import PostgresTestSupport

/// The private server that everything is measured on.
struct QueueServer: Sendable {
    let cluster: PostgresCluster
    let pgbench: PgBench
    let version: String

    /// Durable as in production. The rest makes room, so that no checkpoint falls into a measurement.
    static let configuration = [
        "fsync = on", "synchronous_commit = on", "shared_buffers = 1GB", "max_wal_size = 16GB",
        "checkpoint_timeout = 1h", "maintenance_work_mem = 256MB",
    ]

    static func start() async throws -> QueueServer {
        let cluster = try await PostgresCluster.start(fsync: true, configuration: configuration)
        let pgbench = try PgBench(folder: cluster.binaries.folder)
        let version = try await cluster.makeDatabase().psql("\\echo :SERVER_VERSION_NAME")
        return QueueServer(
            cluster: cluster, pgbench: pgbench,
            version: "PostgreSQL \(String(version.filter { !$0.isNewline }))")
    }

    func remove() async { await cluster.remove() }

    /// A database with the queue's schema and with ``QueueDatabase/workers``.
    func database() async throws -> QueueDatabase {
        let made = try await cluster.makeDatabase(template: "kiln") { url in
            _ = try await Migrations(url, logger: QueueDatabase.quiet).migrate()
        }
        let database = QueueDatabase(url: made.url, name: made.name, server: self)
        try await database.run(QueueDatabase.registration)
        return database
    }
}

/// A database of the private server.
struct QueueDatabase: Sendable {
    static let quiet = Logger(label: "benchmarks") { _ in SwiftLogNoOpLogHandler() }
    let url: String
    let name: String
    let server: QueueServer

    /// Workers by the number of pgbench's client, as an SQL expression.
    static let pgbenchWorker = "('00000000-0000-7000-8000-00000000000' || :client_id::text)::uuid"
    static let worker = "'00000000-0000-7000-8000-000000000000'::uuid"
    /// Room for any number of jobs.
    static let room = "1000, 1000000000, 1000, 1000000000"

    fileprivate static let registration = """
        SELECT kiln.worker_register(('00000000-0000-7000-8000-00000000000' || i)::uuid, 'bench' || i, 'here', 1, '0',
            '{noop}', '[]', 1000, 1000000000, 1000, '1 day') FROM generate_series(0, 7) i
        """

    func connect() async throws -> PostgresConnection {
        try await PostgresConnection.connect(try PostgresSettings(url), logger: Self.quiet)
    }

    /// Runs one statement after another, each for itself.
    func run(_ statements: String...) async throws {
        let connection = try await connect()
        for statement in statements { try await connection.script(statement, timeout: .seconds(600)) }
        await connection.close()
    }

    func number(_ sql: String) async throws -> Double {
        let connection = try await connect()
        let rows = try await connection.query("SELECT (\(sql))::float8 AS n", timeout: .seconds(600))
        let value = try rows.first.map { try $0.decode("n", as: Double?.self) ?? 0 } ?? 0
        await connection.close()
        return value
    }

    /// Seconds that pgbench takes for the script.
    func pgbench(_ script: String, clients: Int = 2, transactions: Int) async throws -> Double {
        try await server.pgbench.run(script, on: url, clients: clients, transactions: transactions)
    }

    func drop() async throws {
        let postgres = QueueDatabase(url: server.cluster.url(database: "postgres"), name: "postgres", server: server)
        try await postgres.run("DROP DATABASE \(name.quotedIdentifier) WITH (FORCE)")
    }

    // MARK: Filling

    /// Puts jobs into the table as `enqueue_many` would, in one statement.
    ///
    /// - Parameters:
    ///   - series: a number of its own for each filling of a database, below 65,536: it orders the ids.
    ///   - key: an SQL expression of `i` for the concurrency key.
    func fill(
        _ count: Int, series: Int, queue: String = "noop", state: String = "ready", runAt: String = "clock_timestamp()",
        key: String = "NULL"
    ) async throws {
        let prefix = 0x0190_0000_0000 + series
        let hex = String(prefix, radix: 16)
        let id = "(lpad('\(hex)', 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid"
        try await run(
            """
            INSERT INTO kiln.job (id, kind, queue, state, run_at, payload, max_attempts, concurrency_key, created_at,
                created_by, changed_at, changed_by, reason)
            SELECT \(id), 'noop', '\(queue)', '\(state)', \(runAt), '{"n": 1}', 25, \(key), now(), session_user, now(),
                session_user, 'enqueued'
            FROM generate_series(1, \(count)) i;
            INSERT INTO kiln.lane_inbox SELECT '\(queue)', \(key), 0 FROM generate_series(1, least(\(count), 1000)) i
            WHERE \(key) IS NOT NULL GROUP BY 2;
            INSERT INTO kiln.counter_delta (queue, \(state)) VALUES ('\(queue)', \(count))
            """)
    }

    /// Empties the queue.
    func clear() async throws {
        try await run(
            """
            TRUNCATE kiln.job, kiln.job_history, kiln.lane, kiln.lane_inbox, kiln.lane_freed, kiln.counter, kiln.counter_delta,
                kiln.permit, kiln.queue
            """)
    }

    func vacuum() async throws { try await run("VACUUM ANALYZE") }
}
