import ArgumentParser
import FoundationEssentials
import Glibc
import JobQueue

/// What the benchmarks' jobs carry and return.
struct ProbePayload: Codable, Sendable {
    /// When it was sent, in microseconds since 1970.
    var sent: Int64?

    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}

struct ProbeResult: Codable, Sendable {
    /// When the handler began, in microseconds since 1970.
    var started: Int64
}

/// The hidden subcommand that is a worker whose jobs do nothing. It ends when its file or its parent is gone.
struct WorkerCommand: AsyncParsableCommand {
    static let name = "run-worker"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Option var database: String
    @Option var slots: Int
    @Option var whileThere: String

    func run() async throws {
        let parent = getppid()
        let worker = try QueueWorker(database, options: WorkerOptions(slots: slots), logger: QueueDatabase.quiet)
        worker.register("noop") { (_: Job<ProbePayload>) in ProbeResult(started: ProbePayload.now) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            group.addTask {
                while access(whileThere, F_OK) == 0, getppid() == parent {
                    try await Task.sleep(for: .milliseconds(50))
                }
                worker.shutDown(grace: .seconds(5))
            }
            // A worker that fails ends the waiting too.
            while try await group.next() != nil {}
        }
    }
}

/// Workers in processes of their own.
struct WorkerProcesses: Sendable {
    let database: QueueDatabase
    let count: Int
    let slots: Int

    /// Starts them, runs `body`, and ends them.
    ///
    /// - Returns: what `body` returns, and CPU seconds of all processes.
    func during<R: Sendable>(_ body: @Sendable () async throws -> R) async throws -> (R, cpuSeconds: Double) {
        let scratch = try ScratchFolder()
        let file = try scratch.write("", to: "running")
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let arguments = [
            WorkerCommand.name, "--database", database.url, "--slots", "\(slots)", "--while-there", file,
        ]
        return try await withThrowingTaskGroup(of: Double.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await offPool { try ChildProcess(program: own, arguments: arguments).run().run.cpuSeconds }
                }
            }
            let outcome: Result<R, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            unlink(file)
            var seconds = 0.0
            for try await one in group { seconds += one }
            return (try outcome.get(), seconds)
        }
    }
}
