import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct FairnessTests {
    private func keys(_ jobs: [ClaimedJob], _ bench: QueueBench) async throws -> [String?] {
        try await bench.values(
            "SELECT concurrency_key FROM unnest($1::uuid[]) WITH ORDINALITY u(id, n) JOIN kiln.jobs USING (id) ORDER BY n",
            jobs.map(\.id))
    }

    @Test func `keys take turns, also when one has far more jobs and came first`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 300, "jsonb_build_object('kind', 'a', 'concurrency_key', 'big')")
        try await bench.enqueue(count: 9, "jsonb_build_object('kind', 'a', 'concurrency_key', i)")
        let jobs = try await worker.claim(10)
        #expect(Set(try await keys(jobs, bench)).count == 10)
        // What is left is the big one's, which gets everything.
        #expect(try await worker.claim(50).count == 50)
    }

    @Test func `one by one, every key is served once in a round`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 40, "jsonb_build_object('kind', 'a', 'concurrency_key', i / 11)")
        var order: [String] = []
        for _ in 0..<24 {
            let jobs = try await worker.claim(1)
            order += try await keys(jobs, bench).compactMap { $0 }
            try await worker.complete(jobs)
        }
        for round in 0..<6 { #expect(Set(order[(round * 4)..<(round * 4 + 4)]).count == 4, "\(order)") }
    }

    @Test func `a key whose jobs came late is not behind those that waited long`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 50, "jsonb_build_object('kind', 'a', 'concurrency_key', 'old')")
        try await worker.complete(try await worker.claim(10))
        try await bench.enqueue("a", "concurrency_key => 'new'")
        let jobs = try await worker.claim(2)
        #expect(Set(try await keys(jobs, bench)) == ["old", "new"])
    }

    @Test func `priority comes before turns`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 5, "jsonb_build_object('kind', 'a', 'concurrency_key', 'x', 'priority', 1)")
        try await bench.enqueue(count: 5, "jsonb_build_object('kind', 'a', 'concurrency_key', 'y')")
        #expect(try await keys(try await worker.claim(5), bench) == Array(repeating: "x", count: 5))
    }

    @Test func `jobs without a key are not starved by those with one, nor the other way round`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(
            count: 200, "jsonb_strip_nulls(jsonb_build_object('kind', 'a', 'concurrency_key', CASE WHEN i % 2 = 0 THEN i % 8 END))")
        let plain = try await keys(try await worker.claim(20), bench).count { $0 == nil }
        #expect((5...15).contains(plain))
    }

    @Test func `a blocked key starves nobody, and its jobs are not walked over`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.run("SELECT kiln.set_queue('a', key_concurrency => 1)")
        for _ in 0..<3 {
            try await bench.enqueue(count: 1000, "jsonb_build_object('kind', 'a', 'concurrency_key', 'blocked', 'priority', 9)")
        }
        #expect(try await worker.claim().count == 1)
        try await bench.enqueue(count: 20, "jsonb_build_object('kind', 'a', 'concurrency_key', 'free ' || i)")
        try await bench.enqueue(count: 5, "jsonb_build_object('kind', 'a')")
        try await bench.run("ANALYZE")
        for expected in [25, 0] {
            try await bench.run("BEGIN")
            let jobs = try await worker.claim(50)
            let read: Int = try await bench.value(
                "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'job' AND schemaname = 'kiln'")
            try await bench.run("COMMIT")
            #expect(jobs.count == expected)
            #expect(read < 1000, "\(read) rows read for \(expected) jobs")
            try await worker.complete(jobs)
        }
        #expect(try await worker.sleep())
    }

    @Test func `lanes that nobody needs go away after an hour`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 3, "jsonb_build_object('kind', 'a', 'concurrency_key', i)")
        try await worker.complete(try await worker.claim(2))
        try await bench.run("UPDATE kiln.lane SET turn = turn - interval '2 hours'")
        try await bench.maintain("rarely")
        #expect(try await bench.value("SELECT count(*) FROM kiln.lane", as: Int.self) == 1)
        #expect(try await worker.claim().count == 1)
        try await bench.enqueue("a", "concurrency_key => '1'")
        #expect(try await worker.claim().count == 1)
    }
}
