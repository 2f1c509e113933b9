import JobQueue

/// How long it takes from enqueueing until the handler runs in another process.
enum LatencyCase {
    static let title = "from enqueueing to the handler's first line, in a worker with 16 slots"
    private static let probesPerRound = 200
    /// Jobs per second that others enqueue meanwhile, one by one.
    private static let load = 500

    private struct Times: Sendable {
        /// From the call of `enqueue`, and from its return, when it is committed.
        var fromCall = CallTimes()
        var fromCommit = CallTimes()
    }

    static func measure(_ bench: QueueBenchmarkRun) async throws -> QueueReport.Case {
        let goals = [
            QueueFigure.Goal(subject: .value, bound: .atMost, limit: 3),
            QueueFigure.Goal(subject: .p99, bound: .atMost, limit: 15),
        ]
        let database = try await bench.server.database()
        let probes = probesPerRound * bench.rounds
        let workers = WorkerProcesses(database: database, count: 1, slots: 16)
        let (times, _) = try await workers.during { () async throws -> [Times] in
            // The first probes warm up.
            _ = try await probe(database, count: 20)
            bench.note("latency: idle")
            let idle = try await probe(database, count: probes)
            bench.note("latency: under load")
            // A probe takes about 30 ms; the load lasts longer.
            async let others = bench.server.pgbench.run(
                "SELECT kiln.enqueue('noop', '{\"n\": 1}');", on: database.url, transactions: load * probes / 50,
                extra: ["-R", "\(load)"])
            try await Task.sleep(for: .seconds(1))
            let busy = try await probe(database, count: probes)
            _ = try await others
            return [idle, busy]
        }
        try await database.drop()
        var figures: [QueueFigure] = []
        for (name, one) in zip(["idle", "\(load) jobs/s from others"], times) {
            let isIdle = figures.isEmpty
            figures.append(QueueFigure("\(name), from the call", times: one.fromCall, goals: isIdle ? goals : []))
            figures.append(QueueFigure("\(name), from the commit", times: one.fromCommit))
        }
        return QueueReport.Case(
            name: "latency", title: title, figures: figures,
            notes: ["One job at a time, with a pause of 20 ms after each, in which an idle worker has gone to sleep."])
    }

    /// Enqueues jobs one after another and reads when they began.
    private static func probe(_ database: QueueDatabase, count: Int) async throws -> Times {
        let connection = try await database.connect()
        var times = Times()
        for _ in 0..<count {
            let sent = ProbePayload.now
            let rows = try await connection.query(
                "SELECT kiln.enqueue('noop', jsonb_build_object('sent', $1::bigint))::text AS id", [sent],
                name: "enqueue")
            let returned = ProbePayload.now
            guard let id = try rows.first?.decode("id", as: String.self) else { continue }
            let started = try await start(of: id, connection)
            times.fromCall.record(nanoseconds: Double(started - sent) * 1e3)
            times.fromCommit.record(nanoseconds: Double(started - returned) * 1e3)
            try await Task.sleep(for: .milliseconds(20))
        }
        await connection.close()
        return times
    }

    /// Looks for the job's result until it is there.
    private static func start(of id: String, _ connection: PostgresConnection) async throws -> Int64 {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            // Not at once: asking would take the cores from who is measured.
            try await Task.sleep(for: .milliseconds(10))
            let rows = try await connection.query(
                "SELECT (result ->> 'started')::bigint AS started FROM kiln.job_history WHERE id = $1::text::uuid",
                [id],
                name: "started")
            if let row = rows.first { return try row.decode("started", as: Int64.self) }
        }
        throw ChildProcess.Failure(description: "job \(id) did not finish within 30 s")
    }
}
