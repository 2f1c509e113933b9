import Foundation
import Testing

@testable import JobQueue

/// A write that a worker makes about a job; returns whether it was accepted.
private struct Write: Sendable, CustomTestStringConvertible {
    var name: String
    var make: @Sendable (SQLWorker, ClaimedJob) async throws -> Bool
    var testDescription: String { name }

    static let all = [
        Write(name: "start") { try await $0.start([$1]) == [$1.id] },
        Write(name: "complete") { try await $0.complete([$1], result: #""a zombie's""#) == [true] },
        Write(name: "fail") { try await $0.fail($1) != nil },
        Write(name: "fail for good") { try await $0.fail($1, permanent: true) != nil },
        Write(name: "snooze") { try await $0.snooze($1) },
        Write(name: "release") { try await $0.release([$1]) == [true] },
        Write(name: "cancelled") { try await $0.cancelled($1) },
        Write(name: "weigh") { worker, job in
            try await worker.bench.value("SELECT kiln.worker_weigh($1, $2, $3, 7, 7)", worker.id, job.id, job.token)
        },
        Write(name: "progress") { try await $0.progress($1, #""fraction": 0.9, "checkpoint": "zombie""#) == [$1.id] },
        Write(name: "progress with the renewal") { worker, job in
            try await worker.bench.run(
                "SELECT kiln.worker_renew($1, '1 min', $2)", worker.id,
                PostgresJSON(#"[{"id": "\#(job.id)", "token": \#(job.token), "phase": "zombie"}]"#))
            return try await worker.bench.job(job.id, "progress,phase") == "zombie"
        },
        Write(name: "begin a step") { try await $0.beginStep($1, "new") == "t running" },
        Write(name: "finish a step") { try await $0.finishStep($1, "old", result: #""zombie""#) },
        Write(name: "spawn") { worker, job in
            do {
                return try await worker.spawn(job, #"[{"kind": "spawned"}]"#).count == 1
            } catch let error as QueueError where error.sqlState == "KL001" {
                return false
            }
        },
    ]
}

@Suite(.serialized) struct FenceTests {
    /// Everything there is about jobs, in one text.
    private func everything(_ bench: QueueBench) async throws -> String {
        try await bench.value(
            """
            SELECT concat((SELECT jsonb_agg(to_jsonb(j) ORDER BY id) FROM kiln.job j),
                (SELECT jsonb_agg(to_jsonb(h) ORDER BY id) FROM kiln.job_history h),
                (SELECT jsonb_agg(to_jsonb(p)) FROM kiln.job_progress p), (SELECT jsonb_agg(to_jsonb(s)) FROM kiln.step s),
                (SELECT jsonb_agg(to_jsonb(l)) FROM kiln.lane l), (SELECT jsonb_agg(to_jsonb(q) - 'changed_at') FROM kiln.queue q))
            """)
    }

    /// A job that a worker has, with progress and a step begun, in a limited queue and with a key.
    private func runningJob(_ bench: QueueBench) async throws -> (SQLWorker, ClaimedJob) {
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 5, key_concurrency => 5)")
        try await bench.enqueue("a", "concurrency_key => 'k'")
        let worker = try await bench.worker("a")
        let job = try await worker.claimOne()
        try await worker.progress(job, #""fraction": 0.1, "checkpoint": "mine""#)
        #expect(try await worker.beginStep(job, "old") == "t running")
        return (worker, job)
    }

    @Test(arguments: Write.all)
    private func `a write with the right token is accepted, with a wrong one or by another worker it does nothing`(
        write: Write
    ) async throws {
        let bench = try await QueueBench()
        let (worker, job) = try await runningJob(bench)
        let before = try await everything(bench)
        var stale = job
        for token in [job.token - 1, job.token + 1, 0] {
            stale.token = token
            #expect(try await !write.make(worker, stale))
        }
        let other = try await bench.worker("a")
        #expect(try await !write.make(other, job))
        #expect(try await everything(bench) == before)
        #expect(try await write.make(worker, job))
        #expect(try await everything(bench) != before)
    }

    @Test(arguments: Write.all.filter { $0.name != "progress with the renewal" })
    private func `a zombie's write misses when the job has gone to another worker, and when it has finished there`(
        write: Write
    ) async throws {
        let bench = try await QueueBench()
        let (worker, job) = try await runningJob(bench)
        try await worker.die()
        var before = try await everything(bench)
        #expect(try await !write.make(worker, job))
        #expect(try await everything(bench) == before)
        let other = try await bench.worker("a")
        let again = try await other.claimOne(idle: true)
        #expect(again.id == job.id && again.token > job.token)
        before = try await everything(bench)
        #expect(try await !write.make(worker, job))
        #expect(try await everything(bench) == before)
        #expect(try await other.complete([again], result: "1") == [true])
        before = try await everything(bench)
        #expect(try await !write.make(worker, job))
        #expect(try await everything(bench) == before)
    }

    @Test func `a token missing among many is refused alone`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 4, "jsonb_build_object('kind', 'a')")
        var jobs = try await worker.claim()
        jobs[1].token += 100
        #expect(try await worker.complete(jobs) == [true, false, true, true])
        #expect(try await bench.state(jobs[1].id) == "running")
        #expect(try await bench.state(jobs[2].id) == "succeeded")
        try await bench.expectHonestCounters()
    }

    @Test func `tokens only grow`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 3, "jsonb_build_object('kind', 'a')")
        var last: Int64 = 0
        for _ in 0..<5 {
            let jobs = try await worker.claim()
            let tokens = jobs.map(\.token)
            #expect(Set(tokens).count == 3)
            #expect(tokens.allSatisfy { $0 > last })
            last = tokens.max() ?? last
            try await worker.release(jobs)
        }
    }

    @Test func `a worker without a lease gets KL001 for everything that needs one`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue("a")
        func refused() async -> [String?] {
            var states: [String?] = []
            for sql in [
                "SELECT kiln.worker_claim($1, '{a}', NULL, 1, 1, 1, 1, 1)", "SELECT kiln.worker_renew($1, '1 min')",
                "SELECT kiln.worker_sleep($1)",
            ] {
                states.append(await bench.error(sql, worker.id)?.sqlState)
            }
            return states
        }
        try await worker.expire()
        #expect(await refused() == ["KL001", "KL001", "KL001"])
        try await bench.maintain()
        #expect(await refused() == ["KL001", "KL001", "KL001"])
        #expect(
            await bench.error(
                "SELECT kiln.worker_register($1, 'w', 'h', 1, 'v', '{a}', '[]', 1, 1, 1, '1 min')", worker.id)?.sqlState
                == "23505")
    }
}
