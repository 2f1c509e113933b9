import Foundation
import Locking
import Testing

@testable import JobQueue

@Suite(.serialized) struct PriorityTests {
    @Test func `higher priorities come first, then those due earlier, whatever the queue or key`() async throws {
        let bench = try await QueueBench()
        var random = SeededGenerator(7)
        for round in 0..<3 {
            for _ in 0..<3 {
                let seed = random.int(1...1_000_000)
                try await bench.enqueue(
                    count: 60,
                    """
                    jsonb_strip_nulls(jsonb_build_object('kind', (ARRAY['a', 'b', 'c'])[1 + (i * \(seed)) % 3],
                        'priority', (i * \(seed)) % 7 - 3, 'concurrency_key', nullif((i * \(seed) / 5) % 4, 0)))
                    """)
            }
            let worker = try await bench.worker("a", "b", "c")
            var order: [Int] = []
            while true {
                let jobs = try await worker.claim(random.int(1...25))
                if jobs.isEmpty { break }
                order += jobs.map(\.priority)
                try await worker.complete(jobs)
            }
            #expect(order.count == 180)
            #expect(order == order.sorted(by: >), "round \(round)")
        }
        try await bench.expectHonestCounters()
    }

    @Test func `within a priority the one due first comes first`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        var ids: [UUID] = []
        for minutes in [3, 1, 2] {
            ids.append(try await bench.enqueue("a", "run_at => now() - interval '\(minutes) min'"))
        }
        ids.append(try await bench.enqueue("a"))
        #expect(try await worker.claim().map(\.id) == [ids[0], ids[2], ids[1], ids[3]])
    }

    @Test func `queues of one priority share, up to their allowances`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a", "b", "c")
        try await bench.enqueue(count: 200, "jsonb_build_object('kind', CASE WHEN i > 190 THEN 'b' ELSE 'a' END)")
        func shares(_ jobs: [ClaimedJob]) -> [Int] { ["a", "b"].map { queue in jobs.count { $0.queue == queue } } }
        #expect(shares(try await worker.claim(10)) == [5, 5])
        #expect(shares(try await worker.claim(10, allowance: [2, 1, 9])) == [2, 1])
        #expect(shares(try await worker.claim(10, allowance: [0, 3, 9])) == [0, 3])
        #expect(try await worker.claim(0).isEmpty)
        #expect(try await worker.claim(10, from: []).isEmpty)
    }
}

@Suite(.serialized) struct WeightTests {
    @Test func `what does not fit is passed over until patience ends, then held while nothing else is claimed`()
        async throws
    {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        for key in ["", ", concurrency_key => 'k'"] {
            let big = try await bench.enqueue("a", "cores => 4" + key)
            let small = try await bench.enqueue("a", "cores => 1" + key)
            let jobs = try await worker.claim(cores: 2, totalCores: 8)
            #expect(jobs.map(\.id) == [small])
            let later = try await bench.enqueue("a", "cores => 1" + key)
            let held = try await worker.claim(cores: 1, totalCores: 8, patience: .zero)
            #expect(held.map(\.id) == [big] && held.map(\.held) == [true], "\(key)")
            #expect(try await worker.start(held) == [big])
            let rest = try await worker.claim(cores: 1, totalCores: 8)
            #expect(rest.map(\.id) == [later])
            try await worker.complete(jobs + held + rest)
        }
    }

