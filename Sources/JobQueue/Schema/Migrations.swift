public import Logging

/// Brings the schema in a database up to date.
///
/// ```swift
/// try await Migrations("postgresql://…").migrate()
/// ```
/// Any number may run at a time: they take turns by an advisory lock, which belongs to a session; so the
/// connection must be straight to the server, or through a pooler in session mode. Each migration is a
/// transaction. What was applied is kept in the table `migration` of the schema, with the checksum of its file.
public struct Migrations: Sendable {
    private let settings: PostgresSettings
    private let script: MigrationScript
    private let roles: String
    private let logger: Logger
    /// How long to wait for another migrator to finish.
    public var lockTimeout: Duration = .seconds(60)
    /// How long one migration may take.
    public var timeout: Duration = .seconds(1800)

    /// - Parameters:
    ///   - connectionString: as libpq takes it.
    ///   - schema: 1 to 63 bytes.
    /// - Throws: `badConnectionString`, `badRequest`.
    public init(
        _ connectionString: String, schema: String = "kiln", logger: Logger = Logger(label: "kiln.migrate")
    ) throws(QueueError) {
        try self.init(
            connectionString, schema: schema, list: EmbeddedMigrations.all, roles: EmbeddedMigrations.roles,
            logger: logger)
    }

    /// - Parameters:
    ///   - list: this library's or a test's own, numbered from 1 without gaps.
    ///   - roles: the script that makes and grants the roles.
    package init(
        _ connectionString: String, schema: String = "kiln", list: [Migration], roles: String = "", logger: Logger
    ) throws(QueueError) {
        settings = try PostgresSettings(connectionString)
        script = MigrationScript(names: try SchemaNames(schema: schema, rolePrefix: "kiln"), list: list)
        self.roles = roles
        self.logger = logger
    }

    /// What the database has, and what is missing. Changes nothing.
    ///
    /// - Throws: `schema` if an applied migration is not the one of this library.
    public func status() async throws -> MigrationStatus {
        try await withConnection { connection in try await status(on: connection) }
    }

    /// What `migrate` would apply, in order. Changes nothing.
    public func plan() async throws -> [Migration] {
        let status = try await status()
        try refuseNewer(status)
        return status.pending
    }

    /// The SQL of the migrations after `version`, for those who apply it by other means; psql, for example. It
    /// takes the same lock and keeps the same record. Each migration refuses to be applied twice or out of turn.
    ///
    /// - Throws: `badRequest` for a prefix of roles that cannot be one.
    public func sql(after version: Int = 0, roles: MigrationRoles = .none) throws(QueueError) -> String {
        guard case .create(let prefix) = roles else { return script.whole(after: version, roles: nil) }
        return try script(prefix: prefix).whole(after: version, roles: self.roles)
    }

    /// Checks that this library works on the schema as it is.
    ///
    /// - Throws: `schema`, saying whether to migrate or to use a newer library.
    public func verify() async throws {
        let status = try await status()
        try refuseNewer(status)
        guard let first = status.pending.first else { return }
        throw QueueError(
            .schema, "the schema \(name) lacks migration \(first.version) (\(first.name))", hint: "run kiln migrate")
    }

    /// Applies what is missing.
    ///
    /// - Parameter roles: whether the roles are made and granted their rights as well, also where nothing is missing.
    /// - Returns: what was applied by this call: nothing, if another was faster.
    /// - Throws: `schema` as `status`, or if the database is newer by more than one migration; the server's error,
    ///   naming the migration and the line, in which case that migration has changed nothing.
    @discardableResult
    public func migrate(roles: MigrationRoles = .none) async throws -> [Migration] {
        // Before anything is done: a prefix that cannot be one is refused here.
        let granting: MigrationScript? =
            if case .create(let prefix) = roles { try script(prefix: prefix) } else { nil }
        return try await withConnection { connection in
            try await lock(connection)
            let status = try await status(on: connection)
            try refuseNewer(status)
            for migration in status.pending { try await apply(migration, on: connection) }
            if let granting { try await grant(granting, on: connection) }
            return status.pending
        }
    }

    private func script(prefix: String) throws(QueueError) -> MigrationScript {
        MigrationScript(
            names: try SchemaNames(schema: script.names.schema, rolePrefix: prefix), list: script.list)
    }

    private func grant(_ script: MigrationScript, on connection: PostgresConnection) async throws {
        do {
            try await run(
                script.rolesTransaction(roles), of: "the roles", counting: script.rolesPrelude, on: connection)
        } catch var error as QueueError where error.code == .permission {
            error.hint =
                error.hint ?? """
                    run it as a role with CREATEROLE, have somebody create \(script.names.rolePrefix)_producer, _worker and \
                    _reader before, or leave the roles out (--no-roles)
                    """

            throw error
        }
    }

