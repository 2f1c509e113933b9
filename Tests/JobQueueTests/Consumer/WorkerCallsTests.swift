import Foundation
import Locking
import PostgresTestSupport
import Testing

@testable import JobQueue

private final class MemoryArtifacts: StepArtifacts {
    private let kept = Locked<[String: Data]>([:])
    func store(_ bytes: Data, job: UUID, step: String) async throws -> String {
        let name = "\(job)/\(step)"
        kept.withLock { $0[name] = bytes }
        return name
    }
    func load(_ reference: String) async throws -> Data { kept.withLock { $0[reference] ?? Data() } }
}

@Suite(.timeLimit(.minutes(6)))
struct WorkerCallsTests {
    @Test func `progress can be read while the job runs`() async throws {
        try await WorkerBench.with { bench in
            let goOn = Gate()
            try await bench.serve { (job: Job<Nothing>) in
                job.progress(0.25, phase: "encode", message: "pass 1", details: ["fps": 25])
                await goOn.pass()
                return Nothing()
            }
            let id = try await bench.enqueue()
            try await bench.wait(
                sql: """
                    SELECT EXISTS (SELECT FROM kiln.job_progress WHERE job = $1 AND fraction = 0.25 AND phase = 'encode'
                        AND message = 'pass 1' AND details->>'fps' = '25')
                    """, [id])
            #expect(try await bench.text("SELECT state::text FROM kiln.job WHERE id = $1", [id]) == "running")
            goOn.open()
            try await bench.wait(id, "succeeded")
        }
    }

    @Test func `a checkpoint is handed to the next attempt, and keeps the progress`() async throws {
        try await WorkerBench.with { bench in
            let seen = Tally<Int?>()
            let policy = RetryPolicy(base: .milliseconds(1))
            try await bench.serve("test", KindOptions(retry: policy)) { (job: Job<Nothing>) -> Nothing in
                let found = try job.checkpoint(as: Int.self)
                seen.add(found)
                if found == nil {
                    job.progress(0.5, phase: "half")
                    try await job.saveCheckpoint(17)
                    throw Trouble()
                }
                return Nothing()
            }
            let id = try await bench.enqueue()
            try await bench.wait(id, "succeeded")
            #expect(seen.all == [nil, 17])
        }
    }

    @Test func `a step that is done is not run again`() async throws {
        try await WorkerBench.with { bench in
            let runs = Tally<String>()
            try await bench.serve(
                "test", KindOptions(retry: RetryPolicy(base: .milliseconds(1))), { $0.artifacts = MemoryArtifacts() }
            ) {
                (job: Job<Nothing>) -> Int in
                let first = try await job.step("first") {
                    runs.add("first")
                    return [1, 2, 3]
                }
                let large = try await job.step("large") {
                    runs.add("large")
                    return String(repeating: "x", count: 100_000)
                }
                try await job.step("nothing") { runs.add("nothing") }
                if job.attempt == 1 { throw Trouble() }
                return first.count + large.count
            }
            let id = try await bench.enqueue()
            try await bench.wait(id, "succeeded")
            #expect(runs.all == ["first", "large", "nothing"])
            #expect(try await bench.text("SELECT result::text FROM kiln.job_history WHERE id = $1", [id]) == "100003")
        }
    }

    @Test func `a step's result that is too large for a row is refused without a store`() async throws {
        try await WorkerBench.with { bench in
            try await bench.serve("test", KindOptions(retry: RetryPolicy(maxAttempts: 1))) {
                (job: Job<Nothing>) -> Int in
                try await job.step("large") { String(repeating: "x", count: 2 << 20) }.count
            }
            let id = try await bench.enqueue()
            try await bench.wait(id, "dead")
            let message = try await bench.text(
                "SELECT errors->0->'error'->>'message' FROM kiln.job_history WHERE id = $1", [id])
            #expect(message?.contains("WorkerOptions.artifacts") == true)
        }
    }

    @Test func `spawned jobs run, and a child gets its parents' results`() async throws {
        try await WorkerBench.with { bench in
            let inputs = Tally<[String: Int]>()
            let worker = try bench.worker()
            worker.register("fan") { (job: Job<Nothing>) in
                let two = try await job.spawn("number", 2)
                let three = try await job.spawn("number", 3)
                return try await job.spawn("sum", Nothing(), options: EnqueueOptions(dependsOn: [two, three]))
            }
            worker.register("number") { (job: Job<Int>) in job.payload * 10 }
            worker.register("sum") { (job: Job<Nothing>) in
                let found = try await job.parentResults(as: Int.self)
                inputs.add(found)
                return found.values.reduce(0, +)
            }
            try await bench.start(worker)
            let id = try await bench.enqueue("fan")
            try await bench.wait(id, "succeeded")
            try await bench.wait(
                sql: "SELECT EXISTS (SELECT FROM kiln.job_history WHERE kind = 'sum' AND result = '50')")
            #expect(inputs.all.first?.keys.count == 2)
        }
    }

