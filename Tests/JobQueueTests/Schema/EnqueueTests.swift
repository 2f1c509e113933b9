import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct EnqueueTests {
    @Test func `a job is ready at once, in the queue of its kind, with defaults`() async throws {
        let bench = try await QueueBench()
        let id = try await bench.enqueue("media.probe")
        let job: String = try await bench.value(
            """
            SELECT row(kind, queue, state, priority, payload, attempt, max_attempts, timeout, cores, memory, created_by,
                changed_by, reason, run_at <= clock_timestamp(), metadata)::text FROM kiln.jobs WHERE id = $1
            """, id)
        #expect(job == "(media.probe,media.probe,ready,0,{},0,3,,1,0,postgres,postgres,enqueued,t,)")
        #expect(id.uuidString.dropFirst(14).first == "7")
    }

    @Test func `a kind's defaults hold where an argument is left out`() async throws {
        let bench = try await QueueBench()
        try await bench.run(
            "SELECT kiln.set_kind('k', queue => 'slow', max_attempts => 7, timeout => '90 s', cores => 2.5, memory => 1000)"
        )
        let given = "queue => 'fast', max_attempts => 1, timeout => '5 s', cores => 0.5, memory => 1"
        let ids = [try await bench.enqueue("k"), try await bench.enqueue("k", given)]
        let jobs: [String] = try await bench.values(
            "SELECT row(queue, max_attempts, timeout, cores, memory)::text FROM kiln.jobs WHERE id = ANY ($1) ORDER BY id",
            ids)
        #expect(jobs == ["(slow,7,00:01:30,2.5,1000)", "(fast,1,00:00:05,0.5,1)"])
        // Set again, it forgets what is left out; jobs that exist keep theirs.
        try await bench.run("SELECT kiln.set_kind('k', max_attempts => 2)")
        let later = try await bench.enqueue("k")
        #expect(try await bench.job(later, "queue") == "k")
        #expect(try await bench.job(later, "max_attempts") == "2")
        #expect(try await bench.job(ids[0], "max_attempts") == "7")
    }

    @Test func `a worker's registration sets the defaults of its kinds`() async throws {
        let bench = try await QueueBench()
        _ = try await bench.worker(
            "q", kinds: #"[{"name": "k", "queue": "q", "max_attempts": 9, "timeout": "1 minute", "cores": 3, "memory": 5}]"#)
        let id = try await bench.enqueue("k")
        let job: String = try await bench.value(
            "SELECT row(queue, max_attempts, timeout, cores, memory)::text FROM kiln.jobs WHERE id = $1", id)
        #expect(job == "(q,9,00:01:00,3,5)")
        #expect(try await bench.values("SELECT kinds[1] FROM kiln.workers") == ["k"])
    }

    @Test func `a transaction that rolls back leaves no job, nor a trace in the counters`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.run("CREATE TABLE video (id int)")
        for ending in ["ROLLBACK", "COMMIT"] {
            let app = try await bench.another()
            try await app.run("BEGIN")
            try await app.run("INSERT INTO video VALUES (1)")
            try await app.enqueue("a", "concurrency_key => 'tenant', unique_key => 'v1'")
            #expect(try await worker.claim().isEmpty)
            try await app.run(ending)
            #expect(try await bench.value("SELECT count(*) FROM video", as: Int.self) == (ending == "COMMIT" ? 1 : 0))
            try await bench.expectHonestCounters()
        }
        #expect(try await worker.claim().count == 1)
        #expect(try await bench.value("SELECT count(*) FROM kiln.unique_claim", as: Int.self) == 1)
    }

    @Test func `many jobs come back in order, with every argument of enqueue as a key`() async throws {
        let bench = try await QueueBench()
        let ids = try await bench.enqueue(count: 500, "jsonb_build_object('kind', 'a', 'payload', i)")
        let payloads: [Int] = try await bench.values(
            "SELECT payload::int FROM unnest($1::uuid[]) WITH ORDINALITY u(id, n) JOIN kiln.jobs USING (id) ORDER BY n", ids)
        #expect(payloads == Array(1...500))
        #expect(ids == ids.sorted { $0.uuidString < $1.uuidString })
        let full: UUID = try await bench.value(
            """
            SELECT kiln.enqueue_many('[{"kind": "a", "payload": [1, null], "queue": "q", "priority": -3,
                "run_at": "2100-01-01T00:00:00Z", "max_attempts": 4, "timeout": "15 minutes", "unique_key": "u",
                "unique_scope": "period", "unique_period": 3600, "on_duplicate": "replace", "concurrency_key": "c",
                "cores": 0.25, "memory": 5000000000, "metadata": {"for": "people"}, "node": "n"}]')
            """)
        let job: String = try await bench.value(
            """
            SELECT row(payload, queue, state, priority, run_at AT TIME ZONE 'UTC', max_attempts, timeout, unique_key,
                concurrency_key, cores, memory, metadata, node)::text FROM kiln.jobs WHERE id = $1
            """, full)
        #expect(
            job == #"("[1, null]",q,scheduled,-3,"01.01.2100 00:00:00",4,00:15:00,u,c,0.25,5000000000,"{""for"": ""people""}",n)"#)
        let left: Bool = try await bench.value(
            "SELECT until BETWEEN now() + interval '59 min' AND now() + interval '61 min' FROM kiln.unique_claim")
        #expect(left)
        #expect(try await bench.values("SELECT kiln.enqueue_many('[]')", as: UUID.self) == [])
    }

    @Test func `one bad job in a batch leaves none of it`() async throws {
        let bench = try await QueueBench()
        let error = await bench.error(#"SELECT kiln.enqueue_many('[{"kind": "a"}, {"kind": "a", "max_attempts": 0}]')"#)
        #expect(error?.message == #"enqueue_many, job 2: max_attempts is "0", but it must be 1 to 10000"#)
        #expect(try await bench.value("SELECT count(*) FROM kiln.jobs", as: Int.self) == 0)
    }

    @Test func `ids sort by the time they were made, and a child's comes after its parents'`() async throws {
        let bench = try await QueueBench()
        var ids: [UUID] = []
        for _ in 0..<50 { ids.append(try await bench.enqueue("a")) }
        #expect(ids == ids.sorted { $0.uuidString < $1.uuidString })
        // A parent from a machine whose clock is ahead.
        let ahead: UUID = try await bench.value("SELECT kiln.uuid7(kiln.clock_us() + 60000000)")
        try await bench.run("UPDATE kiln.job SET id = $1 WHERE id = $2", ahead, ids[0])
        let child = try await bench.enqueue("a", "depends_on => ARRAY[$2::uuid]", ahead)
        #expect(child.uuidString > ahead.uuidString)
        let made: Bool = try await bench.value(
            "SELECT abs(kiln.after_us($1) / 1e6 - extract(epoch FROM clock_timestamp())) < 60", ids[1])
        #expect(made)
    }

    @Test func `a delayed job is claimed when its time has come`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let id = try await bench.enqueue("a", "run_at => now() + interval '1 hour', concurrency_key => 'k'")
        #expect(try await bench.state(id) == "scheduled")
        #expect(try await worker.claim().isEmpty)
        try await bench.letTimePass()
        #expect(try await worker.claim().map(\.id) == [id])
        try await bench.expectHonestCounters()
    }
}
