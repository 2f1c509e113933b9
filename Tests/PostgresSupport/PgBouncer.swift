import Foundation

/// A pgbouncer in transaction mode before a cluster, which it does not outlive.
package struct PgBouncer: Sendable {
    /// The program; nil if there is none.
    package static let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    package let port: Int
    private let cluster: PostgresCluster

    /// Starts it with `poolSize` server sessions for each database.
    package static func start(before cluster: PostgresCluster, poolSize: Int = 4) async throws -> PgBouncer {
        guard let program else { throw PostgresClusterError("no pgbouncer found") }
        let port = try PostgresCluster.freePort()
        let base = cluster.folder.appending(path: "pgbouncer-\(port)").path
        let settings = """
            [databases]
            * = host=\(cluster.folder.path) port=\(cluster.port) user=postgres
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = \(poolSize)
            max_client_conn = 200
            logfile = \(base).log
            pidfile = \(base).pid
            """
        try await cluster.blocking {
            try Command.run("/bin/sh", ["-c", "cat > \"$0\"", base + ".ini"], input: settings + "\n")
            // It goes to the background. The cluster's watchdog ends what left its number here.
            try Command.run(program, ["-d", base + ".ini"])
            try waitUntilItListens(on: port)
        }
        return PgBouncer(port: port, cluster: cluster)
    }

    private static func waitUntilItListens(on port: Int) throws {
        let limit = ContinuousClock.now + .seconds(30)
        while true {
            do {
                close(try LoopbackSocket.connect(port: port))
                return
            } catch {
                guard ContinuousClock.now < limit else { throw error }
                usleep(10_000)
            }
        }
    }

    /// A connection string for a database, through it.
    package func url(database: String) -> String { cluster.url(database: database, port: port) }
}
