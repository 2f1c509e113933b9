import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct RescueTests {
    @Test func `the jobs of a dead worker run again, alone, at no cost`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 3, key_concurrency => 3)")
        try await bench.enqueue(count: 3, "jsonb_build_object('kind', 'a', 'concurrency_key', 'k', 'max_attempts', 1)")
        let worker = try await bench.worker("a", name: "w1")
        let jobs = try await worker.claim()
        #expect(jobs.count == 3)
        try await worker.expire()
        #expect(try await bench.maintain().contains(#""rescued": 3"#))
        #expect(try await bench.maintain().contains(#""rescued": 0"#))
        #expect(try await bench.values("SELECT concat(state, rescued) FROM kiln.workers") == ["dead3"])
        // Neighbours: nobody knows whose fault it was.
        for job in jobs {
            #expect(try await bench.state(job.id) == "ready")
            #expect(try await bench.job(job.id, "crashes") == "0")
            #expect(try await bench.job(job.id, "reason") == "its worker stopped renewing its lease")
            #expect(try await bench.job(job.id, "errors,0,outcome") == "worker_lost")
            #expect(try await bench.job(job.id, "errors,0,worker") == "w1")
            #expect(try await bench.job(job.id, "errors,0,error,neighbours") == "2")
        }
        // A worker that is busy, or says so, gets none of them for now; an idle one gets one at a time.
        let next = try await bench.worker("a")
        try await bench.run("UPDATE kiln.job SET changed_at = clock_timestamp() + interval '1 hour'")
        #expect(try await next.claim().isEmpty)
        for _ in jobs {
            let job = try await next.claimOne(idle: true)
            #expect(job.alone && !job.held && job.attempt == 1 && job.crashes == 0)
            #expect(try await next.complete([job]) == [true])
        }
        try await bench.expectExactLimits()
        try await bench.expectHonestCounters()
    }

    @Test func `a job that somebody holds is rescued later, and keeps nobody else waiting`() async throws {
        let bench = try await QueueBench()
        try await bench.enqueue(count: 2, "jsonb_build_object('kind', 'a')")
        let frozen = try await bench.worker("a", name: "w1")
        let jobs = try await frozen.claim()
        #expect(jobs.count == 2)
        let stuck = try #require(jobs.first)
        let other = try await bench.another()
        try await other.run("BEGIN")
        try await other.run("SELECT FROM kiln.job WHERE id = $1 FOR UPDATE", stuck.id)
        try await frozen.expire()
        #expect(try await bench.maintain().contains(#""rescued": 1"#))
        #expect(try await bench.state(stuck.id) == "running")
        #expect(try await bench.maintain().contains(#""rescued": 0"#))
        try await other.run("COMMIT")
        #expect(try await bench.maintain().contains(#""rescued": 1"#))
        #expect(try await bench.values("SELECT concat(state, rescued) FROM kiln.workers") == ["dead2"])
        // It had a neighbour when its worker stopped, although it was rescued by itself.
        for job in jobs {
            #expect(try await bench.state(job.id) == "ready")
            #expect(try await bench.job(job.id, "crashes") == "0")
        }
        try await bench.expectHonestCounters()
    }

    @Test func `a job whose worker dies three times while it is alone is dead, a crash suspect`() async throws {
        let bench = try await QueueBench()
        let id = try await bench.enqueue("a", "max_attempts => 1")
        for death in 0..<3 {
            let worker = try await bench.worker("a")
            // The first time it is the worker's only job; then it is run alone.
            let job = try await worker.claimOne(idle: death > 0)
            #expect(job.crashes == death && job.attempt == 1)
            try await worker.die()
            #expect(try await bench.state(id) == (death < 2 ? "ready" : "dead"))
        }
        #expect(try await bench.job(id, "errors,-1,error,code") == "crash_suspect")
        #expect(try await bench.job(id, "errors,2,outcome") == "worker_lost")
        // Retried by hand, it begins anew.
        #expect(try await bench.value("SELECT kiln.retry($1)", id) == "ready")
        let worker = try await bench.worker("a")
        let job = try await worker.claimOne()
        #expect(job.crashes == 0 && !job.alone)
        try await worker.complete([job])
        try await bench.expectHonestCounters()
    }

    @Test func `a job that kills every worker takes no neighbour along`() async throws {
        let bench = try await QueueBench()
        let killer = try await bench.enqueue("a")
        let innocent = try await bench.enqueue(count: 4, "jsonb_build_object('kind', 'a')")
        var deaths = 0
        for _ in 0..<20 {
            let worker = try await bench.worker("a")
            var jobs = try await worker.claim(idle: true)
            if jobs.isEmpty { break }
            if let place = jobs.firstIndex(where: { $0.id == killer }) {
                jobs.remove(at: place)
                deaths += 1
                try await worker.die()
            } else {
                try await worker.complete(jobs)
                _ = try await worker.leave()
            }
        }
        #expect(deaths == 4)
        #expect(try await bench.state(killer) == "dead")
        #expect(try await bench.job(killer, "crashes") == "3")
        for id in innocent {
            #expect(try await bench.state(id) == "succeeded")
            #expect(try await bench.job(id, "crashes") == "0")
        }
    }

    @Test func `a busy worker takes a lonely job after a while, and holds it until it can be alone`() async throws {
        let bench = try await QueueBench()
        let id = try await bench.enqueue("a", "concurrency_key => 'k'")
        let first = try await bench.worker("a")
        _ = try await first.claimOne()
        try await first.die()
        let worker = try await bench.worker("a")
        let other = try await bench.enqueue("a")
        let busy = try await worker.claimOne()
        #expect(busy.id == other)
        try await bench.run("UPDATE kiln.job SET changed_at = changed_at - interval '1 minute' WHERE id = $1", id)
        let held = try await worker.claimOne()
        #expect(held.id == id && held.held && !held.alone)
        // It dies while holding: what has not begun is no suspect.
        try await worker.die()
        #expect(try await bench.job(id, "crashes") == "1")
        #expect(try await bench.job(other, "crashes") == "1")
        let next = try await bench.worker("a")
        var jobs = try await next.claim(idle: true)
        jobs += try await next.claim()
        #expect(jobs.count == 1)
        // Held, and then started alone, it counts.
        try await bench.run("UPDATE kiln.job SET changed_at = changed_at - interval '1 minute' WHERE state = 'ready'")
        let second = try await next.claimOne()
        #expect(second.held)
        try await next.complete(jobs)
        #expect(try await next.start([second], alone: true) == [second.id])
        try await next.die()
        #expect(try await bench.job(second.id, "crashes") == "2")
    }

    @Test func `lonely jobs respect keys, limits and pauses`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 2, key_concurrency => 1)")
        let ids = [
            try await bench.enqueue("a", "concurrency_key => 'k'"),
            try await bench.enqueue("a", "concurrency_key => 'l'"),
        ]
        let first = try await bench.worker("a")
        #expect(try await first.claim().count == 2)
        try await first.die()
        // Another job of the key k runs meanwhile.
        let neighbour = try await bench.enqueue("a", "concurrency_key => 'k'")
        let second = try await bench.worker("a")
        let running = try await second.claimOne()
        #expect(running.id == neighbour)
        let third = try await bench.worker("a")
        let lonely = try await third.claimOne(idle: true)
        #expect(lonely.id == ids[1])
        let fourth = try await bench.worker("a")
        #expect(try await fourth.claim(idle: true).isEmpty)
        try await third.complete([lonely])
        #expect(try await fourth.claim(idle: true).isEmpty)
        try await second.complete([running])
        try await bench.run("SELECT kiln.pause('a')")
        #expect(try await fourth.claim(idle: true).isEmpty)
        try await bench.run("SELECT kiln.resume('a')")
        #expect(try await fourth.claimOne(idle: true).id == ids[0])
        try await bench.expectExactLimits()
    }

    @Test func `a cancelled job whose worker dies is cancelled`() async throws {
        let bench = try await QueueBench()
        let id = try await bench.enqueue("a")
        let worker = try await bench.worker("a")
        _ = try await worker.claimOne()
        try await bench.run("SELECT kiln.cancel($1)", id)
        try await worker.die()
        #expect(try await bench.state(id) == "cancelled")
        try await bench.expectHonestCounters()
    }

    @Test func `workers are rescued one at a time, by one rescuer each`() async throws {
        let bench = try await QueueBench()
        var workers: [SQLWorker] = []
        for _ in 0..<4 {
            let worker = try await bench.worker("a")
            try await bench.enqueue(count: 5, "jsonb_build_object('kind', 'a')")
            #expect(try await worker.claim().count == 5)
            workers.append(worker)
        }
        for worker in workers { try await worker.expire() }
        #expect(try await bench.maintain().contains(#""more": true"#))
        let rescued = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    try await bench.another().value("SELECT sum(kiln.rescue()) FROM generate_series(1, 4)")
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(rescued == 15)
        #expect(try await bench.value("SELECT sum(rescued)::int FROM kiln.workers") == 20)
        #expect(
            try await bench.value("SELECT count(*) FROM kiln.job WHERE state = 'ready' AND solo", as: Int.self) == 20)
        #expect(try await bench.maintain().contains(#""more": false"#))
        try await bench.expectHonestCounters()
    }

    @Test func `a renewal keeps a lease, and a worker that drains or leaves hands over in peace`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a", lease: .seconds(1))
        try await bench.enqueue(count: 2, "jsonb_build_object('kind', 'a')")
        let jobs = try await worker.claim(1)
        try await worker.renew(.seconds(600))
        try await bench.maintain()
        #expect(try await worker.start(jobs).count == 1)
        #expect(try await bench.value("SELECT kiln.worker_drain($1)", worker.id))
        #expect(try await worker.claim().isEmpty)
        #expect(try await worker.renew().isEmpty)
        #expect(try await worker.leave() == 1)
        #expect(try await bench.values("SELECT state FROM kiln.workers") == ["gone"])
        #expect(try await bench.job(jobs[0].id, "state") == "ready")
        #expect(try await bench.job(jobs[0].id, "errors,0") == nil)
        let next = try await bench.worker("a")
        #expect(try await next.claim().map(\.attempt) == [1, 1])
    }
}
