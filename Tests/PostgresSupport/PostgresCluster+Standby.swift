import Foundation
import JobQueue
import Logging

extension PostgresCluster {
    /// A server that follows this one by streaming, and answers queries.
    package func makeStandby() async throws -> PostgresCluster {
        let standby = try PostgresCluster(binaries: binaries)
        try await standby.blocking { [self] in
            try standby.makeFolder()
            try Command.run(
                binaries.path("pg_basebackup"),
                [
                    "-h", folder.path, "-p", "\(port)", "-U", "postgres", "-D", standby.data, "-R", "-X", "stream",
                    "--checkpoint=fast", "--no-sync",
                ])
        }
        try await standby.configure([
            "port = \(standby.port)", "unix_socket_directories = '\(standby.folder.path)'",
        ])
        try await standby.start()
        return standby
    }

    /// Makes a standby the primary; returns when it takes writes.
    package func promote() async throws {
        try await blocking { [self] in try control(["promote", "-w", "-t", "60"]) }
    }

    /// A connection string that names this server and others, and wants one that takes writes.
    package func failoverURL(database: String, with others: PostgresCluster...) -> String {
        let hosts = ([self] + others).map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return "postgresql://postgres:\(Self.password)@\(hosts)/\(database)?target_session_attrs=read-write"
            + "&sslmode=disable"
    }
}
