import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

@Suite(.timeLimit(.minutes(6)))
struct WorkerLossTests {
    @Test func `a worker that cannot renew stops its handler before another gets the job, and its result is refused`()
        async throws
    {
        try await WorkerBench.with { bench in
            let proxy = try BlackholeProxy(to: bench.database.cluster.port)
            let order = Tally<String>()
            let (begun, never) = (Gate(), Gate())
            let cut = try QueueWorker(
                bench.database.tcpURL(port: proxy.port),
                options: WorkerBench.options {
                    $0.name = "cut"
                    $0.lease = .seconds(2)
                    $0.maintains = false
                }, logger: quiet)
            cut.register("test") { (job: Job<Nothing>) in
                order.add("cut begins")
                begun.open()
                await never.pass()
                order.add("cut stops")
                return "late"
            }
            let events = cut.events
            let task = try await bench.start(cut)
            let id = try await bench.enqueue()
            await begun.pass()
            try await bench.serve("test", KindOptions(), { $0.name = "other" }) { (job: Job<Nothing>) in
                order.add("other begins")
                return "right"
            }
            proxy.mode = .blackhole
            _ = try await events.firstValue { if case .leaseLost = $0 { true } else { nil } }
            try await bench.wait(id, "succeeded")
            #expect(order.all == ["cut begins", "cut stops", "other begins"])
            #expect(
                try await bench.text("SELECT result::text FROM kiln.job_history WHERE id = $1", [id]) == #""right""#)
            #expect(
                try await bench.connection.value(
                    "SELECT solo_reruns FROM (SELECT errors->0->>'outcome' = 'worker_lost' AS solo_reruns FROM kiln.job_history WHERE id = $1) x",
                    [id]))
            // Back on the network, it goes on under a new id.
            proxy.mode = .pass
            _ = try await events.firstValue { if case .registered = $0 { true } else { nil } }
            cut.shutDown(grace: .zero)
            try await task.value
            proxy.close()
        }
    }

    @Test func `a worker whose lease the database took away drops its results and registers anew`() async throws {
        try await WorkerBench.with { bench in
            let (begun, goOn) = (Gate(), Gate())
            let runs = Tally<Int>()
            let worker = try bench.worker()
            worker.register("test") { (job: Job<Nothing>) in
                runs.add(runs.count)
                if runs.count > 1 { return "second" }
                begun.open()
                await goOn.pass()
                return "first"
            }
            let events = worker.events
            try await bench.start(worker)
            let id = try await bench.enqueue()
            await begun.pass()
            try await bench.run("UPDATE kiln.worker SET expires_at = now() - interval '1 second'")
            _ = try await events.firstValue { if case .leaseLost = $0 { true } else { nil } }
            try await bench.wait(id, "succeeded")
            #expect(
                try await bench.text("SELECT result::text FROM kiln.job_history WHERE id = $1", [id]) == #""second""#)
            #expect(try await bench.connection.value("SELECT count(*) FROM kiln.worker", as: Int.self) == 2)
        }
    }

    @Test func `jobs of a worker that vanished rerun alone, one after another`() async throws {
        try await WorkerBench.with { bench in
            let ids = [try await bench.enqueue(), try await bench.enqueue()]
            // A worker that claims and is never heard of again.
            let ghost = WorkerStatements(worker: UUID(), schema: "kiln")
            let kinds = JSONText.array([KindOptions().description(of: "test")])
            _ = try await bench.connection.query(
                ghost.register(WorkerBench.options { $0.lease = .seconds(60) }, queues: ["test"], kinds: kinds))
            let room = JobWeight(cores: 4, memory: 0)
            let claimed = try await bench.connection.query(
                ghost.claim(queues: ["test"], allowance: [4], most: 4, free: room, total: room, isIdle: true))
            #expect(claimed.count == 2)
            try await bench.run("UPDATE kiln.worker SET expires_at = now() - interval '1 second'")
            let (now, peak) = (Tally<Int>(), Tally<Int>())
            let ended = Tally<Int>()
            let worker = try bench.worker()
            worker.register("test") { (job: Job<Nothing>) in
                now.add(1)
                peak.add(now.count - ended.count)
                await Task.yield()
                ended.add(1)
            }
            let events = worker.events
            try await bench.start(worker)
            let rescued = try await events.firstValue { if case .rescued(let count) = $0 { count } else { nil } }
            #expect(rescued == 2)
            for id in ids { try await bench.wait(id, "succeeded") }
            #expect(peak.all == [1, 1])
            #expect(
                try await bench.connection.value("SELECT bool_and(crashes = 0 AND attempt = 1) FROM kiln.job_history"))
        }
    }

    @Test func `a restart of the server in mid-work loses nothing and doubles nothing`() async throws {
        let cluster = try await PostgresCluster.start()
        do {
            try await WorkerBench.with(cluster: cluster) { bench in
                let jobs = 400
                let runs = Tally<Int>()
                let halfway = Gate()
                try await bench.serve("test", KindOptions(), { $0.slots = 8 }) { (job: Job<Int>) in
                    runs.add(job.payload)
                    if runs.count == jobs / 4 { halfway.open() }
                    return job.payload
                }
                try await bench.run(
                    "SELECT count(*) FROM kiln.enqueue_many((SELECT jsonb_agg(jsonb_build_object('kind', 'test', 'payload', i)) FROM generate_series(1, \(jobs)) i))"
                )
                await halfway.pass()
                try await cluster.restart()
                let again = try await PostgresConnection.connect(PostgresSettings(bench.database.url), logger: quiet)
                try await bench.until("all are done") {
                    try await again.value("SELECT count(*) FROM kiln.job", as: Int.self) == 0
                }
                let query =
                    "SELECT count(*) = \(jobs) AND count(DISTINCT id) = \(jobs) AND bool_and(outcome = 'succeeded' AND result = payload) FROM kiln.job_history"
                #expect(try await again.value(query))
                #expect(Set(runs.all).count == jobs)
                await again.close()
            }
        } catch {
            await cluster.remove()
            throw error
        }
        await cluster.remove()
    }
}