    private var name: String { script.names.schema.debugDescription }

    private func withConnection<R: Sendable>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        var settings = settings
        // Nothing is prepared: tables change under way.
        settings.pooling = .transaction
        let connection = try await PostgresConnection.connect(settings, logger: logger)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Takes the lock, which the end of the session gives back.
    private func lock(_ connection: PostgresConnection) async throws {
        // Behind a pooler, the lock would stay with a session that goes to somebody else.
        if try await connection.announcedProcess() != PoolerDetection.serverProcess(of: connection),
            try await PoolerDetection.probe(settings, logger: logger) == .transactionPooler
        {
            throw QueueError(
                .schema, "the database (\(settings)) is behind a pooler in transaction mode, where no lock holds",
                hint: "migrate over a connection straight to the server, or in session mode")
        }
        do {
            _ = try await connection.query("SELECT pg_advisory_lock(\(script.lockKey))", timeout: lockTimeout)
        } catch let error as QueueError where error.code == .deadline {
            throw QueueError(
                .conflict, "another migration of \(name) has been under way for \(lockTimeout)",
                hint: "wait for it, or find it: SELECT pid FROM pg_locks WHERE locktype = 'advisory'", cause: error)
        }
    }

    private func apply(_ migration: Migration, on connection: PostgresConnection) async throws {
        let begin = ContinuousClock.now
        try await run(
            script.transaction(of: migration), of: "migration \(migration.version) (\(migration.name))",
            counting: script.prelude(of: migration), on: connection)
        logger.info(
            "applied migration \(migration.version) (\(migration.name)) to \(name) in \(ContinuousClock.now - begin)")
    }

    /// Runs a script; its errors count lines from after `prelude`.
    private func run(
        _ sql: String, of what: String, counting prelude: String, on connection: PostgresConnection
    ) async throws {
        do {
            try await connection.script(sql, timeout: timeout)
        } catch var error as QueueError {
            var place = what
            if let position = error.position, position > prelude.unicodeScalars.count {
                let before = sql.unicodeScalars.prefix(position - 1).dropFirst(prelude.unicodeScalars.count)
                place += ", line \(before.count { $0 == "\n" } + 1)"
            }
            error.message = "\(place): \(error.message)"
            throw error
        }
    }

    private func status(on connection: PostgresConnection) async throws -> MigrationStatus {
        let exists = try await connection.query("SELECT to_regclass($1::text) IS NOT NULL", [script.table])
        guard try exists.first?.decode(0, as: Bool.self) == true else {
            return MigrationStatus(applied: [], pending: script.list, unknown: [])
        }
        let rows = try await connection.query(
            "SELECT version, name, checksum FROM \(script.table) ORDER BY version")
        let applied = try rows.map { row in
            AppliedMigration(
                version: try row.decode("version"), name: try row.decode("name"), checksum: try row.decode("checksum"))
        }
        let known = Dictionary(uniqueKeysWithValues: script.list.map { ($0.version, $0) })
        for one in applied {
            guard let mine = known[one.version], mine.checksum != one.checksum else { continue }
            throw QueueError(
                .schema,
                "migration \(one.version) (\(one.name)) was applied to \(name) with other contents than this library's",
                detail: "its checksum is \(one.checksum), the library's \(mine.checksum)",
                hint: """
                    a migration that was released never changes: use the library that applied it, or, if the file was \
                    edited on purpose and the schema fits it, UPDATE \(script.table) SET checksum = \
                    '\(mine.checksum)' WHERE version = \(one.version)
                    """)
        }
        let versions = Set(applied.map(\.version))
        return MigrationStatus(
            applied: applied, pending: script.list.filter { !versions.contains($0.version) },
            unknown: applied.filter { known[$0.version] == nil })
    }

    private func refuseNewer(_ status: MigrationStatus) throws {
        guard let newest = status.unknown.last else { return }
        let library = script.list.last?.version ?? 0
        if status.unknown.count == 1, status.pending.isEmpty {
            logger.notice(
                "the schema \(name) is one migration ahead of this library (\(newest.version), \(newest.name)); update soon"
            )
            return
        }
        throw QueueError(
            .schema,
            "the schema \(name) is at migration \(newest.version) (\(newest.name)), this library at \(library)",
            hint: "a library works with a schema newer by one migration at most: use a newer one")
    }
}
