import FoundationEssentials
import Glibc
import PostgresTestSupport

/// One round of one contestant: a new store and a new database, its jobs, its program from start to end, and a look at
/// every output.
struct WorkerTurn: Sendable {
    let work: WorkerWork
    let contestant: WorkerContestant
    let jobs: Int
    let programs: WorkerPrograms
    let inputs: WorkerInputs
    let server: QueueServer
    let line: ObjectServerProcess.Line
    let scratch: ScratchFolder

    /// What a program's jobs were measured to take, before it has ended.
    private struct Course: Sendable {
        var seconds: Double?
        var wait50: Double?
        var wait95: Double?
    }

    /// Jobs that come first, and are not counted, where jobs come one by one.
    private static let first = 4

    /// - Parameter kept: where the first output is left for comparisons.
    func run(keepingFirstAs kept: String) async throws -> WorkerRun {
        // A new one each time, as it keeps all that it is given in memory.
        let store = try ObjectServerProcess(line, objects: inputs.objects)
        let postgres = postmaster
        let before = postgres.map { ProcessTree.usage(of: $0).cpuSeconds } ?? 0
        var run: WorkerRun
        if let table = contestant.table(work) {
            let desk = try await JobDesk(table, work, on: server)
            run = try await queued(desk, store)
            try await desk.close()
        } else {
            run = try await listed(store)
        }
        run.postgresCPU = (postgres.map { ProcessTree.usage(of: $0).cpuSeconds } ?? 0) - before
        let outputs = WorkerOutputs(work: work, store: store, scratch: scratch)
        try await outputs.check(1...(work.comesAtOnce ? jobs : jobs + Self.first), keepingFirstAs: kept)
        return run
    }

    // MARK: With a queue

    private func queued(_ desk: JobDesk, _ store: ObjectServerProcess) async throws -> WorkerRun {
        let command: ChildProcess
        if case .usual(let peer) = contestant {
            command = programs.usualWorker(peer, database: desk.database.url, endpoint: store.endpoint)
        } else {
            command = programs.kilnWorker(database: desk.database.url, endpoint: store.endpoint)
        }
        if work.comesAtOnce { try await desk.enqueue(1...jobs) }
        try await store.forget()
        let (course, ended) = try await ServiceProcess.during(command) { process in
            try await work.comesAtOnce ? workOff(desk, process) : oneByOne(desk, process)
        }
        return try await figures(course, ended, store)
    }

    private func workOff(_ desk: JobDesk, _ process: ServiceProcess) async throws -> Course {
        try await desk.untilDone(jobs, by: process)
        let finished = try await desk.number(desk.table.finished)
        return Course(
            seconds: finished - Double(process.started) / 1e6,
            wait50: try await desk.number(desk.table.waited(0.5, since: 0)),
            wait95: try await desk.number(desk.table.waited(0.95, since: 0)))
    }

    private func oneByOne(_ desk: JobDesk, _ process: ServiceProcess) async throws -> Course {
        try await desk.enqueue(1...Self.first)
        try await desk.untilDone(Self.first, by: process)
        let since = try await desk.number("SELECT extract(epoch FROM clock_timestamp())")
        for number in 1...jobs {
            // By chance, so that they do not come in step with a worker that looks at its queue at fixed times.
            try await Task.sleep(for: .milliseconds(Int.random(in: 300...900)))
            try await desk.enqueue(Self.first + number...Self.first + number)
        }
        try await desk.untilDone(Self.first + jobs, by: process)
        return Course(
            wait50: try await desk.number(desk.table.waited(0.5, since: since)),
            wait95: try await desk.number(desk.table.waited(0.95, since: since)))
    }

    // MARK: Without

    private func listed(_ store: ObjectServerProcess) async throws -> WorkerRun {
        guard case .spawning(let peer) = contestant else {
            throw ChildProcess.Failure(description: "\(contestant.name) has no list")
        }
        // The object's last brace makes room for one more member.
        let lines = (1...jobs).map { "\(work.usualPayload.dropLast()),\"output\":\"\(work.output("\($0)"))\"}\n" }
        let list = try scratch.write(lines.joined(), to: "jobs.jsonl")
        try await store.forget()
        let (started, ended) = try await ServiceProcess.during(
            programs.spawner(peer, jobs: list, endpoint: store.endpoint)
        ) { process in
            while !process.hasEnded { try await Task.sleep(for: .milliseconds(20)) }
            return Double(process.started) / 1e6
        }
        guard let finished = Double(ended.output.filter { !$0.isWhitespace }) else {
            throw ChildProcess.Failure(description: "\(contestant.name) does not say when it was done")
        }
        return try await figures(Course(seconds: finished - started), ended, store)
    }

    // MARK: Figures

    private func figures(
        _ course: Course, _ ended: ServiceProcess.Ended, _ store: ObjectServerProcess
    ) async throws -> WorkerRun {
        WorkerRun(
            jobs: work.comesAtOnce ? jobs : jobs + Self.first, seconds: course.seconds, cpuSeconds: ended.cpuSeconds,
            wait50: course.wait50, wait95: course.wait95, peakBytes: ended.memory.residentBytes,
            peakOwnBytes: ended.memory.ownBytes, postgresCPU: 0, storeCPU: try await store.counts().cpuSeconds)
    }

    /// The first process of the server; `nil` if it cannot be told.
    private var postmaster: pid_t? {
        let file = server.cluster.folder.appendingPathComponent("data/postmaster.pid").path
        return (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n").first.flatMap { pid_t($0) }
    }
}
