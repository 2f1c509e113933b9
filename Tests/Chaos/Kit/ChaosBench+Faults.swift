import Foundation
import JobQueue
import Locking
import PostgresTestSupport

/// The faults. Each returns when it is over, but not when it is overcome.
extension ChaosBench {
    /// How many there were.
    var faults: Int { found.withLock { $0.faults } }

    private func tore(_ claims: [HeldClaim], at moment: Date = Date()) {
        found.withLock { found in
            found.faults += 1
            found.torn += claims.map { ($0, moment) }
        }
    }

    private func restored() {
        found.withLock { found in
            found.faults += 1
            found.restored.append(Date())
        }
    }

    private var anyWorker: WorkerProcess { workers[Int.random(in: workers.indices)] }

    /// Interrupts a worker while it has jobs.
    ///
    /// - Parameter set: interrupts it, or lets it go on.
    /// - Returns: what it holds; nothing, if it has no jobs for a long time.
    private func interrupt(_ worker: WorkerProcess, _ set: (Bool) -> Void) async throws -> [HeldClaim] {
        var claims: [HeldClaim] = []
        try await wait(within: .seconds(10)) {
            set(true)
            claims = try await held(by: worker.pid)
            if claims.isEmpty { set(false) }
            return !claims.isEmpty
        }
        set(true)
        return claims
    }

    /// Kills a worker at random.
    func kill() async throws {
        let worker = anyWorker
        let claims = try await interrupt(worker) { worker.signal($0 ? SIGSTOP : SIGCONT) }
        let deaths = worker.deaths
        tore(claims)
        worker.signal(SIGKILL)
        try await wait(within: .seconds(10)) { worker.deaths > deaths && worker.pid != 0 }
    }

    /// Stops a worker for longer than its lease, writes in its name when it has been given up, and lets it go on.
    func freeze() async throws {
        let worker = anyWorker
        let claims = try await interrupt(worker) { worker.signal($0 ? SIGSTOP : SIGCONT) }
        tore(claims)
        defer { worker.signal(SIGCONT) }
        try await Task.sleep(for: setup.lease * 1.5)
        try await writeAsZombies(claims)
    }

    /// Waits until the workers of these claims have been given up, and writes in their names.
    private func writeAsZombies(_ claims: [HeldClaim]) async throws {
        for id in Set(claims.map(\.worker)) {
            let isDead = try await wait(within: setup.lease * 5) {
                try await value("SELECT state = 'dead' FROM kiln.worker WHERE id = $1", [id])
            }
            guard isDead else {
                throw ChaosError("worker \(id) is not given up, \(setup.lease * 6.5) after it stopped")
            }
        }
        for claim in claims { try await writeAsZombie(claim) }
    }

