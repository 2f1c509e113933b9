import JobQueue

/// Whether the database answers, which it is, and what the role may do in it.
struct DatabaseCheck: DoctorCheck {
    let name = "database"
    /// The oldest Postgres that the schema is written for.
    private static let oldest = 14

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        guard let url = context.databaseURL else { return [DoctorContext.noDatabase] }
        let place = (try? PostgresSettings(url))?.description ?? "the database"
        return try await context.withConnection(to: url) { connection in
            try await Self.server(connection, place, context.configuration)
                + Self.rights(connection, context.configuration)
        }
    }

    private static func server(
        _ connection: PostgresConnection, _ place: String, _ configuration: WorkerConfiguration
    ) async throws -> [DoctorFinding] {
        let row = try await connection.query(
            """
            SELECT current_setting('server_version') AS version, current_user::text AS role,
                current_setting('server_version_num')::bigint AS number, pg_is_in_recovery() AS is_standby,
                pg_backend_pid()::bigint AS process, current_setting('max_connections')::bigint AS most,
                (SELECT coalesce(sum(numbackends), 0)::bigint FROM pg_stat_database) AS open
            """
        ).only()
        let version: String = try row.decode("version")
        let major = try row.decode("number", as: Int.self) / 10_000
        let role: String = try row.decode("role")
        let (open, most): (Int, Int) = (try row.decode("open"), try row.decode("most"))
        var findings: [DoctorFinding] = []
        if major < oldest {
            findings.append(
                .wrong("Postgres \(version) is too old (\(place))", "use Postgres \(oldest) or newer"))
        } else {
            findings.append(.ok("Postgres \(version) as \(role) (\(place)), \(open) of \(most) connections in use"))
        }
        if try row.decode("is_standby", as: Bool.self) {
            findings.append(
                .wrong("this server is a standby, which takes no writes", "name the primary in DATABASE_URL"))
        }
        // A pooler invents the process that a session is greeted with.
        if try await connection.announcedProcess() != row.decode("process", as: Int.self) {
            findings.append(
                .note(
                    "a pooler lies before the database: in transaction mode, workers have to poll for jobs",
                    "give workers a direct or session-mode connection; for the API, set KILN_TRANSACTION_POOLER=true"))
        }
        // Two more renew and listen.
        let needed = configuration.database.connections + 2
        if most - open < needed {
            findings.append(
                .note(
                    "\(most - open) connections are free, and a worker takes up to \(needed)",
                    "raise max_connections, or lower KILN_DATABASE_CONNECTIONS"))
        }
        return findings
    }

    /// What the role may call, of the functions that are there.
    private static func rights(
        _ connection: PostgresConnection, _ configuration: WorkerConfiguration
    ) async throws -> [DoctorFinding] {
        let schema = configuration.database.schema
        let row = try await connection.query(
            """
            SELECT count(p.oid) AS functions, coalesce(bool_and(has_schema_privilege(n.oid, 'USAGE')), true) AS usage,
                count(p.oid) FILTER (WHERE p.proname LIKE 'worker\\_%'
                    AND NOT has_function_privilege(p.oid, 'EXECUTE')) AS no_work,
                count(p.oid) FILTER (WHERE p.proname IN ('enqueue', 'enqueue_many', 'enqueue_workflow')
                    AND NOT has_function_privilege(p.oid, 'EXECUTE')) AS no_enqueueing
            FROM pg_namespace n LEFT JOIN pg_proc p ON p.pronamespace = n.oid WHERE n.nspname = $1::text
            """, [schema]
        ).only()
        // Without a schema there is nothing to have rights to: that is the schema's check.
        guard try row.decode("functions", as: Int.self) > 0 else { return [] }
        let remedy = "GRANT kiln_worker TO the role, as the schema's owner; \"kiln migrate\" makes that role"
        guard try row.decode("usage", as: Bool.self) else {
            return [.wrong("the role may not use the schema \(schema)", remedy)]
        }
        let mayWork = try row.decode("no_work", as: Int.self) == 0
        let mayEnqueue = try row.decode("no_enqueueing", as: Int.self) == 0
        switch (mayWork, mayEnqueue) {
        case (true, true): return [.ok("the role may run jobs and enqueue them")]
        case (false, true):
            return configuration.worker.role == .api
                ? [.ok("the role may enqueue jobs, and not run any")]
                : [.wrong("the role may enqueue jobs, but not run any", remedy)]
        default: return [.wrong("the role may neither run jobs nor enqueue them all", remedy)]
        }
    }
}
