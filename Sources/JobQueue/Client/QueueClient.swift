public import Logging

/// Enqueues jobs, waits for them, and looks after the queue.
///
/// ```swift
/// let queue = try QueueClient("postgresql://app@db/app")
/// let id = try await queue.enqueue("media.transcode", payload, options: EnqueueOptions(priority: 10))
/// let result = try await queue.wait(for: id, as: RenderResult.self, timeout: .seconds(60))
/// await queue.close()
/// ```
/// Connections are opened when first needed; `wait` takes one more. While the server is away, calls try again to connect for
/// `acquireTimeout`; a call whose connection is lost under way throws `connectionLost`, as it may have taken effect.
/// Thread-safe.
///
/// Every call throws ``QueueError``: `badRequest` for arguments that the queue refuses, with a hint; `notFound` for a
/// job that is not there; `permission` for what the role may not do; `schema` where `kiln migrate` has yet to be run;
/// `cannotConnect`, `connectionLost`, `deadline` and the like for what befell the connection.
public final class QueueClient: Sendable {
    /// How the client uses the database.
    public struct Options: Sendable {
        /// The most connections at a time.
        public var connections: Int
        /// How long a call may wait for a connection, from the pool or the server.
        public var acquireTimeout: Duration
        /// How long a statement may take.
        public var statementTimeout: Duration
        /// Whether a pooler in transaction mode lies before the server: then nothing is prepared.
        public var isBehindTransactionPooler: Bool

        /// By default 4 connections, 10 s to get one and 30 s for a statement.
        public init(
            connections: Int = 4, acquireTimeout: Duration = .seconds(10), statementTimeout: Duration = .seconds(30),
            isBehindTransactionPooler: Bool = false
        ) {
            self.connections = connections
            self.acquireTimeout = acquireTimeout
            self.statementTimeout = statementTimeout
            self.isBehindTransactionPooler = isBehindTransactionPooler
        }
    }

    let pool: PostgresPool
    /// Tells of the ends of jobs and workflows.
    let ends: EndWatch
    let logger: Logger
    /// The schema's name as an identifier.
    let schema: String
    private let schemaName: String

    /// - Parameters:
    ///   - connectionString: as libpq takes it: a URI or keywords.
    ///   - schema: where `kiln migrate` has put the queue.
    /// - Throws: `badConnectionString`, `badRequest`.
    public init(
        _ connectionString: String, schema: String = "kiln", options: Options = Options(),
        logger: Logger = Logger(label: "kiln.client")
    ) throws(QueueError) {
        schemaName = try SchemaNames(schema: schema, rolePrefix: "kiln").schema
        self.schema = schemaName.quotedIdentifier
        self.logger = logger
        var settings = try PostgresSettings(connectionString)
        settings.statementTimeout = options.statementTimeout
        if options.isBehindTransactionPooler { settings.pooling = .transaction }
        pool = PostgresPool(
            settings, options: .init(size: options.connections, acquireTimeout: options.acquireTimeout),
            logger: logger)
        ends = EndWatch(pool: pool, schema: self.schema, logger: logger)
    }

    /// Refuses new calls, waits for those under way, and closes the connections. A task that waits for a job gets
    /// `closed`.
    public func close() async {
        await pool.close()
        await ends.close()
    }

    // MARK: Running statements

    func run(_ statement: PostgresStatement) async throws -> PostgresRows {
        try await explaining { try await pool.withConnection { try await $0.query(statement) } }
    }

    func run(_ sql: String, _ parameters: [(any PostgresEncodable)?] = []) async throws -> PostgresRows {
        try await run(PostgresStatement(sql, parameters))
    }

    /// Runs a statement on a libpq connection of the caller's, in whatever transaction is open there.
    func run(
        _ statement: PostgresStatement, on pointer: OpaquePointer, isolation: isolated (any Actor)?
    ) async throws -> PostgresRows {
        try await explaining {
            try await PostgresConnection.withExternalConnection(pointer, logger: logger) {
                try await $0.query(statement)
            }
        }
    }

    /// The one value of a call to a function.
    func value<T: PostgresDecodable & Sendable>(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], as type: T.Type = T.self
    ) async throws -> T {
        try await run(sql, parameters).one()
    }

    /// Reads rows of one column of JSON.
    func values<T: Decodable>(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], as type: T.Type = T.self
    ) async throws -> [T] {
        try await run(sql, parameters).map { try Self.decode(try $0.decode(0)) }
    }

    static func decode<T: Decodable>(_ json: PostgresJSON) throws -> T {
        do {
            return try json.decode(T.self, with: QueueJSON.rowDecoder())
        } catch {
            throw QueueError(
                .badRow, "the database's answer is not a \(T.self)", detail: "\(error)",
                hint: "the schema and this library may be of different versions: see kiln migrate --status",
                cause: error)
        }
    }

    /// Turns the server's errors into those that callers are promised.
    func explaining<R>(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> sending R) async throws
        -> sending R
    {
        do {
            return try await body()
        } catch let error as QueueError {
            throw explained(error)
        }
    }

    private func explained(_ error: QueueError) -> QueueError {
        var error = error
        // The functions' own messages begin with their name.
        error.statement = nil
        switch error.sqlState {
        case "3F000", "42P01", "42883", "42703":
            error.code = .schema
            error.message = "the schema \(schemaName.debugDescription) lacks what this library needs: \(error.message)"
            error.hint = "run kiln migrate, or name the schema it has been applied to"
        case "42501":
            error.hint =
                error.hint
                ?? "grant the role that connects kiln_producer (to enqueue), kiln_reader (to look) or kiln_worker (all)"
        case "22P05": error = .nul(in: "an argument")
        case "22P02", "22P03", "22021":
            error.hint = error.hint ?? "payload and metadata must be JSON (RFC 8259) in UTF-8"
        // The object is not in the state for it; a unique key is taken.
        case "55000", "23505": error.code = .badRequest
        default: break
        }
        return error
    }
}

extension PostgresRows {
    /// The first column of the one row.
    func one<T: PostgresDecodable>(as type: T.Type = T.self) throws(QueueError) -> T {
        guard let row = first else { throw QueueError(.badRow, "the answer has no row") }
        return try row.decode(0)
    }
}
