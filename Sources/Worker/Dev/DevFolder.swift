import FoundationEssentials
import Glibc
import MediaKit

/// The folder `.kiln`, in which `kiln dev` keeps what it needs: Postgres's data, the store, the logs.
///
/// It is removed at the end, unless it is or was to be kept. One `kiln dev` has it at a time.
struct DevFolder: Sendable {
    /// Absolute.
    let path: String
    /// Whether it stays.
    let isKept: Bool
    /// Held until everything is tidied up.
    let lock: HandedDescriptor

    /// What `store://` means.
    var store: String { path + "/store" }
    /// A folder, or a link to one elsewhere.
    var postgres: String { path + "/postgres" }
    var postgresLog: String { path + "/postgres.log" }
    /// Says that Postgres's data is whole.
    var postgresMark: String { path + "/postgres-is-made" }

    /// Takes the folder, and removes what an earlier one may have left that was not to be kept.
    ///
    /// - Parameters:
    ///   - parent: absolute.
    ///   - keeping: whether it is kept from now on.
    /// - Throws: ``MediaError`` with code `cannot_create`, or `resource_limit` if another process has it.
    static func claim(in parent: String, keeping: Bool) async throws -> DevFolder {
        let path = parent == "/" ? "/.kiln" : parent + "/.kiln"
        let limit = ContinuousClock.now + .seconds(30)
        while true {
            if let lock = try attempt(path) {
                let folder = DevFolder(path: path, isKept: try keeping || hasMark(path + "/kept"), lock: lock)
                try await Bounded.blocking { try folder.prepare() }
                return folder
            }
            // Somebody who has gone is still being tidied up after.
            guard ContinuousClock.now < limit else { throw busy(path, nil) }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// - Returns: `nil` if it is to be tried again.
    private static func attempt(_ path: String) throws -> HandedDescriptor? {
        try OwnFolder.make(path, mode: 0o711)
        let folder: OwnFolder
        do { folder = try OwnFolder(path) } catch let error as MediaError where error.code == .notFound {
            // It was moved away at this moment.
            return nil
        }
        let name = path + "/lock"
        let descriptor = openat(folder.descriptor, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw MediaError(.cannotCreate, "cannot open \(name): \(String(cString: strerror(errno)))")
        }
        let lock = try HandedDescriptor(takingOwnershipOf: descriptor)
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            var text = [UInt8](repeating: 0, count: 20)
            let count = pread(lock.number, &text, text.count, 0)
            let owner = Int32(String(decoding: text.prefix(max(0, count)).prefix { $0 != 0x0A }, as: UTF8.self))
            guard let owner, owner > 0, kill(owner, 0) == 0 || errno == EPERM else { return nil }
            throw busy(path, owner)
        }
        // The one that was opened may have been moved away with its folder.
        var (held, named) = (stat(), stat())
        guard fstat(lock.number, &held) == 0, stat(name, &named) == 0, held.st_ino == named.st_ino else { return nil }
        let owner = Array("\(getpid())\n".utf8)
        ftruncate(lock.number, 0)
        pwrite(lock.number, owner, owner.count, 0)
        return lock
    }

    private static func busy(_ path: String, _ owner: pid_t?) -> MediaError {
        let who = owner.map { "process \($0)" } ?? "another process"
        return MediaError(
            .resourceLimit, "kiln dev runs in this folder already: \(who) has \(path)",
            hint: "stop it, or go to another folder")
    }

    private func prepare() throws {
        if !isKept { try empty() }
        let folder = try OwnFolder(path)
        // Others need pass, for Postgres's data, and see nothing.
        fchmod(folder.descriptor, 0o711)
        try OwnFolder.make(store, mode: 0o700)
        _ = try OwnFolder(store)
        if isKept {
            let descriptor = openat(folder.descriptor, "kept", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
            if descriptor >= 0 { close(descriptor) }
        }
    }

    /// Whether an earlier `kiln dev` has left an empty file of that name.
    private static func hasMark(_ path: String) throws -> Bool {
        var info = stat()
        guard lstat(path, &info) == 0 else { return false }
        guard info.st_mode & S_IFMT == S_IFREG, info.st_uid == geteuid() else {
            throw OwnFolder.refusal(path, "is no file of this user")
        }
        return true
    }

    /// Removes all of it where it is not kept, for a run that has not come far.
    func discard() {
        guard !isKept else { return }
        try? empty()
        try? DevFiles.removeAll(path)
    }

    private func empty() throws {
        var elsewhere: String?
        switch PostgresPlace(postgres, try? PostgresAccount.find()) {
        case .within: try DevPostgres.stopLeftover(of: postgres + "/data")
        case .elsewhere(let place):
            try DevPostgres.stopLeftover(of: place + "/data")
            elsewhere = place
        // The link goes alone.
        case .gone, .foreign: break
        }
        for item in [elsewhere, postgres, postgresMark, postgresLog, store].compactMap({ $0 }) {
            try DevFiles.removeAll(item)
        }
    }
}

/// What `.kiln/postgres` is.
enum PostgresPlace: Equatable {
    /// A folder, or nothing yet.
    case within
    /// A link that `kiln dev` has made to a folder which is still that of Postgres's user.
    case elsewhere(String)
    /// A link to what is there no more.
    case gone
    /// A link that it did not make, or to what is not Postgres's.
    case foreign(String)

    /// - Parameter account: the user that Postgres runs as, if not as this one; only then are there such links.
    init(_ path: String, _ account: PostgresAccount?) {
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFLNK else {
            self = .within
            return
        }
        let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? ""
        // Straight below a folder in which nobody can replace what is another's.
        let isOurs =
            info.st_uid == geteuid() && target.hasPrefix(DevPostgres.fallbackPrefix)
            && !target.dropFirst(DevPostgres.fallbackPrefix.count).contains("/")
        guard let account, isOurs else {
            self = .foreign(target)
            return
        }
        do {
            _ = try OwnFolder(target, of: [account.user])
            self = .elsewhere(target)
        } catch let error as MediaError where error.code == .notFound {
            self = .gone
        } catch {
            self = .foreign(target)
        }
    }
}
