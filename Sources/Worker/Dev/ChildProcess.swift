import Glibc
import MediaKit

/// A program that was started beside this process, in a process group of its own: keys pressed at the terminal do not
/// reach it.
///
/// Not by Foundation's `Process`, which hands on the signals that are blocked here, and can neither hand on descriptors
/// nor start a group.
///
/// Thread-safe.
final class ChildProcess: Sendable {
    /// Also its group's.
    let identifier: pid_t
    private let end: Task<Int32, any Error>

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - words: its path, or a name that PATH leads to, and its arguments.
    ///   - log: the file that both of its outputs are appended to.
    ///   - descriptors: what it finds as its descriptors 3 to 9; all others but the first three are closed to it.
    ///   - onEnd: is called when it has ended, before its identifier may be another's.
    /// - Throws: ``MediaError`` with code `io` if it cannot be started.
    init(
        _ words: [String], log: String, descriptors: [Int32: Int32] = [:],
        onEnd: @escaping @Sendable () -> Void = {}
    ) throws {
        identifier = try Self.spawn(words, log: log, descriptors: descriptors)
        let identifier = identifier
        end = Task.detached {
            try await Bounded.blocking {
                var info = siginfo_t()
                while waitid(P_PID, id_t(identifier), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
                onEnd()
                var status: Int32 = 0
                while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
                return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
            }
        }
    }

    /// Waits for its end, though the task be cancelled.
    ///
    /// - Returns: its exit status; the signal that ended it, negative.
    func wait() async throws -> Int32 { try await end.value }

    /// Waits for its end, or for the task's being cancelled; then it runs on.
    ///
    /// - Throws: `CancellationError`.
    func waitUnlessCancelled() async throws -> Int32 {
        let (ends, teller) = AsyncThrowingStream<Int32, any Error>.makeStream()
        Task {
            do {
                teller.yield(try await end.value)
                teller.finish()
            } catch {
                teller.finish(throwing: error)
            }
        }
        // The stream itself ends when the task is cancelled.
        for try await status in ends { return status }
        throw CancellationError()
    }

    private static func spawn(_ words: [String], log: String, descriptors: [Int32: Int32]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        for (theirs, ours) in descriptors { posix_spawn_file_actions_adddup2(&actions, ours, theirs) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this process blocks and ignores is its own business.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var identifier = pid_t()
        let number = posix_spawnp(&identifier, words[0], &actions, &attributes, &arguments, environ)
        guard number == 0 else {
            throw MediaError(.io, "cannot start \(words[0]): \(String(cString: strerror(number)))")
        }
        return identifier
    }
}