    /// Breaks off a connection of a worker or of the producer at random, `count` times.
    func terminateBackends(count: Int, every pause: Duration) async throws {
        for _ in 0..<count {
            _ = try await query(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'chaos.%'
                    AND application_name NOT LIKE '%.observer' ORDER BY random() LIMIT 1
                """)
            restored()
            try await Task.sleep(for: pause)
        }
    }

    /// Restarts the server, with jobs waiting.
    func restart(mode: String) async throws {
        try await producer.enqueue(.write, count: 50, milliseconds: 20)
        try await database.cluster.restart(mode: mode)
        restored()
    }

    /// Stops the server for a while.
    func outage(_ duration: Duration) async throws {
        try await producer.enqueue(.write, count: 50, milliseconds: 20)
        try await database.cluster.stop()
        try await Task.sleep(for: duration)
        try await database.cluster.start()
        restored()
    }

    /// Lets a worker's packets vanish for longer than its lease. Afterwards those that had been sent arrive.
    func blackhole() async throws {
        let index = Int.random(in: workers.indices)
        let claims = try await interrupt(workers[index]) { proxies[index].mode = $0 ? .blackhole : .pass }
        tore(claims)
        defer { proxies[index].mode = .pass }
        try await Task.sleep(for: setup.lease * 1.5)
        try await writeAsZombies(claims)
    }

    /// Strangers take every connection that the server has, for longer than the lease, and those of the workers as
    /// these are broken off.
    func exhaust() async throws {
        try await producer.enqueue(.write, count: 50, milliseconds: 20)
        let settings = try PostgresSettings(database.url + "&application_name=stranger")
        let taken = Locked<[PostgresConnection]>([])
        let strangers = (0..<4).map { _ in
            Task {
                while !Task.isCancelled {
                    if let connection = try? await PostgresConnection.connect(settings, logger: quiet) {
                        taken.withLock { $0.append(connection) }
                    }
                    try? await Task.sleep(for: .milliseconds(10))
                }
            }
        }
        let end = ContinuousClock.now + setup.lease * 1.5
        do {
            while ContinuousClock.now < end {
                _ = try await query(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
                        AND application_name IN ('chaos.worker', 'chaos.records', 'chaos.producer')
                    """)
                try await Task.sleep(for: .milliseconds(500))
            }
        } catch {
            for stranger in strangers { stranger.cancel() }
            throw error
        }
        for stranger in strangers {
            stranger.cancel()
            await stranger.value
        }
        for connection in taken.withLock({ $0 }) { await connection.close() }
        restored()
    }

    /// Enqueues in a transaction that then stays open, with a key that others use as well, and commits it at the end.
    func idleTransaction(_ duration: Duration) async throws {
        let settings = try PostgresSettings(database.url + "&application_name=app")
        let connection = try await PostgresConnection.connect(settings, logger: quiet)
        let before = try await value("SELECT count(*) FROM chaos.finish", as: Int.self)
        var ids: [UUID] = []
        try await connection.script("BEGIN")
        for (kind, key) in [(ChaosKind.write, nil), (.keyed, "tenant 1"), (.limited, nil), (.rated, nil)] {
            let rows = try await connection.query(
                "SELECT kiln.enqueue($1, '{\"milliseconds\": 10}', concurrency_key => $2)", [kind.rawValue, key])
            for row in rows { ids.append(try row.decode(0)) }
        }
        found.withLock { $0.faults += 1 }
        try await Task.sleep(for: duration)
        let after = try await value("SELECT count(*) FROM chaos.finish", as: Int.self)
        guard after > before else { throw ChaosError("nothing was done while a transaction stayed open") }
        try await connection.script("COMMIT")
        producer.acknowledge(ids)
        await connection.close()
    }

    /// Enqueues a job that takes its process down whenever it runs, among others, and waits until it is given up.
    func poison() async throws {
        try await producer.enqueue(.write, count: 20, milliseconds: 100)
        try await producer.enqueue(.poison, priority: 10)
        found.withLock { $0.faults += 1 }
        let deadline = setup.lease * 12 + .seconds(30)
        let isOver = try await wait(within: deadline) {
            try await value(
                """
                SELECT count(*) FILTER (WHERE kind = 'chaos.poison')
                    = (SELECT count(*) FROM chaos.job WHERE kind = 'chaos.poison') FROM chaos.finish
                """)
        }
        guard isOver else { throw ChaosError("the poisonous job is not given up within \(deadline)") }
    }

    /// Keeps every thread of the workers' cooperative pools busy for longer than the lease.
    func starve() async throws {
        found.withLock { $0.faults += 1 }
        // A cooperative pool has as many threads as there are processors.
        let threads = min(setup.slots, ProcessInfo.processInfo.activeProcessorCount)
        let ids = try await producer.enqueue(
            .spin, count: setup.workers * threads, milliseconds: Int(setup.lease * 1.3 / .milliseconds(1)))
        try await wait(within: setup.lease * 20) {
            try await !value("SELECT EXISTS (SELECT FROM kiln.job WHERE id = ANY ($1))", [ids], as: Bool.self)
        }
    }
}
