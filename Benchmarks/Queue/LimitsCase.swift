/// What limits cost that never bind: everything they keep count of is kept, and nothing waits.
enum LimitsCase {
    static let title = "no-op jobs end to end, two workers of 16 slots, with limits that never bind, beside none"

    private struct Way: Sendable {
        var name: String
        var key = "NULL"
        /// Arguments of `set_queue`.
        var limits: String?
    }

    private static let ways = [
        Way(name: "concurrency", limits: "concurrency => 10000"),
        Way(name: "rate limit", limits: "rate_limit => 100000000, rate_interval => '1 second'"),
        Way(name: "40 keys that take turns", key: "'tenant' || i % 40"),
        Way(name: "40 keys, 1,000 at once of each", key: "'tenant' || i % 40", limits: "key_concurrency => 1000"),
        Way(
            name: "all of them", key: "'tenant' || i % 40",
            limits:
                "concurrency => 10000, key_concurrency => 1000, rate_limit => 100000000, rate_interval => '1 second'"),
    ]

    static func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        let database = try await bench.server.database()
        let contestants = [Way(name: "none")] + ways
        let rounds = try await bench.turns(
            "limits",
            contestants.map { way -> @Sendable () async throws -> Double in
                {
                    try await WorkerCase.rate(
                        .init(workers: 2, slots: 16, jobs: 40_000, key: way.key, limits: way.limits), database)
                }
            })
        try await database.drop()
        return QueueReport.Case(
            name: "limits", title: title,
            figures: zip(ways, rounds.dropFirst()).map { way, figures in
                QueueFigure(
                    way.name, .jobsPerSecond, rounds: figures, against: ("none", rounds[0]),
                    goals: [.ratio(.atLeast, 0.75)])
            }, notes: [])
    }
}