    @Test func `what fits comes before what is held, which comes last`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        for cores in [1, 3, 8, 1] { try await bench.enqueue("a", "cores => \(cores)") }
        let jobs = try await worker.claim(cores: 4, totalCores: 8, patience: .zero)
        #expect(jobs.map(\.held) == [false, false, true])
        #expect(try await worker.claim(cores: 0, totalCores: 8).isEmpty)
    }

    @Test func `what does not fit hides nothing of its own key behind it`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue("a", "priority => 10, cores => 4, concurrency_key => 'k'")
        let light = try await bench.enqueue("a", "priority => 5, concurrency_key => 'k'")
        try await bench.enqueue("a", "priority => 9, memory => 5000, concurrency_key => 'm'")
        let small = try await bench.enqueue("a", "priority => 7, concurrency_key => 'm'")
        let plain = try await bench.enqueue("a", "priority => 6")
        let jobs = try await worker.claim(cores: 3, memory: 1000, totalCores: 8, totalMemory: 1000)
        #expect(jobs.map(\.id) == [small, plain, light])
        // Jobs that are too big for it keep no worker awake.
        try await bench.run("DELETE FROM kiln.job WHERE cores = 4")
        try await worker.complete(jobs)
        _ = try await worker.claim(cores: 3, memory: 1000, totalCores: 8, totalMemory: 1000)
        #expect(try await bench.value("SELECT asleep FROM kiln.worker_sleep($1, 1000)", worker.id))
    }

    @Test func `cores count as no more than the worker has, and memory beyond that is left to a bigger worker`()
        async throws
    {
        let bench = try await QueueBench()
        let small = try await bench.worker("a")
        let wide = try await bench.enqueue("a", "cores => 64")
        let heavy = try await bench.enqueue("a", "memory => 2000")
        let keyed = try await bench.enqueue("a", "memory => 2000, concurrency_key => 'k'")
        let jobs = try await small.claim(cores: 4, memory: 1000, totalCores: 4, totalMemory: 1000, patience: .zero)
        #expect(jobs.map(\.id) == [wide])
        let bigger = try await bench.worker("a")
        let rest = try await bigger.claim(cores: 4, memory: 4000, totalCores: 4, totalMemory: 4000)
        #expect(Set(rest.map(\.id)) == [heavy, keyed])
    }

    @Test func `a job may become heavier while it runs`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let id = try await bench.enqueue("a", "cores => 1, memory => 5")
        let job = try await worker.claimOne()
        #expect(
            try await bench.value(
                "SELECT kiln.worker_weigh($1, $2, $3, 6, NULL)", worker.id, job.id, job.token, as: Bool.self))
        #expect(try await bench.job(id, "cores") == "6")
        #expect(try await bench.job(id, "memory") == "5")
        try await worker.release([job])
        #expect(try await worker.claim(cores: 2, totalCores: 8).isEmpty)
    }

    @Test func `workers that compete for heavy jobs never take more than fits, and in the end take all`() async throws {
        let bench = try await QueueBench()
        try await bench.enqueue(
            count: 240,
            """
            jsonb_strip_nulls(jsonb_build_object('kind', 'a', 'cores', 1 + (i * 7) % 5, 'memory', (i * 13) % 90, 'priority', i % 3,
                'concurrency_key', CASE WHEN i % 2 = 0 THEN i % 5 END))
            """)
        let taken = Locked<[UUID]>([])
        try await withWorkers(4, bench, ["a"]) { worker, index in
            var random = SeededGenerator(UInt64(index))
            while taken.withLock({ $0.count }) < 240 {
                let cores = Double(random.int(1...8))
                let memory = random.int(10...100)
                let jobs = try await worker.claim(
                    random.int(1...12), cores: cores, memory: memory, totalCores: 8, totalMemory: 100,
                    patience: random.chance(0.2) ? .zero : .seconds(10))
                let fitting = jobs.filter { !$0.held }.map(\.id)
                let row = try #require(
                    try await worker.bench.run(
                        "SELECT coalesce(sum(cores), 0)::float8, coalesce(sum(memory), 0)::bigint FROM kiln.job WHERE id = ANY ($1)",
                        fitting
                    ).first)
                #expect(try row.decode(0, as: Double.self) <= cores)
                #expect(try row.decode(1, as: Int.self) <= memory)
                #expect(!jobs.dropLast().contains { $0.held })
                try await worker.complete(jobs)
                taken.withLock { $0 += jobs.map(\.id) }
            }
        }
        #expect(taken.withLock { Set($0).count } == 240)
        try await bench.expectHonestCounters()
    }
}
