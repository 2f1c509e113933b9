import Foundation
import Testing

@testable import JobQueue

/// What an app's own transactions do to the queue, and what they don't.
@Suite(.serialized, .timeLimit(.minutes(4))) struct IsolationTests {
    @Test(arguments: [PostgresIsolation.repeatableRead, .serializable])
    func `a producer above READ COMMITTED enqueues, and wakes although it cannot see who sleeps`(
        level: PostgresIsolation
    )
        async throws
    {
        let bench = try await QueueBench()
        let inbox = try await NotificationInbox(bench)
        let worker = try await bench.worker("a")
        let app = try await bench.another()
        try await app.run("BEGIN ISOLATION LEVEL \(level.rawValue)")
        try await app.run("SELECT 1 FROM kiln.jobs")
        #expect(try await worker.sleep())
        let id = try await app.enqueue("a", "concurrency_key => 'k', unique_key => 'u'")
        let flow = try await app.workflow(#"[{"node": "x", "kind": "a"}, {"node": "y", "kind": "a", "after": ["x"]}]"#)
        #expect(try await app.state(id) == "ready")
        try await app.run("COMMIT")
        #expect(try await inbox.news() == ["wake:a"])
        #expect(try await Set(worker.claim().map(\.id)) == [id, try #require(flow.jobs["x"])])
        try await bench.expectHonestCounters()
    }

    @Test func `a key taken by a transaction that a snapshot cannot see asks for another try`() async throws {
        let bench = try await QueueBench()
        let app = try await bench.another()
        try await app.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try await app.run("SELECT 1 FROM kiln.jobs")
        let id = try await bench.enqueue("a", "unique_key => 'k'")
        let error = await app.error("SELECT kiln.enqueue('a', unique_key => 'k')")
        #expect(error?.sqlState == "40001")
        try await app.run("ROLLBACK")
        try await app.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
        #expect(try await app.enqueue("a", "unique_key => 'k'") == id)
        try await app.run("COMMIT")
    }

    @Test func `a parent that ended behind a snapshot's back is learned of at commit or asks for another try`()
        async throws
    {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let parent = try await bench.enqueue("a")
        let job = try await worker.claimOne()
        let app = try await bench.another()
        try await app.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
        let child = try await app.enqueue("a", "depends_on => ARRAY[$2::uuid]", parent)
        try await worker.complete([job])
        do {
            try await app.run("COMMIT")
            #expect(try await bench.state(child) == "ready")
        } catch let error as QueueError {
            #expect(error.sqlState == "40001")
            #expect(try await bench.state(child) == nil)
        }
        try await bench.expectHonestCounters()
    }

    @Test func `a transaction left open holds up nobody's claims, finishes or housekeeping`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 50, key_concurrency => 50)")
        let open = try await bench.another()
        let parent = try await bench.enqueue("a", "concurrency_key => 'k'")
        let old = try await bench.another()
        try await old.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try await old.run("SELECT count(*) FROM kiln.jobs")
        try await open.run("BEGIN")
        let mine = try await open.enqueue("a", "concurrency_key => 'k', unique_key => 'u'")
        _ = try await open.enqueue("a", "depends_on => ARRAY[$2::uuid]", parent)
        for _ in 0..<5 {
            try await bench.enqueue(
                count: 40,
                "jsonb_build_object('kind', 'a', 'concurrency_key', CASE WHEN i % 2 = 0 THEN 'k' ELSE 'l' END)")
            while true {
                let jobs = try await worker.claim()
                if jobs.isEmpty { break }
                #expect(try await worker.complete(jobs).allSatisfy { $0 })
            }
            try await bench.maintain(nil)
        }
        #expect(try await bench.value("SELECT horizon_age > 0 AND oldest_transaction > interval '0' FROM kiln.health"))
        #expect(try await bench.value("SELECT count(*) FROM kiln.job_history", as: Int.self) == 201)
        try await open.run("COMMIT")
        #expect(Set(try await worker.claim().map(\.id)).contains(mine))
        try await bench.expectHonestCounters()
    }

    @Test func `a row that an app holds is passed over, and claimed when it is let go`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let ids = try await bench.enqueue(
            count: 4,
            "jsonb_strip_nulls(jsonb_build_object('kind', 'a', 'concurrency_key', CASE WHEN i > 2 THEN 'k' END))")
        let holder = try await bench.another()
        try await holder.run("BEGIN")
        try await holder.run("SELECT FROM kiln.job WHERE id = ANY ($1) FOR UPDATE", [ids[0], ids[2]])
        #expect(try await Set(worker.claim().map(\.id)).isSubset(of: [ids[1], ids[3]]))
        try await holder.run("ROLLBACK")
        while try await bench.value("SELECT EXISTS (SELECT FROM kiln.job WHERE state = 'ready')") {
            _ = try await worker.claim()
        }
        #expect(try await bench.value("SELECT count(*) FROM kiln.job WHERE state = 'running'", as: Int.self) == 4)
    }
}
