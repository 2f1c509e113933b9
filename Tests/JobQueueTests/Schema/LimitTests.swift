import Foundation
import Locking
import Testing

@testable import JobQueue

/// What eight workers do at random: they claim, complete, release and fail in parts until nothing is left.
private func churn(
    _ bench: QueueBench, _ queues: [String], until isOver: @escaping @Sendable (SQLWorker) async throws -> Bool,
    afterClaim check: @escaping @Sendable (SQLWorker) async throws -> Void
) async throws {
    try await withWorkers(8, bench, queues) { worker, index in
        var random = SeededGenerator(UInt64(index) + 1)
        while true {
            var jobs = try await worker.claim(random.int(1...12))
            if jobs.isEmpty, try await isOver(worker) { break }
            if !jobs.isEmpty { try await check(worker) }
            while !jobs.isEmpty {
                let part = Array(jobs.prefix(random.int(1...4)))
                jobs.removeFirst(part.count)
                switch random.int(0...9) {
                case 0...1: #expect(try await worker.release(part).allSatisfy { $0 })
                case 2: for job in part { #expect(try await worker.fail(job) != nil) }
                default: #expect(try await worker.complete(part).allSatisfy { $0 })
                }
            }
        }
    }
}

private func isEmpty(_ worker: SQLWorker) async throws -> Bool {
    try await worker.bench.value("SELECT NOT EXISTS (SELECT FROM kiln.job)")
}

@Suite(.serialized) struct LimitTests {
    @Test func `no queue ever runs more than its concurrency, under eight claimers`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 7), kiln.set_queue('b', concurrency => 1)")
        try await bench.enqueue(
            count: 300, "jsonb_build_object('kind', CASE WHEN i % 6 = 0 THEN 'b' ELSE 'a' END, 'priority', i % 3)")
        let most = Locked<[String: Int]>([:])
        try await churn(bench, ["a", "b"], until: isEmpty) { worker in
            for row in try await worker.bench.run(
                "SELECT queue, count(*) FROM kiln.job WHERE state = 'running' GROUP BY queue")
            {
                let (queue, count) = (try row.decode(0, as: String.self), try row.decode(1, as: Int.self))
                most.withLock { $0[queue] = max($0[queue] ?? 0, count) }
            }
        }
        let seen = most.withLock { $0 }
        #expect(seen["a"] ?? 0 <= 7 && seen["a"] ?? 0 > 1)
        #expect(seen["b"] == 1)
        try await bench.expectExactLimits()
        try await bench.expectHonestCounters()
    }

    @Test func `no key ever runs more than its share, under eight claimers`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', key_concurrency => 2)")
        try await bench.enqueue(
            count: 300,
            "jsonb_build_object('kind', 'a', 'concurrency_key', (i * i) % 7, 'priority', i % 2, 'max_attempts', 2)")
        let most = Locked(0)
        try await churn(bench, ["a"], until: isEmpty) { worker in
            let count: Int = try await worker.bench.value(
                "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM kiln.job WHERE state = 'running' GROUP BY concurrency_key) x"
            )
            most.withLock { $0 = max($0, count) }
        }
        #expect(most.withLock { $0 } == 2)
        try await bench.expectExactLimits()
        #expect(try await bench.value("SELECT count(*) FROM kiln.lane WHERE active OR open", as: Int.self) == 0)
        try await bench.expectHonestCounters()
    }

    @Test func `no window of time has more starts than the rate, under eight claimers`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', rate_limit => 20, rate_interval => '150 ms')")
        // A log of every start, also of those that were given back.
        try await bench.connection.script(
            """
            CREATE TABLE start (at timestamptz);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.start VALUES (NEW.claimed_at); RETURN NULL; END $$;
            CREATE TRIGGER note AFTER UPDATE ON kiln.job FOR EACH ROW WHEN (NEW.state = 'running' AND OLD.state = 'ready') EXECUTE FUNCTION note();
            """)
        try await bench.enqueue(count: 120, "jsonb_build_object('kind', 'a')")
        try await churn(bench, ["a"], until: isEmpty) { _ in }
        #expect(try await bench.value("SELECT count(*) >= 120 FROM start"))
        let most: Int = try await bench.value(
            """
            SELECT max((SELECT count(*) FROM start y WHERE y.at >= x.at AND y.at < x.at + interval '150 ms')) FROM start x
            """)
        #expect(most == 20)
        try await bench.expectExactLimits()
        try await bench.expectHonestCounters()
    }

    @Test func `a worker's own limit counts what it runs`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', worker_concurrency => 2)")
        try await bench.enqueue(count: 6, "jsonb_build_object('kind', CASE WHEN i = 6 THEN 'b' ELSE 'a' END)")
        let first = try await bench.worker("a", "b")
        let second = try await bench.worker("a", "b")
        let jobs = try await first.claim()
        #expect(jobs.map(\.queue).sorted() == ["a", "a", "b"])
        #expect(try await first.claim().isEmpty)
        #expect(try await second.claim().count == 2)
        try await first.complete([try #require(jobs.first { $0.queue == "a" })])
        #expect(try await first.claim().count == 1)
        #expect(try await first.sleep())
    }

    @Test func `several limits hold together`() async throws {
        let bench = try await QueueBench()
        try await bench.run(
            "SELECT kiln.set_queue('a', concurrency => 5, worker_concurrency => 4, key_concurrency => 2, rate_limit => 6, rate_interval => '1 h')"
        )
        try await bench.enqueue(count: 30, "jsonb_build_object('kind', 'a', 'concurrency_key', i % 3)")
        let first = try await bench.worker("a")
        let second = try await bench.worker("a")
        let jobs = try await first.claim()
        #expect(jobs.count == 4)
        let keys: [Int] = try await bench.values(
            "SELECT count(*) FROM kiln.job WHERE state = 'running' GROUP BY concurrency_key")
        #expect(keys.allSatisfy { $0 <= 2 })
        #expect(try await second.claim().count == 1)
        try await first.complete(jobs)
        #expect(try await second.claim().count == 1)
        #expect(try await first.claim().isEmpty)
        // Nothing more starts in this hour, though there are slots.
        let due: Double? = try await bench.value("SELECT next_due FROM kiln.worker_sleep($1)", first.id)
        #expect(try #require(due) > 3000)
    }

    @Test func `limits that change take effect at the next claim`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 20, "jsonb_build_object('kind', 'a', 'concurrency_key', i % 2)")
        let jobs = try await worker.claim(6)
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 4)")
        #expect(try await bench.value("SELECT sum(n)::int FROM kiln.permit") == -2)
        #expect(try await worker.claim().isEmpty)
        try await worker.complete(Array(jobs.prefix(3)))
        #expect(try await worker.claim().count == 1)
        try await bench.run("SELECT kiln.set_queue('a', key_concurrency => 1)")
        #expect(try await worker.claim().isEmpty)
        try await bench.run("SELECT kiln.set_queue('a')")
        #expect(try await worker.claim().count == 13)
        #expect(
            try await bench.values("SELECT coalesce(concurrency, key_concurrency) FROM kiln.queues", as: Int?.self) == [
                nil
            ])
    }

    @Test func `limits that change and workers that die leave every permit where it belongs`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 12)")
        try await bench.enqueue(
            count: 400, "jsonb_build_object('kind', 'a', 'concurrency_key', CASE WHEN i % 2 = 0 THEN i % 5 END)")
        let most = Locked(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await churn(bench, ["a"], until: isEmpty) { worker in
                    try await worker.bench.expectExactLimits()
                    let count: Int = try await worker.bench.value(
                        "SELECT count(*) FROM kiln.job WHERE state = 'running'")
                    most.withLock { $0 = max($0, count) }
                }
            }
            group.addTask {
                let session = try await bench.another()
                var random = SeededGenerator(9)
                while try await session.value("SELECT EXISTS (SELECT FROM kiln.job)") {
                    try await session.run(
                        "SELECT kiln.set_queue('a', concurrency => $1, rate_limit => $2, rate_interval => '20 ms')",
                        random.int(12...20), random.int(30...60))
                    try await session.expectExactLimits()
                    let doomed = SQLWorker(bench: session, id: UUID(), queues: ["a"])
                    try await session.run(
                        "SELECT kiln.worker_register($1, 'doomed', 'host', 1, 'test', '{a}', '[]', 8, 1000000000, 8, '10 minutes')",
                        doomed.id)
                    _ = try await doomed.claim(random.int(1...3), idle: true)
                    try await doomed.die()
                    try await session.maintain("rarely")
                }
                await session.connection.close()
            }
            try await group.waitForAll()
        }
        #expect((2...20).contains(most.withLock { $0 }))
        try await bench.expectExactLimits()
        try await bench.expectHonestCounters()
    }

    @Test func `claims of a limited queue do not wait for each other, nor overshoot`() async throws {
        let bench = try await QueueBench()
        try await bench.run(
            "SELECT kiln.set_queue('a', concurrency => 10, rate_limit => 40, rate_interval => '1 hour')")
        try await bench.enqueue(count: 30, "jsonb_build_object('kind', 'a')")
        let session = try await bench.another()
        try await session.run("SET lock_timeout = '10 s'")
        let (first, second) = (try await bench.worker("a"), try await session.worker("a"))
        try await bench.run("BEGIN")
        let jobs = try await first.claim(4)
        #expect(jobs.count == 4)
        #expect(try await second.claim().count == 6)
        #expect(try await second.claim().isEmpty)
        // What is not committed may come to nothing: then it is worth another look at once.
        #expect(try await second.sleep() == false)
        try await bench.run("ROLLBACK")
        #expect(try await second.claim().count == 4)
        #expect(try await second.claim().isEmpty)
        #expect(try await second.sleep())
        try await session.expectExactLimits()
        #expect(
            try await session.value(
                "SELECT sum(n)::int FROM kiln.permit WHERE rated AND at > now() - interval '1 hour'") == 10)
    }

    @Test func `a job that ends leaves its place to the claim in the same transaction`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 1)")
        try await bench.enqueue(count: 3, "jsonb_build_object('kind', 'a')")
        let (first, second) = (try await bench.worker("a"), try await bench.another().worker("a"))
        let job = try await first.claimOne()
        try await bench.run("BEGIN")
        try await first.complete([job])
        #expect(try await second.claim().isEmpty)
        let next = try await first.claimOne()
        try await bench.run("COMMIT")
        #expect(try await second.claim().isEmpty)
        #expect(try await second.sleep())
        try await first.complete([next])
        _ = try await second.claimOne()
        try await bench.expectExactLimits()
    }

    @Test func `while one claim holds a debt, no other starts anything`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 6)")
        try await bench.enqueue(count: 20, "jsonb_build_object('kind', 'a')")
        let (first, second) = (try await bench.worker("a"), try await bench.another().worker("a"))
        let jobs = try await first.claim()
        #expect(jobs.count == 6)
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 3)")
        try await first.complete(Array(jobs[0..<2]))
        try await bench.run("BEGIN")
        #expect(try await first.claim().isEmpty)
        // One more is free now, but it is owed.
        try await SQLWorker(bench: second.bench, id: first.id, queues: ["a"]).complete([jobs[2]])
        #expect(try await second.claim().isEmpty)
        try await bench.run("COMMIT")
        #expect(try await second.claim().isEmpty)
        try await first.complete([jobs[3]])
        #expect(try await second.claim().count == 1)
        try await first.complete(Array(jobs[4...]))
        #expect(try await second.claim().count == 2)
        try await bench.expectExactLimits()
    }

    @Test func `a rate that changes counts what has started before`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 100, "jsonb_build_object('kind', 'a')")
        try await bench.run("SELECT kiln.set_queue('a', rate_limit => 10, rate_interval => '1 hour')")
        #expect(try await worker.claim(8).count == 8)
        try await bench.run("SELECT kiln.set_queue('a', rate_limit => 5, rate_interval => '1 hour')")
        try await bench.expectExactLimits()
        #expect(try await worker.claim().isEmpty)
        try await bench.run("SELECT kiln.set_queue('a', rate_limit => 12, rate_interval => '1 hour')")
        // Of the eight, five were kept in mind.
        #expect(try await worker.claim().count == 7)
        // An hour is over for some.
        try await bench.run("UPDATE kiln.permit SET at = at - interval '2 hours' WHERE rated AND n = 7")
        #expect(try await worker.claim().count == 7)
        #expect(try await worker.claim().isEmpty)
        try await bench.run("SELECT kiln.set_queue('a', rate_limit => 12, rate_interval => '1 day')")
        #expect(try await worker.claim().isEmpty)
        let due: Double? = try await bench.value("SELECT next_due FROM kiln.worker_sleep($1)", worker.id)
        #expect(try #require(due) > 80_000)
        try await bench.run("SELECT kiln.set_queue('a')")
        #expect(try await worker.claim().count == 78)
        #expect(try await bench.value("SELECT count(*) FROM kiln.permit", as: Int.self) == 0)
    }

    @Test func `a paused queue gives nothing, what runs goes on`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a", "b")
        try await bench.enqueue(count: 4, "jsonb_build_object('kind', CASE WHEN i = 4 THEN 'b' ELSE 'a' END)")
        let jobs = try await worker.claim(1, from: ["a"])
        try await bench.run("SELECT kiln.pause('a')")
        #expect(try await worker.claim().map(\.queue) == ["b"])
        #expect(try await worker.complete(jobs) == [true])
        #expect(try await bench.values("SELECT paused FROM kiln.queues ORDER BY queue") == [true, false])
        // New jobs are taken in and wait.
        try await bench.enqueue("a")
        #expect(try await worker.claim().isEmpty)
        try await bench.run("SELECT kiln.resume('a')")
        #expect(try await worker.claim().count == 3)
    }
}
