package import Foundation
import JobQueue
import Locking
import Logging
import Synchronization

/// A Postgres server of one's own, on a socket in a temporary folder and on a port of the loopback.
///
/// ```swift
/// let database = try await PostgresCluster.shared.makeDatabase()
/// let settings = try PostgresSettings(database.url)
/// ```
/// It goes away with the process that started it, also if that crashes. Thread-safe; calls that start or stop the
/// server come one after another.
package final class PostgresCluster: Sendable {
    package let binaries: PostgresBinaries
    package let folder: URL
    package let port: Int
    package static let password = "kiln-test-secret"

    private let calls = DispatchQueue(label: "kiln.cluster")
    private let templates = Locked<[String: Task<String, any Error>]>([:])
    private let nextDatabase = Atomic<Int>(0)
    private let places = TestPlaces(32)
    /// Its writing end; the watchdog reads until it closes, which the end of this process does.
    private let leash: Pipe

    private static let started = Locked<Task<PostgresCluster, any Error>?>(nil)

    /// The cluster of this process, started by who asks first.
    package static var shared: PostgresCluster {
        get async throws {
            let task = started.withLock { started in
                if let started { return started }
                let task = Task { try await PostgresCluster.start() }
                started = task
                return task
            }
            return try await task.value
        }
    }

    /// Makes a cluster and starts it.
    ///
    /// - Parameters:
    ///   - fsync: off is much faster, and loses data only if the machine goes down. Benchmarks turn it on.
    ///   - configuration: more lines for postgresql.conf.
    package static func start(
        binaries: PostgresBinaries? = nil, fsync: Bool = false, configuration: [String] = []
    ) async throws -> PostgresCluster {
        let cluster = try PostgresCluster(binaries: binaries ?? PostgresBinaries.find())
        try await cluster.blocking { try cluster.initialise(fsync: fsync, configuration: configuration) }
        try await cluster.start()
        return cluster
    }

    init(binaries: PostgresBinaries) throws {
        self.binaries = binaries
        // Short: a socket's path has room for 107 bytes.
        folder = URL(filePath: "/tmp/kilnpg-\(getpid())-\(UInt32.random(in: 0...0xFFFFF))")
        port = try Self.freePort()
        leash = Pipe()
    }

    // MARK: Starting and stopping

    /// Starts the server and returns when it accepts connections.
    package func start() async throws {
        try await blocking { [self] in
            try control(["start", "-w", "-t", "60", "-l", folder.appending(path: "log").path])
        }
    }

    /// Stops the server: `fast` breaks connections off, `immediate` is a crash.
    package func stop(mode: String = "fast") async throws {
        try await blocking { [self] in try control(["stop", "-w", "-t", "60", "-m", mode]) }
    }

    package func restart(mode: String = "fast") async throws {
        try await stop(mode: mode)
        try await start()
    }

    /// Stops the server and removes the folder. What else belongs to it goes with this process.
    package func remove() async {
        try? await stop(mode: "immediate")
        try? FileManager.default.removeItem(at: folder)
    }

    /// The end of the server's log, for a test that failed.
    package func log(lines: Int = 50) -> String {
        let text = (try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    // MARK: Databases

    /// A connection string for a database: over the socket, or by TCP through `port`, with the password.
    package func url(database: String, user: String = "postgres", port other: Int? = nil) -> String {
        if let other {
            return "postgresql://\(user):\(Self.password)@127.0.0.1:\(other)/\(database)?sslmode=disable"
        }
        return "postgresql://\(user)@/\(database)?host=\(folder.path)&port=\(port)"
    }

    /// A new, empty database, or a copy of a template that `prepare` filled once. Waits while many tests have one.
    ///
    /// - Parameter template: a name for what `prepare` does, once in the life of the cluster; it is given a
    ///   connection string. Copying takes milliseconds, whatever is in it.
    package func makeDatabase(
        template: String? = nil, prepare: (@Sendable (String) async throws -> Void)? = nil
    ) async throws -> TestDatabase {
        let place = await places.take()
        let name = "t\(nextDatabase.add(1, ordering: .relaxed).newValue)"
        var source = "template0"
        if let template, let prepare { source = try await templateDatabase(template, prepare) }
        try await create(name, from: source)
        return TestDatabase(cluster: self, name: name, place: place)
    }

    private func templateDatabase(
        _ name: String, _ prepare: @escaping @Sendable (String) async throws -> Void
    ) async throws -> String {
        let task = templates.withLock { templates in
            if let task = templates[name] { return task }
            let task = Task {
                let database = "template_\(name)"
                try await create(database, from: "template0")
                try await prepare(url(database: database))
                return database
            }
            templates[name] = task
            return task
        }
        return try await task.value
    }

    private func create(_ name: String, from template: String) async throws {
        let connection = try await PostgresConnection.connect(
            PostgresSettings(url(database: "postgres")), logger: Logger(label: "kiln.cluster"))
        // Copying pages through the log is the quick way for small databases, where there is a choice (from 15).
        try await connection.script(
            "CREATE DATABASE \(name.quotedIdentifier) TEMPLATE \(template.quotedIdentifier)", timeout: .seconds(60))
        await connection.close()
    }

    // MARK: Making it

    var data: String { folder.appending(path: "data").path }

    /// Makes the folder, which goes with this process.
    func makeFolder() throws {
        let manager = FileManager.default
        try manager.createDirectory(at: folder, withIntermediateDirectories: true)
        try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        if let user = Command.unprivilegedUser, let entry = getpwnam(user) {
            chown(folder.path, entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
        try keepOnLeash()
    }

    /// Adds lines to postgresql.conf, which win over those before from the next start on.
    func configure(_ lines: [String]) async throws {
        try await blocking { [self] in try append(lines) }
    }

    private func append(_ lines: [String]) throws {
        try Command.run(
            "/bin/sh", ["-c", "cat >> \"$0\"", "\(data)/postgresql.conf"], input: lines.joined(separator: "\n") + "\n")
    }

    private func initialise(fsync: Bool, configuration: [String]) throws {
        try makeFolder()
        let secret = folder.appending(path: "password")
        try Data(Self.password.utf8).write(to: secret)
        if let user = Command.unprivilegedUser, let entry = getpwnam(user) {
            chown(secret.path, entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
        try Command.run(
            binaries.path("initdb"),
            [
                "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth-local=trust",
                "--auth-host=scram-sha-256", "--pwfile", secret.path, "--no-sync",
            ])
        let settings =
            [
                "listen_addresses = '127.0.0.1'", "port = \(port)", "unix_socket_directories = '\(folder.path)'",
                "fsync = \(fsync ? "on" : "off")", "max_connections = 600", "log_min_messages = warning",
                "shared_buffers = 64MB", "timezone = 'America/St_Johns'", "datestyle = 'German'",
            ] + configuration
        // The odd time zone and date style are there to be noticed by whatever relies on the usual ones.
        try append(settings)
    }

    func control(_ arguments: [String]) throws {
        try Command.run(binaries.path("pg_ctl"), ["-D", data, "-s"] + arguments)
    }

    /// Starts a shell that stops the server and removes the folder as soon as this process is gone.
    private func keepOnLeash() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c",
            """
            trap '' INT TERM HUP
            cat > /dev/null
            for other in "$0"/*.pid; do [ -f "$other" ] && kill -TERM "$(cat "$other")" 2> /dev/null; done
            pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null
            for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2> /dev/null || break; sleep 0.2; done
            rm -rf "$0"
            """, folder.path,
        ]
        process.standardInput = leash
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // A program that inherited it would keep the watchdog waiting for that as well.
        _ = fcntl(leash.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        try process.run()
    }

    static func freePort() throws -> Int {
        let listener = try LoopbackSocket.listen()
        defer { close(listener) }
        return LoopbackSocket.port(of: listener)
    }

    func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            calls.async { continuation.resume(with: Result { try body() }) }
        }
    }
}

/// A database of one test. It goes with the cluster.
package struct TestDatabase: Sendable {
    package let cluster: PostgresCluster
    package let name: String
    /// Held for as long as the test holds this.
    fileprivate let place: TestPlace

    /// Over the socket, without a password.
    package var url: String { cluster.url(database: name) }
    /// By TCP, with a password; through a proxy if its port is given.
    package func tcpURL(port: Int? = nil) -> String { cluster.url(database: name, port: port ?? cluster.port) }

    /// Runs SQL through psql, which stops at the first error.
    package func psql(_ sql: String) async throws -> String {
        let url = url
        let psql = cluster.binaries.path("psql")
        let path = FileManager.default.isExecutableFile(atPath: psql) ? psql : "/usr/bin/psql"
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        try Command.run(path, ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"], input: sql)
                    })
            }
        }
    }
}
