import Glibc
import MediaKit

/// The user that Postgres runs as where this process is root, as which it refuses to run.
struct PostgresAccount: Sendable {
    let name: String
    let user: uid_t
    let group: gid_t

    /// `nil` where this process is not root.
    ///
    /// - Throws: ``MediaError`` with code `configuration` if there is no other user, or no program to become one.
    static func find() throws -> PostgresAccount? {
        guard geteuid() == 0 else { return nil }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        guard path.split(separator: ":").contains(where: { access("\($0)/setpriv", X_OK) == 0 }) else {
            throw MediaError(
                .configuration, "Postgres refuses to run as root, and there is no setpriv to run it as another user",
                hint: "install util-linux, or run kiln dev as an ordinary user")
        }
        for name in ["postgres", "nobody"] {
            var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
            var buffer = [CChar](repeating: 0, count: 16384)
            if getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil {
                return PostgresAccount(name: name, user: entry.pw_uid, group: entry.pw_gid)
            }
        }
        throw MediaError(
            .configuration, "Postgres refuses to run as root, and there is neither a user postgres nor one nobody",
            hint: "run kiln dev as an ordinary user")
    }

    /// What stands before a command, so that it runs as this user.
    var prefix: [String] { ["setpriv", "--reuid", "\(user)", "--regid", "\(group)", "--clear-groups", "--"] }

    /// Gives a folder to it that is this process's, or its own already.
    ///
    /// - Throws: ``MediaError`` with code `cannot_create`, also if it is a link or somebody else's.
    func own(_ path: String) throws {
        let folder = try OwnFolder(path, of: [geteuid(), user])
        guard fchown(folder.descriptor, user, group) == 0 else {
            throw MediaError(
                .cannotCreate, "cannot give \(path) to the user \(name): \(String(cString: strerror(errno)))")
        }
    }

    /// Whether it gets to a folder of its own: all that are above it must let it pass.
    func reaches(_ folder: String) async throws -> Bool {
        let command = prefix + ["/bin/sh", "-c", #"cd -- "$0" && test -w ."#, folder]
        return try await ChildProcess(command, log: "/dev/null").waitUnlessCancelled() == 0
    }
}
