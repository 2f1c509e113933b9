import Foundation
import JobQueue
import Locking

/// A worker in a process of its own, started again whenever it ends, until it is dismissed.
final class WorkerProcess: Sendable {
    private struct State {
        var pid: pid_t = 0
        var isDismissed = false
        /// How often it ended by itself or was killed.
        var deaths = 0
        var standardInput: Int32 = -1
    }

    let name: String
    private let command: [String]
    private let log: String
    private let state = Locked(State())
    private let ended = DispatchGroup()

    /// - Parameters:
    ///   - executable: this program, or the one that lies beside the tests.
    ///   - log: a file that gets what it prints.
    init(_ settings: WorkerSettings, executable: URL, log: URL) throws {
        name = settings.name
        self.log = log.path
        let json = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        command = [executable.path, "worker", json]
        try spawn()
        ended.enter()
        Thread.detachNewThread { [self] in supervise() }
    }

    var pid: pid_t { state.withLock { $0.pid } }
    var deaths: Int { state.withLock { $0.deaths } }

    func signal(_ number: Int32) {
        state.withLock { state in
            if state.pid > 0 { _ = Glibc.kill(state.pid, number) }
        }
    }

    /// Kills it for good, and returns when it is gone.
    func dismiss() async {
        state.withLock { $0.isDismissed = true }
        signal(SIGKILL)
        await withCheckedContinuation { continuation in
            ended.notify(queue: .global()) { continuation.resume() }
        }
    }

    private func supervise() {
        while true {
            var status: Int32 = 0
            let pid = pid
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            let goesOn = state.withLock { state -> Bool in
                state.pid = 0
                state.deaths += 1
                close(state.standardInput)
                return !state.isDismissed
            }
            guard goesOn, (try? spawn()) != nil else { break }
        }
        ended.leave()
    }

    private func spawn() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ChaosError("pipe: \(String(cString: strerror(errno)))") }
        // A program that inherited the writing end would keep the worker alive after this process.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var argv = command.map { strdup($0) } + [nil]
        // A crash is what some jobs are for: nobody needs to see its backtrace, which takes seconds.
        let variables = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        var environment = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in argv + environment { free(word) } }
        let failure = state.withLock { state -> Int32 in
            guard !state.isDismissed else { return ECANCELED }
            var pid = pid_t()
            let failure = posix_spawn(&pid, command[0], &actions, nil, &argv, &environment)
            if failure == 0 {
                state.pid = pid
                state.standardInput = ends[1]
            }
            return failure
        }
        close(ends[0])
        guard failure == 0 else {
            close(ends[1])
            throw ChaosError("\(command[0]) cannot be started: \(String(cString: strerror(failure)))")
        }
    }
}
