import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct UniqueKeyTests {
    @Test func `until it has finished, a job is found by its key instead of a second one`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        func again() async throws -> UUID { try await bench.enqueue("a", "unique_key => 'k'") }
        for ending in ["succeeded", "dead", "cancelled"] {
            let id = try await again()
            #expect(try await again() == id)
            var job = try await worker.claimOne()
            #expect(try await again() == id)
            #expect(try await worker.fail(job, delay: .seconds(60)) == "failed")
            #expect(try await again() == id)
            try await bench.letTimePass()
            job = try await worker.claimOne()
            switch ending {
            case "succeeded": try await worker.complete([job])
            case "dead": try await worker.fail(job, permanent: true)
            default: try await worker.cancelled(job)
            }
            #expect(try await bench.state(id) == ending)
        }
        // Another kind's keys are its own.
        let id = try await again()
        #expect(try await bench.enqueue("b", "unique_key => 'k'") != id)
        try await bench.run("SELECT kiln.cancel($1)", id)
        #expect(try await again() != id)
        try await bench.expectHonestCounters()
    }

    @Test func `the scope waiting ends when the job is claimed`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        func again() async throws -> UUID { try await bench.enqueue("a", "unique_key => 'k', unique_scope => 'waiting'") }
        let id = try await again()
        #expect(try await again() == id)
        let job = try await worker.claimOne()
        let second = try await again()
        #expect(second != id)
        // The end of the first takes nothing away from the second.
        try await worker.complete([job])
        #expect(try await again() == second)
    }

    @Test func `a period throttles, whether the job has finished or not`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        func again() async throws -> UUID { try await bench.enqueue("a", "unique_key => 'k', unique_period => '1 hour'") }
        let id = try await again()
        try await worker.complete(try await worker.claim())
        #expect(try await again() == id)
        try await bench.run("UPDATE kiln.unique_claim SET until = clock_timestamp() - interval '1 s'")
        let next = try await again()
        #expect(next != id)
        #expect(try await again() == next)
        try await bench.run("UPDATE kiln.unique_claim SET until = clock_timestamp() - interval '1 s'")
        try await bench.maintain("rarely")
        #expect(try await bench.value("SELECT count(*) FROM kiln.unique_claim", as: Int.self) == 0)
    }

    @Test func `replace changes what waits, and leaves what runs`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let replace = "unique_key => 'k', on_duplicate => 'replace'"
        let id = try await bench.enqueue("a", replace + ", payload => '1', priority => 5, metadata => '{\"m\": 1}'")
        _ = try await bench.enqueue("a", replace + ", payload => '2', run_at => now() + interval '1 h'")
        #expect(try await bench.state(id) == "scheduled")
        #expect(try await bench.job(id, "payload") == "2")
        #expect(try await bench.job(id, "priority") == "5")
        #expect(try await bench.job(id, "metadata,m") == "1")
        #expect(try await bench.job(id, "reason") == "replaced by a job with the same unique_key")
        #expect(try await bench.enqueue("a", replace + ", payload => '3', priority => -1") == id)
        #expect(try await bench.state(id) == "ready")
        try await bench.expectHonestCounters()
        let job = try await worker.claimOne()
        #expect(job.priority == -1)
        #expect(try await bench.enqueue("a", replace + ", payload => '4'") == id)
        #expect(try await bench.job(id, "payload") == "3")
        #expect(try await bench.state(id) == "running")
        // A failed attempt waits for its time; replacing it moves that.
        try await worker.fail(job, delay: .seconds(3600))
        _ = try await bench.enqueue("a", replace + ", payload => '5'")
        #expect(try await bench.state(id) == "ready")
        try await bench.expectHonestCounters()
    }

    @Test func `a job that waits for its parents is replaced and goes on waiting`() async throws {
        let bench = try await QueueBench()
        let parent = try await bench.enqueue("p")
        let child = try await bench.enqueue(
            "a", "unique_key => 'k', concurrency_key => 'c', depends_on => ARRAY[$2::uuid]", parent)
        let replaced = try await bench.enqueue("a", "unique_key => 'k', on_duplicate => 'replace', payload => '2'")
        #expect(replaced == child)
        #expect(try await bench.state(child) == "blocked")
        #expect(try await bench.job(child, "payload") == "2")
        try await bench.expectHonestCounters()
    }

    @Test func `of eight producers at once one makes the job`() async throws {
        let bench = try await QueueBench()
        let found = try await withThrowingTaskGroup(of: [UUID].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let session = try await bench.another()
                    var ids: [UUID] = []
                    for key in 0..<30 { ids.append(try await session.enqueue("a", "unique_key => $2", "k\(key)")) }
                    return ids
                }
            }
            return try await group.reduce(into: Set<[UUID]>()) { $0.insert($1) }
        }
        #expect(found.count == 1)
        #expect(try await bench.value("SELECT count(*) FROM kiln.jobs", as: Int.self) == 30)
        try await bench.expectHonestCounters()
    }

    @Test func `batches with the same keys in opposite orders do not deadlock`() async throws {
        let bench = try await QueueBench()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for direction in [1, -1, 1, -1] {
                group.addTask {
                    let session = try await bench.another()
                    for _ in 0..<5 {
                        try await session.enqueue(
                            count: 100, "jsonb_build_object('kind', 'a', 'unique_key', ((i * \(direction)) % 50 + 50) % 50)")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await bench.value("SELECT count(*) FROM kiln.jobs", as: Int.self) == 50)
        #expect(try await bench.value("SELECT count(*) FROM kiln.unique_claim", as: Int.self) == 50)
    }

    @Test func `a key that a transaction holds is waited for, and is free if that rolls back`() async throws {
        for ending in ["ROLLBACK", "COMMIT"] {
            let bench = try await QueueBench()
            let first = try await bench.another()
            let second = try await bench.another()
            try await first.run("BEGIN")
            let held = try await first.enqueue("a", "unique_key => 'k'")
            let process = try await second.process()
            async let waiting = second.enqueue("a", "unique_key => 'k'")
            try await second.waitUntilBlocked(seenBy: bench, process: process)
            try await first.run(ending)
            #expect(try await (waiting == held) == (ending == "COMMIT"))
            #expect(try await bench.value("SELECT count(*) FROM kiln.jobs", as: Int.self) == 1)
        }
    }

    @Test func `retrying by hand takes the key back, if nobody has it`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let id = try await bench.enqueue("a", "unique_key => 'k'")
        try await worker.fail(try await worker.claimOne(), permanent: true)
        let second = try await bench.enqueue("a", "unique_key => 'k'")
        let error = await bench.error("SELECT kiln.retry($1)", id)
        #expect(error?.sqlState == "23505")
        #expect(error?.message.contains(#"unique_key "k""#) == true)
        #expect(try await bench.state(id) == "dead")
        try await bench.run("SELECT kiln.cancel($1)", second)
        #expect(try await bench.value("SELECT kiln.retry($1)", id) == "ready")
        #expect(try await bench.enqueue("a", "unique_key => 'k'") == id)
        try await bench.expectHonestCounters()
    }
}
