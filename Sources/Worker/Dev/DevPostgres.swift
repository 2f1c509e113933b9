import FoundationEssentials
import Glibc
import MediaKit

/// A Postgres server of `kiln dev`'s own: reached by a socket in a folder that nobody else may enter, and by nothing else.
struct DevPostgres: Sendable {
    /// What the names of folders begin with that take the data where its user does not get to `.kiln`.
    static let fallbackPrefix = "/var/tmp/kiln-"

    private let installation: PostgresInstallation
    private let account: PostgresAccount?
    private let folder: DevFolder
    /// Holds the data; the account's.
    private let place: String
    private let socketFolder: String

    private var data: String { place + "/data" }
    /// What libpq takes.
    var url: String { "postgresql://kiln@/postgres?host=\(socketFolder)&port=5432" }
    /// Folders that go at the end, besides `.kiln`.
    var temporaries: [String] {
        [socketFolder] + (!folder.isKept && place.hasPrefix(Self.fallbackPrefix) ? [place] : [])
    }
    /// Where the data is, for people.
    var location: String { data }
    var programs: String { installation.folder }

    /// Makes the folders; nothing runs yet.
    ///
    /// - Throws: ``MediaError`` that says what is missing.
    static func prepare(_ folder: DevFolder) async throws -> DevPostgres {
        let account = try PostgresAccount.find()
        let place = try await place(folder, account)
        let version = try? String(contentsOfFile: place + "/data/PG_VERSION", encoding: .utf8)
        let installation = try await PostgresInstallation.find(version: version?.trimmed)
        // Short, as the path of a socket has room for 107 bytes.
        let socketFolder = try temporaryFolder("/tmp/kiln-", account)
        return DevPostgres(
            installation: installation, account: account, folder: folder, place: place, socketFolder: socketFolder)
    }

    /// Makes the data where there is none, starts the server, and returns when it takes connections.
    ///
    /// - Throws: ``MediaError`` with the last lines of the server's log; `CancellationError`.
    func start(_ leash: DevLeash) async throws -> ChildProcess {
        try await Bounded.blocking { try Self.stopLeftover(of: data) }
        if access(folder.postgresMark, F_OK) != 0 {
            try await Bounded.blocking { try DevFiles.removeAll(data) }
            let making = try leash.start(
                command("initdb") + [
                    "-D", data, "-U", "kiln", "-E", "UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject",
                    "--no-sync",
                ], log: folder.postgresLog)
            guard try await making.waitUnlessCancelled() == 0 else { throw failure("initdb failed") }
            let descriptor = open(folder.postgresMark, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            if descriptor >= 0 { close(descriptor) }
        }
        let settings = [
            "listen_addresses=", "port=5432", "unix_socket_directories=\(socketFolder)", "max_connections=60",
            "shared_buffers=32MB", "log_min_messages=warning", "logging_collector=off",
            // What is thrown away need not survive the machine.
            "fsync=\(folder.isKept ? "on" : "off")", "full_page_writes=\(folder.isKept ? "on" : "off")",
        ]
        let server = try leash.start(
            command("postgres") + ["-D", data] + settings.flatMap { ["-c", $0] }, log: folder.postgresLog)
        try await untilReady(server)
        return server
    }

    /// Waits until the server has ended, which nobody has asked it to.
    func watch(_ server: ChildProcess) async throws {
        _ = try await server.waitUnlessCancelled()
        throw failure("Postgres has ended")
    }

    // MARK: Folders

    private static func place(_ folder: DevFolder, _ account: PostgresAccount?) async throws -> String {
        switch PostgresPlace(folder.postgres, account) {
        case .within: break
        case .elsewhere(let place): return place
        case .foreign(let target): throw OwnFolder.refusal(folder.postgres, "is a link to \(target.printable)")
        case .gone:
            unlink(folder.postgres)
            unlink(folder.postgresMark)
        }
        try OwnFolder.make(folder.postgres, mode: 0o700)
        guard let account else {
            _ = try OwnFolder(folder.postgres)
            return folder.postgres
        }
        try account.own(folder.postgres)
        if try await account.reaches(folder.postgres) { return folder.postgres }
        // Below /root, say. A link remembers it for the next time.
        let elsewhere = try temporaryFolder(fallbackPrefix, account)
        guard rmdir(folder.postgres) == 0, symlink(elsewhere, folder.postgres) == 0 else {
            let reason = String(cString: strerror(errno))
            rmdir(elsewhere)
            throw MediaError(
                .cannotCreate,
                "the user \(account.name), whom Postgres runs as, does not get to \(folder.postgres): \(reason)",
                hint: "go to a folder that every user may enter")
        }
        return elsewhere
    }

    /// A new folder that is nobody else's.
    private static func temporaryFolder(_ prefix: String, _ account: PostgresAccount?) throws -> String {
        var name = Array((prefix + "XXXXXX").utf8CString)
        guard mkdtemp(&name) != nil else {
            throw MediaError(.cannotCreate, "cannot create a folder \(prefix)…: \(String(cString: strerror(errno)))")
        }
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do { try account?.own(path) } catch {
            rmdir(path)
            throw error
        }
        return path
    }

    // MARK: The server

    private func command(_ program: String) -> [String] { (account?.prefix ?? []) + [installation.path(program)] }

    /// Ends a server that an earlier process has left behind, which takes that its leash was killed as well, and removes the
    /// note of one that is no more: its number may be another's by now.
    ///
    /// Blocks.
    static func stopLeftover(of data: String) throws {
        // Postgres's user could have laid a link in its folder, which would lead root elsewhere.
        var info = stat()
        guard lstat(data, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { return }
        guard let number = noted(in: data)?.process else { return }
        let limit = ContinuousClock.now + .seconds(20)
        while isServer(number, of: data) {
            let left = limit - ContinuousClock.now
            guard left > .zero else {
                throw MediaError(
                    .resourceLimit, "a Postgres that an earlier kiln dev has left, process \(number), does not end",
                    hint: "end it")
            }
            kill(number, left > .seconds(10) ? SIGINT : SIGQUIT)
            usleep(50_000)
        }
        unlink(data + "/postmaster.pid")
    }

    /// Whether a process is a server of this very data: it works in that folder.
    private static func isServer(_ process: pid_t, of data: String) -> Bool {
        var (theirs, ours) = (stat(), stat())
        return stat("/proc/\(process)/cwd", &theirs) == 0 && stat(data, &ours) == 0
            && theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev
    }

    /// What the server notes of itself: in the first line its process, in the eighth its state.
    /// https://www.postgresql.org/docs/current/storage-file-layout.html
    private static func noted(in data: String) -> (process: pid_t, isReady: Bool)? {
        guard let text = try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let process = lines.first.flatMap({ pid_t($0) }), process > 1 else { return nil }
        return (process, lines.count >= 8 && lines[7].hasPrefix("ready"))
    }

    private func untilReady(_ server: ChildProcess) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch(server) }
            group.addTask {
                let limit = ContinuousClock.now + .seconds(60)
                while ContinuousClock.now < limit {
                    if let noted = Self.noted(in: data), noted.process == server.identifier, noted.isReady { return }
                    try await Task.sleep(for: .milliseconds(20))
                }
                throw failure("Postgres was not ready within a minute")
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func failure(_ what: String) -> MediaError {
        let text = (try? String(contentsOfFile: folder.postgresLog, encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n").suffix(8).map { String($0).printable }
        return MediaError(
            .configuration, ([what] + lines).joined(separator: "; "),
            hint: folder.isKept ? "remove \(folder.path) to begin anew, if its data is of no more use" : nil)
    }
}
