package import Logging
import Synchronization

/// Finds out whether a pooler in transaction mode (pgbouncer, pgcat, Supavisor, RDS Proxy) lies before the server.
///
/// Behind one, LISTEN, session locks and prepared statements do not work, and do not say so.
package enum PoolerDetection {
    /// What lies before the server.
    package enum Finding: Sendable, Equatable {
        /// The session is the server's own.
        case direct
        /// There is a pooler, and each connection kept a server session of its own while it was watched.
        case sessionPooler
        /// Two connections that are open at once were given the same server session.
        case transactionPooler
    }

    /// Looks, with two connections that it opens and closes.
    ///
    /// A pooler invents the process number that a session is greeted with. In transaction mode, a connection
    /// that waits between two transactions has its server session used by the next one.
    package static func probe(_ settings: PostgresSettings, logger: Logger) async throws -> Finding {
        var settings = settings
        settings.pooling = .transaction
        let first = try await PostgresConnection.connect(settings, logger: logger)
        let process = try await serverProcess(of: first)
        if try await first.announcedProcess() == process {
            await first.close()
            return .direct
        }
        let second = try await PostgresConnection.connect(settings, logger: logger)
        let (other, again) = try await second.withTransaction { second in
            (try await serverProcess(of: second), try await serverProcess(of: first))
        }
        await first.close()
        await second.close()
        guard other == process || again != process else { return .sessionPooler }
        warn(logger, "two connections share one server session")
        return .transactionPooler
    }

    /// The process that runs a transaction of the connection.
    static func serverProcess(of connection: PostgresConnection) async throws -> Int {
        let rows = try await connection.query("SELECT pg_backend_pid() AS process")
        guard let row = rows.first else { throw QueueError(.internal, "pg_backend_pid() gave no row") }
        return try row.decode("process")
    }

    private static let hasWarned = Atomic<Bool>(false)

    /// Says once in a process that there is such a pooler.
    static func warn(_ logger: Logger, _ sign: String) {
        guard !hasWarned.exchange(true, ordering: .relaxed) else { return }
        logger.warning(
            """
            the database seems to be behind a pooler in transaction mode (\(sign)): statements are no longer \
            prepared, and wake-ups come by polling. Give workers a direct or session-mode connection.
            """)
    }
}