    @Test func `a raise waits for room, and what cannot have it is handed back at no cost`() async throws {
        try await WorkerBench.with { bench in
            let (firstHas, firstEnds, secondHas) = (Gate(), Gate(), Gate())
            try await bench.serve(
                "test", KindOptions(),
                {
                    $0.cores = 4; $0.memory = 1000
                }
            ) { (job: Job<String>) -> Nothing in
                switch job.payload {
                case "first":
                    try await job.raise(cores: 3)
                    firstHas.open()
                    await firstEnds.pass()
                case "second":
                    await firstHas.pass()
                    try await job.raise(cores: 2)
                    secondHas.open()
                default:
                    try await job.raise(memory: 2000)
                }
                return Nothing()
            }
            let first = try await bench.enqueue("test", #""first""#)
            let second = try await bench.enqueue("test", #""second""#)
            await firstHas.pass()
            try await bench.wait(sql: "SELECT cores = 2 FROM kiln.job WHERE id = $1", [second])
            #expect(try await bench.text("SELECT state::text FROM kiln.job WHERE id = $1", [second]) == "running")
            firstEnds.open()
            await secondHas.pass()
            try await bench.wait(first, "succeeded")
            try await bench.wait(second, "succeeded")
            let big = try await bench.enqueue("test", #""big""#)
            try await bench.wait(
                sql: "SELECT state = 'ready' AND attempt = 0 AND memory = 2000 FROM kiln.job WHERE id = $1", [big])
        }
    }

    @Test func `higher priority first, and no more at a time than two workers' limits allow`() async throws {
        try await WorkerBench.with { bench in
            try await bench.run("SELECT kiln.set_queue('test', concurrency => 3)")
            let order = Tally<Int>()
            let most = Locked((now: 0, peak: 0))
            for number in 0..<30 { try await bench.enqueue("test", "\(number % 3)", "priority => \(number % 3)") }
            for _ in 0..<2 {
                try await bench.serve { (job: Job<Int>) in
                    most.withLock { most in
                        most.now += 1
                        most.peak = max(most.peak, most.now)
                    }
                    order.add(job.payload)
                    await Task.yield()
                    most.withLock { $0.now -= 1 }
                    return Nothing()
                }
            }
            try await bench.until("all are done") { order.count == 30 }
            #expect(most.withLock { $0.peak } <= 3)
            // Two workers with up to three under way may overtake each other by as many.
            #expect(order.all.prefix(7).allSatisfy { $0 == 2 })
            #expect(order.all.suffix(7).allSatisfy { $0 == 0 })
        }
    }

    @Test func `a kind's own limit holds in a worker`() async throws {
        try await WorkerBench.with { bench in
            let most = Locked((now: 0, peak: 0))
            let done = Tally<Int>()
            for number in 0..<20 { try await bench.enqueue("test", "\(number)") }
            try await bench.serve("test", KindOptions(concurrency: 2)) { (job: Job<Int>) in
                most.withLock { most in
                    most.now += 1
                    most.peak = max(most.peak, most.now)
                }
                await Task.yield()
                most.withLock { $0.now -= 1 }
                done.add(job.payload)
                return Nothing()
            }
            try await bench.until("all are done") { done.count == 20 }
            #expect(most.withLock { $0.peak } <= 2)
        }
    }

    @Test func `a schedule fires once over two workers`() async throws {
        try await WorkerBench.with { bench in
            let ran = Tally<UUID>()
            for _ in 0..<2 {
                try await bench.serve { (job: Job<Nothing>) in
                    ran.add(job.id)
                    return Nothing()
                }
            }
            try await bench.run("SELECT kiln.schedule('tick', '* * * * * *', 'UTC', 'test')")
            try await bench.until("it fired three times") { ran.count >= 3 }
            try await bench.run("SELECT kiln.unschedule('tick')")
            let doubles = """
                SELECT NOT EXISTS (SELECT metadata->>'tick' FROM kiln.jobs WHERE kind = 'test' GROUP BY 1 HAVING count(*) > 1)
                """
            #expect(try await bench.connection.value(doubles))
        }
    }
}
