import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized, .timeLimit(.minutes(4))) struct WakingTests {
    @Test func `a sleeping worker hears of a job at its commit, and nobody is told when nobody sleeps`() async throws {
        let bench = try await QueueBench()
        let inbox = try await NotificationInbox(bench)
        let worker = try await bench.worker("a")
        try await bench.enqueue("a")
        #expect(try await inbox.news() == [])
        #expect(try await !worker.sleep())
        try await worker.complete(try await worker.claim())
        #expect(try await worker.sleep())
        let app = try await bench.another()
        try await app.run("BEGIN")
        for _ in 0..<3 { try await app.enqueue("a") }
        try await app.enqueue("b")
        try await app.enqueue("a", "run_at => '2100-01-01'")
        #expect(try await inbox.news() == [])
        try await app.run("COMMIT")
        #expect(try await inbox.news() == ["wake:a"])
        // A claim that finds something ends the sleep.
        try await worker.complete(try await worker.claim())
        try await bench.enqueue("a")
        #expect(try await inbox.news() == [])
        try await worker.complete(try await worker.claim())
        // One that finds nothing does not.
        #expect(try await worker.sleep())
        #expect(try await worker.claim().isEmpty)
        try await app.run("BEGIN")
        try await app.enqueue("a")
        try await app.run("ROLLBACK")
        #expect(try await inbox.news() == [])
        try await bench.enqueue(count: 100, "jsonb_build_object('kind', 'a')")
        #expect(try await inbox.news() == ["wake:a"])
    }

    @Test func `whatever makes a job claimable wakes`() async throws {
        let bench = try await QueueBench()
        let inbox = try await NotificationInbox(bench)
        let sleeper = try await bench.worker("a")
        let busy = try await bench.worker("a")
        func expectWake(_ what: String, _ body: () async throws -> Void) async throws {
            #expect(try await sleeper.sleep(), "\(what)")
            _ = try await inbox.news()
            try await body()
            #expect(try await inbox.news().contains("wake:a"), "\(what)")
        }
        let parent = try await bench.enqueue("a")
        let child = try await bench.enqueue("a", "depends_on => ARRAY[$2::uuid]", parent)
        var job = try await busy.claimOne()
        try await expectWake("a child's parents have finished") { try await busy.complete([job]) }
        job = try await busy.claimOne()
        #expect(job.id == child)
        try await expectWake("a job is handed back") { try await busy.release([job]) }
        job = try await busy.claimOne()
        try await busy.fail(job, delay: .seconds(3600))
        try await expectWake("a retry is due") {
            try await bench.letTimePass()
            try await bench.maintain()
        }
        job = try await busy.claimOne()
        #expect(try await busy.snooze(job))
        try await expectWake("somebody retries by hand") { try await bench.run("SELECT kiln.retry($1)", job.id) }
        job = try await busy.claimOne()
        try await busy.fail(job, permanent: true)
        try await expectWake("the dead are retried") { try await bench.run("SELECT kiln.retry_dead()") }
        job = try await busy.claimOne()
        try await expectWake("a worker leaves") { _ = try await busy.leave() }
        let dying = try await bench.worker("a")
        _ = try await dying.claimOne()
        try await expectWake("a worker dies") { try await dying.die() }
        let next = try await bench.worker("a")
        try await next.complete([try await next.claimOne(idle: true)])

        try await bench.run("SELECT kiln.pause('a')")
        try await bench.enqueue("a")
        try await expectWake("a queue is resumed") { try await bench.run("SELECT kiln.resume('a')") }
        try await next.complete(try await next.claim())
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 1, key_concurrency => 1)")
        try await bench.enqueue(count: 3, "jsonb_build_object('kind', 'a', 'concurrency_key', 'k')")
        job = try await next.claimOne()
        try await expectWake("a slot comes free") { try await next.complete([job]) }
        job = try await next.claimOne()
        try await expectWake("a limit is raised") { try await bench.run("SELECT kiln.set_queue('a')") }
    }

    @Test func `only workers of the queue that are alive and asleep count`() async throws {
        let bench = try await QueueBench()
        let inbox = try await NotificationInbox(bench)
        let other = try await bench.worker("b")
        let drained = try await bench.worker("a")
        let gone = try await bench.worker("a")
        for worker in [other, drained, gone] { #expect(try await worker.sleep()) }
        try await bench.run("SELECT kiln.worker_drain($1)", drained.id)
        _ = try await gone.leave()
        try await bench.enqueue("a")
        #expect(try await inbox.news() == [])
        try await bench.enqueue("b")
        #expect(try await inbox.news() == ["wake:b"])
    }

    @Test func `a worker cannot fall asleep while a producer is committing, and is told of what comes after`()
        async throws
    {
        let bench = try await QueueBench()
        let inbox = try await NotificationInbox(bench)
        let worker = try await bench.worker("a")
        let app = try await bench.another()
        // The producer's commit has looked for sleepers, and is not yet visible.
        try await app.run("BEGIN")
        try await app.enqueue("a")
        try await app.run("SET CONSTRAINTS ALL IMMEDIATE")
        #expect(try await !worker.sleep())
        try await app.run("COMMIT")
        #expect(try await worker.claim().count == 1)
        // It sleeps while the transaction is open: the commit sees it.
        try await app.run("BEGIN")
        try await app.enqueue("a")
        #expect(try await worker.sleep())
        try await app.run("COMMIT")
        #expect(try await inbox.news() == ["wake:a"])
    }

    @Test func `a running job's cancellation goes to its worker, a change of schedules to all`() async throws {
        let bench = try await QueueBench()
        let inbox = try await NotificationInbox(bench)
        let worker = try await bench.worker("a")
        let id = try await bench.enqueue("a")
        _ = try await worker.claimOne()
        for _ in 0..<2 { #expect(try await bench.value("SELECT kiln.cancel($1)", id) == "cancelling") }
        #expect(try await inbox.news() == ["cancel:\(worker.id):\(id)".lowercased()])
        try await bench.run("SELECT kiln.schedule('s', '@daily', 'UTC', 'a')")
        #expect(try await inbox.news() == ["schedule"])
        try await bench.run("SELECT kiln.unschedule('s')")
        #expect(try await inbox.news() == ["schedule"])
    }

    @Test func `a sleeping worker is told of a job that comes due soon, and of no other`() async throws {
        let bench = try await QueueBench()
        let inbox = try await NotificationInbox(bench)
        let worker = try await bench.worker("a")
        #expect(try await worker.sleep())
        try await bench.enqueue("a", "run_at => clock_timestamp() + interval '1 hour'")
        try await bench.enqueue("b", "run_at => clock_timestamp() + interval '3 s'")
        #expect(try await inbox.news() == [])
        func due() async throws -> [Double] {
            // On a slow machine one may have come due meanwhile, which is told of as well.
            try await inbox.news().filter { $0 != "wake:a" }.map { note in
                #expect(note.hasPrefix("due:"), "\(note)")
                return try #require(Double(note.dropFirst(4)))
            }
        }
        try await bench.enqueue("a", "run_at => clock_timestamp() + interval '2 s'")
        let told = try await due()
        #expect(told.count == 1 && told.allSatisfy { (0...2).contains($0) })
        // One that is put off is not told of; one that is brought forward is.
        for (delay, isTold) in [(4, true), (4, false), (1, true)] {
            try await bench.enqueue(
                "a",
                "run_at => clock_timestamp() + interval '\(delay) s', unique_key => 'k', on_duplicate => 'replace'")
            #expect(try await !due().isEmpty == isTold, "\(delay)")
        }
        try await bench.enqueue(
            count: 10, "jsonb_build_object('kind', 'a', 'run_at', clock_timestamp() + interval '1 s')")
        #expect(try await due().count == 1)
        // What was far ahead is told of by the housekeeping when its time is near.
        try await bench.run("DELETE FROM kiln.job WHERE run_at < clock_timestamp() + interval '1 min'")
        try await bench.maintain()
        #expect(try await due() == [])
        try await bench.run("UPDATE kiln.job SET run_at = clock_timestamp() + interval '1 s'")
        try await bench.maintain()
        #expect(try await due().count == 1)
        try await bench.run("SELECT kiln.worker_drain($1)", worker.id)
        try await bench.maintain()
        #expect(try await due() == [])
    }

    @Test func `sleep says when the next job is due`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        func due() async throws -> Double? {
            try await bench.value("SELECT next_due FROM kiln.worker_sleep($1)", worker.id)
        }
        #expect(try await due() == nil)
        try await bench.enqueue("a", "run_at => clock_timestamp() + interval '500 s'")
        let seconds = try #require(try await due())
        #expect((300...500).contains(seconds))
    }
}
