import Foundation

/// Runs programs as the user that Postgres accepts.
enum Command {
    /// A user that is not root, where the tests run as root: Postgres refuses to be.
    static let unprivilegedUser: String? = {
        guard geteuid() == 0 else { return nil }
        return ["postgres", "nobody"].first { getpwnam($0) != nil }
    }()

    /// Runs a program to its end.
    ///
    /// Blocks its thread: call it from one that may. Not with Foundation's Process, which takes a program for
    /// running as long as a server that it started lives on.
    ///
    /// - Returns: what it wrote to both outputs.
    @discardableResult
    static func run(_ path: String, _ arguments: [String], input: String? = nil) throws -> String {
        var words = [path] + arguments
        if let user = unprivilegedUser {
            words = ["/usr/bin/setpriv", "--reuid", user, "--regid", group(of: user), "--clear-groups"] + words
        }
        // In a folder that every user may enter.
        words = ["/usr/bin/env", "-C", "/"] + words
        // Through files: a server that is started inherits the outputs, and would keep a pipe open.
        let scratch = NSTemporaryDirectory() + "/kiln-\(UUID().uuidString)"
        let (inPath, outPath) = (scratch + ".in", scratch + ".out")
        try Data((input ?? "").utf8).write(to: URL(filePath: inPath))
        defer {
            unlink(inPath)
            unlink(outPath)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, inPath, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outPath, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var argv = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        var pid = pid_t()
        let failure = posix_spawn(&pid, words[0], &actions, nil, &argv, environ)
        guard failure == 0 else {
            throw PostgresClusterError("\(words[0]) cannot be started: \(String(cString: strerror(failure)))")
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        let output = (try? String(contentsOfFile: outPath, encoding: .utf8)) ?? ""
        guard status == 0 else { throw PostgresClusterError("\(path) failed (status \(status)): \(output)") }
        return output
    }

    private static func group(of user: String) -> String { getpwnam(user).map { "\($0.pointee.pw_gid)" } ?? user }
}
