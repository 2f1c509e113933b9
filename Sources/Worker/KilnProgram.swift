import ArgumentParser
import Glibc
import MediaKit
import Synchronization

/// The command `kiln` from start to exit.
///
/// The main thread waits for signals and does nothing else. The first SIGINT, SIGTERM or SIGHUP cancels the job, which
/// then removes what it has not finished, or asks a service to end in good order; the second ends the process at once.
public enum KilnProgram {
    /// Whether a job runs that has something to clean up.
    private static let hasJob = Atomic<Bool>(false)
    /// How a service is asked to end, while one runs.
    private static let drain = Mutex<(@Sendable () async -> Void)?>(nil)

    public static func main() -> Never {
        // A reader that has gone is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        ProcessMemory.shareHeaps()
        // Before there is a second thread: all threads inherit the mask, so signals reach `sigwait` alone.
        var signals = interruptions
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let work = Task.detached {
            let status = await run(Array(CommandLine.arguments.dropFirst()))
            exit(status.rawValue)
        }
        var isCancelled = false
        while true {
            var signal: Int32 = 0
            guard sigwait(&signals, &signal) == 0 else { continue }
            if isCancelled || !hasJob.load(ordering: .acquiring) {
                _exit(ExitStatus.cancelled.rawValue)
            }
            isCancelled = true
            if let drain = drain.withLock({ $0 }) {
                Task.detached { await drain() }
            } else {
                work.cancel()
            }
        }
    }

    /// Parses and carries out, printing errors.
    static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try KilnCommand.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return .success
        } catch let failure as CommandFailure {
            return failure.report()
        } catch let error as MediaError {
            return CommandFailure(error).report()
        } catch let error as any ReportableError {
            return error.report()
        } catch {
            return reportParsing(error)
        }
    }

    /// Notes that a job runs while `body` does.
    static func withJob<Value: Sendable>(_ body: () async throws -> Value) async rethrows -> Value {
        hasJob.store(true, ordering: .releasing)
        defer { hasJob.store(false, ordering: .releasing) }
        return try await body()
    }

    /// Notes that a service runs, which the first signal asks to end by `drain`, and the second does not ask.
    static func withService(
        _ body: () async throws -> Void, drain: @escaping @Sendable () async -> Void
    ) async throws {
        self.drain.withLock { $0 = drain }
        defer { self.drain.withLock { $0 = nil } }
        try await withJob(body)
    }

    /// Help goes to standard output and is no error; what cannot be parsed is one of usage.
    private static func reportParsing(_ error: any Error) -> ExitStatus {
        let text = KilnCommand.fullMessage(for: error)
        if KilnCommand.exitCode(for: error) == .success {
            return Console.output.tryWrite(text + "\n") ? .success : .io
        }
        let prefix = "Error: "
        let sentence = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        Console.error.write("kiln: \(sentence)\n")
        return .usage
    }

    private static var interruptions: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        // `nohup` ignores it, and so it stays.
        var action = sigaction()
        if sigaction(SIGHUP, nil, &action) == 0, unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) != 1
        {
            sigaddset(&set, SIGHUP)
        }
        return set
    }
}
