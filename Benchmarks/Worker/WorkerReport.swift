/// Everything that was measured, as `--json` writes it.
struct WorkerReport: Codable {
    struct Contestant: Codable {
        var name: String
        var runs: [WorkerRun]
        var median: WorkerRun
    }

    struct Ratio: Codable {
        var metric: WorkerMetric
        /// Ours to theirs: the median of each round's ratio, which a disturbance of the machine changes less than it does
        /// the values.
        var value: Double
        var goal: Double?
        var isMet: Bool? { goal.map { metric.isBetterWhenLarge ? value >= $0 : value <= $0 } }
    }

    /// Ours against another way.
    struct Comparison: Codable {
        var against: String
        var equivalence: CaseReport.Equivalence
        /// None where the outputs are not equivalent.
        var ratios: [Ratio]
    }

    struct Case: Codable {
        var name: WorkerWork.Name
        var title: String
        var jobs: Int
        var contestants: [Contestant]
        var comparisons: [Comparison]
    }

    /// How it was measured, in sentences.
    var method: [String]
    var environment: Environment
    var server: String
    var peers: [Peer]
    var slots: Int
    var rounds: Int
    var cases: [Case] = []

    var lines: [String] {
        environment.lines + peers.map { "Peer: \($0.name), \($0.path)" }
            + ["\(server); slots: \(slots); rounds: \(rounds)"]
    }
}

/// What ratios are of.
enum WorkerMetric: String, Codable, CaseIterable {
    case throughput, cpu, memory, ownMemory, wait95

    var title: String {
        switch self {
        case .throughput: "jobs per minute"
        case .cpu: "CPU per job"
        case .memory: "peak memory"
        case .ownMemory: "without files"
        case .wait95: "p95 wait"
        }
    }

    var isBetterWhenLarge: Bool { self == .throughput }

    func value(_ run: WorkerRun) -> Double? {
        switch self {
        case .throughput: run.jobsPerMinute
        case .cpu: run.cpuPerJob
        case .memory: Double(run.peakBytes)
        case .ownMemory: Double(run.peakOwnBytes)
        case .wait95: run.wait95
        }
    }

    /// Of rounds in which both took turns; `nil` where one has no such figure.
    func ratio(_ ours: [WorkerRun], _ theirs: [WorkerRun]) -> Double? {
        let ratios = zip(ours, theirs).compactMap { ours, theirs -> Double? in
            guard let own = value(ours), let other = value(theirs), other > 0 else { return nil }
            return own / other
        }
        return ratios.isEmpty ? nil : ratios.median
    }
}

/// A contestant's cells as people read them.
struct WorkerTableRow {
    static let header = [
        "", "jobs/min", "CPU s/job", "cores busy", "wait p50 s", "p95 s", "peak MB", "without files", "Postgres ms/job",
        "store ms/job",
    ]
    let cells: [String]

    init(_ contestant: WorkerReport.Contestant) {
        let run = contestant.median
        func megabytes(_ bytes: Int64) -> String { (Double(bytes) / 1e6).fixed(0) }
        func perJob(_ seconds: Double) -> String { (seconds / Double(run.jobs) * 1e3).fixed(2) }
        func wait(_ seconds: Double?) -> String { seconds.map { $0.fixed(3) } ?? "" }
        cells = [
            contestant.name, run.jobsPerMinute.map { $0.fixed($0 < 100 ? 1 : 0) } ?? "", run.cpuPerJob.fixed(4),
            run.cores.map { $0.fixed(2) } ?? "", wait(run.wait50), wait(run.wait95), megabytes(run.peakBytes),
            megabytes(run.peakOwnBytes), perJob(run.postgresCPU), perJob(run.storeCPU),
        ]
    }
}

extension WorkerReport.Comparison {
    var text: String {
        guard equivalence.holds else {
            return "no ratio to \(against): the outputs differ (\(equivalence.text))"
        }
        let ratios = ratios.map { ratio in
            let value = "\(ratio.metric.title) \(ratio.value.fixed(ratio.value < 0.1 ? 3 : 2))"
            guard let goal = ratio.goal, let isMet = ratio.isMet else { return value }
            let sign = ratio.metric.isBetterWhenLarge ? "≥" : "≤"
            return "\(value) (goal \(sign) \(goal.fixed(2)): \(isMet ? "met" : "missed"))"
        }
        return "kiln / \(against): \(ratios.joined(separator: ", ")); outputs alike: \(equivalence.text)"
    }
}
