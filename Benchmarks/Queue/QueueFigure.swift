/// One figure of the queue, and what it is held against.
struct QueueFigure: Codable {
    enum Unit: String, Codable {
        case jobsPerSecond = "jobs/s"
        case milliseconds = "ms"
        case bytes = "bytes"
        case rows = "rows"
    }

    /// The barest way of doing the same, or the same under plainer circumstances, measured in turn with it.
    struct Reference: Codable {
        var name: String
        /// The median of the rounds.
        var value: Double
        /// The median of each round's ratio, which a disturbance of the machine changes less than it does the values.
        var ratio: Double
    }

    /// What is hoped for. It is shown beside what was measured and decides nothing.
    struct Goal: Codable {
        enum Subject: String, Codable { case value, p99, ratio }
        enum Bound: String, Codable { case atLeast, atMost }
        var subject: Subject
        var bound: Bound
        var limit: Double

        static func ratio(_ bound: Bound, _ limit: Double) -> Goal { Goal(subject: .ratio, bound: bound, limit: limit) }
    }

    var name: String
    /// The median: of the rounds, or of single calls where `p99` is given.
    var value: Double
    var unit: Unit
    var p95: Double?
    var p99: Double?
    /// What the value is a median of: the rounds' figures, or how many calls.
    var rounds: [Double] = []
    var calls: Int?
    var reference: Reference?
    var goals: [Goal] = []

    func isMet(_ goal: Goal) -> Bool? {
        let subject: Double? =
            switch goal.subject {
            case .value: value
            case .p99: p99
            case .ratio: reference?.ratio
            }
        guard let subject else { return nil }
        return goal.bound == .atLeast ? subject >= goal.limit : subject <= goal.limit
    }

    /// From rounds in which it and its reference took turns.
    init(
        _ name: String, _ unit: Unit, rounds: [Double], against reference: (name: String, rounds: [Double])? = nil,
        goals: [Goal] = []
    ) {
        self.name = name
        self.unit = unit
        value = rounds.median
        self.rounds = rounds
        self.reference = reference.map {
            Reference(name: $0.name, value: $0.rounds.median, ratio: zip(rounds, $0.rounds).map { $0 / $1 }.median)
        }
        self.goals = goals
    }

    /// From the times of single calls.
    init(_ name: String, times: CallTimes, against reference: Reference? = nil, goals: [Goal] = []) {
        self.name = name
        unit = .milliseconds
        value = times.milliseconds(50)
        p95 = times.milliseconds(95)
        p99 = times.milliseconds(99)
        calls = times.count
        self.reference = reference
        self.goals = goals
    }
}
