import JobQueue

/// Everything that was measured, as `--json` writes it.
struct QueueReport: Codable {
    struct Case: Codable {
        var name: String
        var title: String
        var figures: [QueueFigure]
        /// What to know about the figures.
        var notes: [String]
    }

    /// How it was measured, in sentences.
    var method: [String]
    var machine = Machine()
    var kiln = jobQueueVersion
    var server: String
    /// Lines of postgresql.conf that differ from the defaults.
    var configuration: [String]
    var rounds: Int
    var cases: [Case] = []

    var lines: [String] {
        [
            machine.line, "Kiln's queue \(kiln) on \(server): \(configuration.joined(separator: ", "))",
            "Rounds: \(rounds)",
        ] + [machine.warning].compactMap { $0 }
    }
}

/// A figure's cells as people read them.
struct QueueTableRow {
    static let header = ["", "median", "p95", "p99", "floor", "ratio", "goal"]
    let cells: [String]

    init(_ figure: QueueFigure) {
        func text(_ value: Double?) -> String {
            guard let value else { return "" }
            return switch figure.unit {
            case .milliseconds: value.fixed(value < 10 ? 3 : 1)
            case .jobsPerSecond, .bytes: value.fixed(0)
            case .rows: value.fixed(2)
            }
        }
        let goals = figure.goals.map { goal in
            let subject = goal.subject == .value ? "" : "\(goal.subject.rawValue) "
            let sign = goal.bound == .atLeast ? "≥" : "≤"
            let limit = goal.subject == .ratio ? goal.limit.fixed(2) : text(goal.limit)
            let verdict = figure.isMet(goal).map { $0 ? "met" : "missed" } ?? "not measured"
            return "\(subject)\(sign) \(limit): \(verdict)"
        }
        cells = [
            figure.name, "\(text(figure.value)) \(figure.unit.rawValue)", text(figure.p95), text(figure.p99),
            figure.reference.map { "\(text($0.value)) (\($0.name))" } ?? "",
            figure.reference.map { $0.ratio.fixed(2) } ?? "", goals.joined(separator: ", "),
        ]
    }
}
