import JobQueue

/// Jobs that do nothing, from the table through a handler into the history, with workers in processes of their own.
enum WorkerCase {
    static let title = "no-op jobs end to end, everything on, workers in processes of their own"

    struct Setting: Sendable {
        var workers: Int
        var slots: Int
        var jobs: Int
        /// Of each job, in SQL, by its number `i`.
        var key = "NULL"
        /// Arguments of `set_queue`, if the queue is limited.
        var limits: String?

        var name: String { "\(workers == 1 ? "one worker" : "two workers"), \(slots) slot\(slots == 1 ? "" : "s")" }
    }

    private static let settings = [1, 2].flatMap { workers in
        [(1, 2_500), (4, 10_000), (16, 40_000)].map { slots, jobs in
            Setting(workers: workers, slots: slots, jobs: jobs)
        }
    }

    static func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        let database = try await bench.server.database()
        try await ThroughputCase.prepareFloor(database)
        let contestants = settings.map { setting -> @Sendable () async throws -> Double in
            { try await rate(setting, database) }
        }
        let rounds = try await bench.turns("end to end", [{ try await ThroughputCase.bare(database) }] + contestants)
        let last = try await usage(settings[settings.count - 1], database)
        try await database.drop()
        return QueueReport.Case(
            name: "worker", title: title,
            figures: zip(settings, rounds.dropFirst()).map { setting, figures in
                QueueFigure(
                    setting.name, .jobsPerSecond, rounds: figures,
                    against: ("claim and move in one statement", rounds[0]),
                    goals: setting.slots == 16 ? [.ratio(.atLeast, 0.27)] : [])
            },
            notes: ["CPU of the worker processes, \(settings[settings.count - 1].name): \(last.fixed(0)) µs per job."])
    }

    /// Jobs per second, from the moment when every worker has claimed until the last has finished.
    static func rate(_ setting: Setting, _ database: QueueDatabase) async throws -> Double {
        _ = try await drain(setting, database)
        return try await database.number(
            """
            SELECT count(*) / date_part('epoch', max(h.finished_at) - max(w.since))
            FROM kiln.job_history h, (SELECT max(first) AS since FROM (SELECT min(claimed_at) AS first
                FROM kiln.job_history GROUP BY worker) f) w
            WHERE h.finished_at > w.since
            """)
    }

    /// Microseconds of CPU per job.
    private static func usage(_ setting: Setting, _ database: QueueDatabase) async throws -> Double {
        try await drain(setting, database) / Double(setting.jobs) * 1e6
    }

    /// - Returns: CPU seconds of the workers.
    private static func drain(_ setting: Setting, _ database: QueueDatabase) async throws -> Double {
        try await database.clear()
        if let limits = setting.limits { try await database.run("SELECT kiln.set_queue('noop', \(limits))") }
        try await database.fill(setting.jobs, series: 1, key: setting.key)
        try await database.vacuum()
        let workers = WorkerProcesses(database: database, count: setting.workers, slots: setting.slots)
        return try await workers.during {
            try await untilEmpty(database)
        }.cpuSeconds
    }

    static func untilEmpty(_ database: QueueDatabase) async throws {
        let connection = try await database.connect()
        let deadline = ContinuousClock.now + .seconds(120)
        while try await connection.query("SELECT 1 FROM kiln.job LIMIT 1").count > 0 {
            guard ContinuousClock.now < deadline else {
                throw ChildProcess.Failure(description: "the workers did not finish their jobs within 120 s")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        await connection.close()
    }
}
