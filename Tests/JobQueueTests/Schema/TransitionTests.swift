import Foundation
import Testing

@testable import JobQueue

/// Every change of state says when, why and by whom.
@Suite(.serialized) struct TransitionTests {
    /// `state: reason (who)`, and that the time of the change has moved on.
    private func last(_ id: UUID, _ bench: QueueBench, since: inout Date) async throws -> String {
        let row = try #require(
            try await bench.run("SELECT state, reason, changed_by, changed_at FROM kiln.jobs WHERE id = $1", id).first)
        let moment: Date = try row.decode("changed_at")
        #expect(moment > since)
        since = moment
        return "\(try row.decode("state", as: String.self)): \(try row.decode("reason", as: String.self))"
            + " (\(try row.decode("changed_by", as: String.self)))"
    }

    @Test func `the way through every state`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a", name: "w1")
        let parent = try await bench.enqueue("a")
        let id = try await bench.enqueue("a", "depends_on => ARRAY[$2::uuid], run_at => now() + interval '1 h'", parent)
        var since = Date.distantPast
        #expect(try await last(id, bench, since: &since) == "blocked: enqueued (postgres)")
        try await worker.complete(try await worker.claim())
        #expect(try await last(id, bench, since: &since) == "scheduled: its parents have finished (kiln)")
        try await bench.letTimePass()
        try await bench.maintain()
        #expect(try await last(id, bench, since: &since) == "ready: its time has come (kiln)")
        var job = try await worker.claimOne()
        #expect(try await last(id, bench, since: &since) == "running: claimed (w1)")
        #expect(try await worker.release([job]) == [true])
        #expect(try await last(id, bench, since: &since) == "ready: handed back by its worker (w1)")
        job = try await worker.claimOne()
        #expect(try await worker.snooze(job))
        since = try await bench.value("SELECT claimed_at FROM kiln.jobs WHERE id = $1", id)
        #expect(try await last(id, bench, since: &since) == "scheduled: snoozed by its handler (w1)")
        #expect(try await bench.value("SELECT kiln.retry($1)", id) == "ready")
        #expect(try await last(id, bench, since: &since) == "ready: retried by hand (postgres)")
        job = try await worker.claimOne()
        #expect(job.attempt == 1)
        #expect(try await worker.fail(job, delay: .seconds(60)) == "failed")
        #expect(try await last(id, bench, since: &since) == "failed: boom (w1)")
        let wait: Double = try await bench.value(
            "SELECT extract(epoch FROM run_at - changed_at)::float8 FROM kiln.jobs WHERE id = $1", id)
        #expect(abs(wait - 60) < 1)
        try await bench.letTimePass()
        job = try await worker.claimOne()
        #expect(job.attempt == 2)
        #expect(try await worker.complete([job], result: #"{"r": 1}"#) == [true])
        #expect(try await last(id, bench, since: &since) == "succeeded: completed (w1)")
        #expect(try await bench.job(id, "result,r") == "1")
        #expect(try await bench.job(id, "worker") == worker.id.uuidString.lowercased())
        try await bench.expectHonestCounters()
    }

    @Test func `ends without success say who wanted it`() async throws {
        let bench = try await QueueBench()
        let user = try await bench.login("producer")
        let worker = try await bench.worker("a", name: "w1")
        let name: String = try await user.value("SELECT session_user::text")
        var since = Date.distantPast
        let waiting = try await user.enqueue("a")
        #expect(try await user.value("SELECT kiln.cancel($1, 'a mistake')", waiting) == "cancelled")
        #expect(try await last(waiting, bench, since: &since) == "cancelled: a mistake (\(name))")
        #expect(try await user.value("SELECT kiln.cancel($1)", waiting) == "cancelled")

        let running = try await user.enqueue("a")
        var job = try await worker.claimOne()
        #expect(try await user.value("SELECT kiln.cancel($1, 'too late')", running) == "cancelling")
        #expect(try await bench.state(running) == "running")
        #expect(try await worker.cancelled(job, reason: "of its own"))
        #expect(try await last(running, bench, since: &since) == "cancelled: too late (\(name))")
        #expect(try await user.value("SELECT kiln.retry($1)", running) == "ready")
        job = try await worker.claimOne()
        #expect(job.cancelReason == nil)
        #expect(try await worker.cancelled(job, reason: "of its own"))
        #expect(try await last(running, bench, since: &since) == "cancelled: of its own (w1)")

        let bad = try await user.enqueue("a")
        #expect(try await worker.fail(try await worker.claimOne(), permanent: true) == "dead")
        #expect(try await last(bad, bench, since: &since) == "dead: boom (w1)")
        try await bench.expectHonestCounters()
    }

    @Test func `a handler that fails while it is being cancelled has been cancelled; one that succeeds has succeeded`()
        async throws
    {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        for _ in 0..<2 { try await bench.enqueue("a") }
        let jobs = try await worker.claim()
        for job in jobs { try await bench.run("SELECT kiln.cancel($1, 'stop')", job.id) }
        #expect(Set(try await worker.renew()) == Set(jobs.map { "\($0.id.uuidString.lowercased()) cancel stop" }))
        #expect(try await worker.fail(jobs[0]) == "cancelled")
        #expect(try await bench.job(jobs[0].id, "errors,0,error,message") == "boom")
        #expect(try await worker.complete([jobs[1]]) == [true])
        #expect(try await bench.value("SELECT kiln.cancel($1)", jobs[1].id) == "succeeded")
    }

    @Test func `a job that was asked to stop does not come back when its worker hands it back`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        for _ in 0..<3 { try await bench.enqueue("a", "concurrency_key => 'k'") }
        let jobs = try await worker.claim()
        for job in jobs { try await bench.run("SELECT kiln.cancel($1, 'stop')", job.id) }
        #expect(try await worker.release([jobs[0]]) == [true])
        #expect(try await worker.snooze(jobs[1]))
        #expect(try await worker.leave() == 1)
        for job in jobs {
            #expect(try await bench.state(job.id) == "cancelled")
            #expect(try await bench.job(job.id, "reason") == "stop")
        }
        #expect(try await bench.value("SELECT running FROM kiln.lane") == 0)
        try await bench.expectHonestCounters()
    }

    @Test func `attempts keep their error, worker, time and log, the newest 25 of them`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a", name: "w1")
        let id = try await bench.enqueue("a", "max_attempts => 30")
        for attempt in 1...30 {
            let job = try await worker.claimOne()
            #expect(job.attempt == attempt)
            try await worker.start([job])
            let state = try await worker.fail(
                job, #"{"code": "c", "message": "number \#(attempt)"}"#, log: #"["line 1", "line 2"]"#)
            #expect(state == (attempt < 30 ? "failed" : "dead"))
            try await bench.letTimePass()
        }
        #expect(
            try await bench.value("SELECT array_agg((e ->> 'attempt')::int) FROM jsonb_array_elements(kiln.job($1) -> 'errors') e", id)
                == Array(6...30))
        #expect(try await bench.job(id, "errors,-1,error,message") == "number 30")
        #expect(try await bench.job(id, "errors,-1,log,1") == "line 2")
        #expect(try await bench.job(id, "errors,-1,worker") == "w1")
        #expect(try await bench.job(id, "errors,-1,outcome") == "failed")
        let plausible: Bool = try await bench.value(
            """
            SELECT (e ->> 'seconds')::float BETWEEN 0 AND 600 AND (e ->> 'started_at')::timestamptz BETWEEN created_at AND now()
            FROM kiln.jobs, LATERAL (SELECT errors -> -1) x(e) WHERE id = $1
            """, id)
        #expect(plausible)
        #expect(try await bench.values("SELECT last_error #>> '{error,message}' FROM kiln.dead_jobs") == ["number 30"])
    }

    @Test func `dead jobs are listed, retried with fresh attempts, and purged`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a", "b")
        for kind in ["a", "a", "b"] { try await bench.enqueue(kind, "max_attempts => 1") }
        for job in try await worker.claim() { #expect(try await worker.fail(job) == "dead") }
        #expect(try await bench.values("SELECT d ->> 'kind' FROM kiln.dead() d ORDER BY 1") == ["a", "a", "b"])
        #expect(try await bench.values("SELECT d ->> 'kind' FROM kiln.dead('b', 5) d") == ["b"])
        #expect(try await bench.value("SELECT kiln.retry_dead('a', 1)") == 1)
        #expect(try await bench.value("SELECT kiln.retry_dead()") == 2)
        try await bench.expectHonestCounters()
        let jobs = try await worker.claim()
        #expect(jobs.map(\.attempt) == [1, 1, 1])
        for job in jobs { #expect(try await worker.fail(job) == "dead") }
        #expect(try await bench.job(jobs[0].id, "errors,1,error,code") == "broken")
        #expect(try await bench.value("SELECT kiln.purge_dead('b', now() - interval '1 h')") == 0)
        #expect(try await bench.value("SELECT kiln.purge_dead('b')") == 1)
        #expect(try await bench.value("SELECT kiln.purge_dead(before => now() + interval '1 h')") == 2)
        #expect(try await bench.state(jobs[0].id) == nil)
        try await bench.expectHonestCounters()
    }

    @Test func `purging leaves the dead that a child waits for`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let parent = try await bench.enqueue("a")
        let job = try await worker.claimOne()
        try await bench.enqueue(
            "a", "depends_on => ARRAY[$2::uuid], on_parent_failure => 'run', run_at => '2100-01-01'", parent)
        try await worker.fail(job, permanent: true)
        #expect(try await bench.value("SELECT kiln.purge_dead()") == 0)
        #expect(try await bench.state(parent) == "dead")
    }

    @Test func `what has succeeded is not retried, and what runs or is ready stays`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let id = try await bench.enqueue("a")
        #expect(try await bench.value("SELECT kiln.retry($1)", id) == "ready")
        let job = try await worker.claimOne()
        #expect(try await bench.value("SELECT kiln.retry($1)", id) == "running")
        try await worker.complete([job])
        #expect(await bench.error("SELECT kiln.retry($1)", id)?.sqlState == "55000")
    }
}
