import ArgumentParser
import FoundationEssentials
import Glibc

/// `Benchmarks queue`: the job queue on a private Postgres server.
struct QueueBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "The job queue beside the barest statements that do the same.",
        discussion: """
            Starts a Postgres server of its own, from KILN_POSTGRES_BIN or the newest that is installed, with fsync on, \
            and removes it afterwards.
            """)

    @Option(help: "Only this case: \(QueueCase.names). May be given several times.")
    var only: [QueueCase] = []

    @Option(help: "Measured rounds.")
    var rounds = 5

    @Option(help: "Rows where a million are meant; fewer for a trial.")
    var million = 1_000_000

    @Option(help: "Writes every figure and the environment to this file.")
    var json: String?

    @Option(help: "Writes the tables as a page to this file.")
    var html: String?

    func validate() throws {
        guard rounds >= 1 else { throw ValidationError("--rounds must be at least 1") }
        guard million >= 1_000 else { throw ValidationError("--million must be at least 1,000") }
    }

    private static let method = [
        "A private server, its folder in /tmp; fsync and synchronous_commit are on. Connections go over its socket.",
        "Ours and the floor take turns, each from a table that was just filled and vacuumed; after a round that does not"
            + " count. Values are medians of the rounds; a ratio is the median of the rounds' ratios.",
        "Throughput by pgbench with prepared statements and two connections, its own start left out. It shares the"
            + " cores with the server, for the floor as for ours.",
        "Times of single calls are a client's, from sending to the last row.",
    ]

    func run() async throws {
        let server = try await QueueServer.start()
        do {
            try await measure(on: server)
        } catch {
            await server.remove()
            throw error
        }
        await server.remove()
    }

    private func measure(on server: QueueServer) async throws {
        var report = QueueReport(
            method: Self.method, server: server.version, configuration: QueueServer.configuration, rounds: rounds)
        (report.lines + [""] + report.method + [""]).forEach { print($0) }
        let bench = QueueBenchmarkRun(server: server, rounds: rounds, million: million)
        for one in QueueCase.allCases where only.isEmpty || only.contains(one) {
            let result = try await one.measure(bench)
            bench.note(nil)
            report.cases.append(result)
            QueueTextReport.lines(of: result).forEach { print($0) }
            fflush(nil)
        }
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try write(String(decoding: try encoder.encode(report), as: UTF8.self) + "\n", to: json)
        }
        if let html { try write(QueueHTMLReport(report: report).text, to: html) }
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        print("\(path) written")
    }
}

/// What the cases share.
struct QueueBenchmarkRun: Sendable {
    let server: QueueServer
    let rounds: Int
    let million: Int

    func failure(_ text: String) -> ChildProcess.Failure { ChildProcess.Failure(description: text) }

    /// Lets contestants take turns; the first round warms up and is not counted.
    ///
    /// - Returns: the rounds' figures of each.
    func turns(
        _ name: String, _ contestants: [@Sendable () async throws -> Double]
    ) async throws -> [[Double]] {
        var figures: [[Double]] = contestants.map { _ in [] }
        for round in 0...rounds {
            note(round == 0 ? "\(name): warm-up" : "\(name): round \(round) of \(rounds)")
            for (index, contestant) in contestants.enumerated() {
                let figure = try await contestant()
                if round > 0 { figures[index].append(figure) }
            }
        }
        return figures
    }

    /// Tells on a terminal what is going on, in one line that vanishes.
    func note(_ text: String?) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        let bytes = Array("\r\u{1B}[K\(text ?? "")".utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}

enum QueueCase: String, CaseIterable, ExpressibleByArgument {
    case enqueue, fetch, throughput, limits, worker, latency, cost

    static let names = allCases.map(\.rawValue).joined(separator: ", ")

    func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        switch self {
        case .enqueue: try await EnqueueCase.measure(bench)
        case .fetch: try await FetchCase.measure(bench)
        case .throughput: try await ThroughputCase.measure(bench)
        case .limits: try await LimitsCase.measure(bench)
        case .worker: try await WorkerCase.measure(bench)
        case .latency: try await LatencyCase.measure(bench)
        case .cost: try await LifetimeCostCase.measure(bench)
        }
    }
}
