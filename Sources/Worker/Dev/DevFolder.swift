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
                let folder = DevFolder(
                    path: path, isKept: keeping || access(path + "/kept", F_OK) == 0, lock: lock)
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
        if mkdir(path, 0o711) != 0, errno != EEXIST {
            throw MediaError(
                .cannotCreate, "cannot create \(path): \(String(cString: strerror(errno)))",
                hint: "go to a folder that you may write to")
        }
        let name = path + "/lock"
        let descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else {
            // It was moved away at this moment.
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
        // Others need pass, for Postgres's data, and see nothing.
        chmod(path, 0o711)
        if mkdir(store, 0o700) != 0, errno != EEXIST {
            throw MediaError(.cannotCreate, "cannot create \(store): \(String(cString: strerror(errno)))")
        }
        if isKept {
            let descriptor = open(path + "/kept", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            if descriptor >= 0 { close(descriptor) }
        }
    }

    /// Removes all of it where it is not kept, for a run that has not come far.
    func discard() {
        guard !isKept else { return }
        try? empty()
        try? DevFiles.removeAll(path)
    }

    private func empty() throws {
        let elsewhere = Self.target(of: postgres)
        try DevPostgres.stopLeftover(of: (elsewhere ?? postgres) + "/data")
        for item in [elsewhere, postgres, postgresMark, postgresLog, store].compactMap({ $0 }) {
            try DevFiles.removeAll(item)
        }
    }

    /// Where a link leads that `kiln dev` has made, to a folder beyond its own.
    static func target(of link: String) -> String? {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: link) else { return nil }
        return path.hasPrefix(DevPostgres.fallbackPrefix) && !path.contains("..") ? path : nil
    }
}
