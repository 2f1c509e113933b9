import MediaKit

/// Everything that was measured, as `--json` writes it.
struct TransferReport: Codable {
    struct Contestant: Codable {
        var name: String
        var role: TransferContestant.Role
        var runs: [TransferRun]
        var median: TransferRun
    }

    struct Ratio: Codable {
        var metric: TransferMetric
        var value: Double
        var goal: Double?
        var isMet: Bool? { goal.map { value <= $0 } }
    }

    /// Ours, streaming, against something.
    struct Comparison: Codable {
        var against: String
        /// `nil` where there is nothing to compare.
        var equivalence: CaseReport.Equivalence?
        /// None where the outputs are not equivalent.
        var ratios: [Ratio]
    }

    struct Case: Codable {
        var name: String
        var title: String
        var contestants: [Contestant]
        var comparisons: [Comparison]
        var notes: [String]
    }

    /// How it was measured, in sentences.
    var method: [String]
    var environment: Environment
    var peers: [Peer]
    var cases: [Case] = []
}

/// What ratios are of.
enum TransferMetric: String, Codable, CaseIterable {
    case wall, cpu, memory, fetched, disk, firstOutput

    var title: String {
        switch self {
        case .wall: "time"
        case .cpu: "CPU"
        case .memory: "memory"
        case .fetched: "bytes fetched"
        case .disk: "disk written"
        case .firstOutput: "first output byte"
        }
    }

    func value(_ run: TransferRun) -> Double? {
        switch self {
        case .wall: run.process.wallSeconds
        case .cpu: run.process.cpuSeconds
        case .memory: Double(run.process.peakBytes)
        case .fetched: Double(run.bytesFetched)
        case .disk: Double(run.diskBytes)
        case .firstOutput: run.firstOutput
        }
    }
}

/// A contestant's cells as people read them.
struct TransferTableRow {
    static let header = [
        "", "time s", "CPU s", "peak MB", "fetched MB", "sent MB", "requests", "disk MB", "first byte s",
    ]
    let cells: [String]

    init(_ contestant: TransferReport.Contestant) {
        let run = contestant.median
        func megabytes(_ bytes: Int64) -> String { (Double(bytes) / 1e6).fixed(2) }
        cells = [
            contestant.name, run.process.wallSeconds.fixed(2), run.process.cpuSeconds.fixed(2),
            (Double(run.process.peakBytes) / 1e6).fixed(0), megabytes(run.bytesFetched), megabytes(run.bytesSent),
            "\(run.requests)", megabytes(run.diskBytes), run.firstOutput.map { $0.fixed(2) } ?? "",
        ]
    }
}

extension TransferReport.Comparison {
    var text: String {
        if let equivalence, !equivalence.holds {
            return "no ratio to \(against): the outputs differ (\(equivalence.text))"
        }
        let ratios = ratios.map { ratio in
            let value = "\(ratio.metric.title) \(ratio.value.fixed(2))"
            guard let goal = ratio.goal, let isMet = ratio.isMet else { return value }
            return "\(value) (goal ≤ \(goal.fixed(2)): \(isMet ? "met" : "missed"))"
        }
        return "streaming / \(against): \(ratios.joined(separator: ", "))"
            + (equivalence.map { "; outputs alike: \($0.text)" } ?? "")
    }
}
