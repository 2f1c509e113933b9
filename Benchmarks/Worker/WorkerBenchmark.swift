import ArgumentParser
import FoundationEssentials
import Glibc
import MediaKit

/// `Benchmarks worker`: jobs from the queue to the store, against the usual way.
struct WorkerBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Jobs from the queue to the store, against a queue worker that spawns ffmpeg, and spawning alone.",
        discussion: """
            Needs the command kiln beside this one: swift build -c release. Starts a Postgres server of its own, and for each \
            round an object store on the loopback that is not the bottleneck. The worker to compare with is in Python; what it \
            needs is fetched from PyPI by scripts/bench-peers, once. A run with all jobs takes about half an hour on two cores, \
            --quick two minutes.
            """)

    @Option(help: "Only this case: \(WorkerWork.Name.names). May be given several times.")
    var only: [WorkerWork.Name] = []

    @Option(help: "Jobs of a round, in every case. Default: 100 for burn, 500 for audio, 60 for arrivals.")
    var jobs: Int?

    @Option(help: "Measured rounds; a short one goes before them. Default: 3.")
    var rounds: Int?

    @Option(help: "Jobs at a time, of every contestant.")
    var slots = 4

    @Flag(help: "Few jobs and one round, for a trial.")
    var quick = false

    @Option(help: "One more ffmpeg to compare with, besides the one in PATH. May be given several times.")
    var peer: [String] = []

    @Option(help: "The command kiln. Default: the one beside this program.")
    var kiln: String?

    @Option(help: "Milliseconds that the store takes for each request.")
    var latency = 0

    @Option(help: "Writes every run and the environment to this file.")
    var json: String?

    @Option(help: "Draws the ratios as a chart into this file.")
    var html: String?

    func validate() throws {
        guard rounds ?? 1 >= 1 else { throw ValidationError("--rounds must be at least 1") }
        guard (1...100_000).contains(jobs ?? 1) else { throw ValidationError("--jobs must lie between 1 and 100,000") }
        guard (1...64).contains(slots) else { throw ValidationError("--slots must lie between 1 and 64") }
        guard (0...1000).contains(latency) else { throw ValidationError("--latency must lie between 0 and 1000") }
    }

    private var method: [String] {
        [
            "kiln worker: the command as a process, with WORKER_CONCURRENCY=\(slots) and all else by default, so that it runs"
                + " no more at a time than fits its cores. It signs its requests and has a checksum with each upload.",
            "queue + ffmpeg: a worker in Python (usual_worker.py) with \(slots) slots, which looks every 0.5 s for as many jobs"
                + " as slots are free (FOR UPDATE SKIP LOCKED), downloads each one's objects into temporary files, starts"
                + " ffmpeg, uploads, and marks the job done. ffmpeg, no queue: the same slots go through a list. Both keep their"
                + " connections, and send plain HTTP without signatures or checksums. ffmpeg's threads are left to it.",
            "The store is a process of its own on the same machine: \(latency) ms before each answer, as fast as memory. Postgres"
                + " is a private server with fsync on. Both share the cores with who is measured; what they take is in the"
                + " table and in no other figure.",
            "Jobs per minute: from the start of the program to the end of the last job. CPU: user and system time of the program"
                + " and all that it starts, from start to end, by wait4. Cores busy: that by this time. Wait: from a job's"
                + " creation to its claim; where all jobs are there from the start, it is that of a place in the queue.",
            "Peak memory: the largest sum of the resident memory of the program and its commands, by ten looks a second; pages"
                + " that several share count for each. Without files: the same without pages of programs and libraries.",
            "Contestants take turns. Values are medians of the rounds, each for itself; a ratio is the median of the rounds'"
                + " ratios. Every output is compared: to be of the same bytes as its round's first, or the same when decoded; and"
                + " the first ones of the contestants are compared by decoding them before a ratio is printed.",
        ]
    }

    func run() async throws {
        var peers: [Peer] = []
        for path in [Peer.resolve("ffmpeg")].compactMap({ $0 }) + peer {
            let found = try await offPool { try Peer(path: path) }
            if !peers.contains(where: { $0.path == found.path }) { peers.append(found) }
        }
        guard !peers.isEmpty else {
            throw ChildProcess.Failure(description: "ffmpeg is not installed: scripts/setup --bench")
        }
        let scratch = try ScratchFolder()
        let programs = try await offPool { [kiln, slots] in
            try WorkerPrograms(kiln: kiln, slots: slots, scratch: scratch)
        }
        let inputs = try await offPool { try WorkerInputs(scratch: scratch) }
        let server = try await QueueServer.start()
        do {
            try await measure(peers, programs, inputs, server, scratch)
        } catch {
            await server.remove()
            throw error
        }
        await server.remove()
    }

    private func measure(
        _ peers: [Peer], _ programs: WorkerPrograms, _ inputs: WorkerInputs, _ server: QueueServer,
        _ scratch: ScratchFolder
    ) async throws {
        let rounds = rounds ?? (quick ? 1 : 3)
        var report = WorkerReport(
            method: method, environment: Environment(), server: server.version, peers: peers, slots: slots,
            rounds: rounds)
        (report.lines + [""] + report.method + [""]).forEach { print($0) }
        // Faster than memory is: no limit that anybody reaches.
        let line = ObjectServerProcess.Line(latencyMilliseconds: latency, megabytesPerSecond: 100_000)
        for work in try WorkerWork.all(inputs) where only.isEmpty || only.contains(work.name) {
            let measurement = WorkerMeasurement(
                work: work, jobs: jobs ?? work.name.jobs(isQuick: quick), rounds: rounds, peers: peers,
                programs: programs, inputs: inputs, server: server, line: line, scratch: scratch)
            let result = try await measurement.run()
            report.cases.append(result)
            WorkerTextReport.lines(of: result).forEach { print($0) }
            fflush(nil)
        }
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try write(String(decoding: try encoder.encode(report), as: UTF8.self) + "\n", to: json)
        }
        if let html { try write(WorkerHTMLReport(report: report).text, to: html) }
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        print("\(path) written")
    }
}
