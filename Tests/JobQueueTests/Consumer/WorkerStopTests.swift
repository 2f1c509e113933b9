import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

@Suite(.timeLimit(.minutes(6)))
struct WorkerStopTests {
    @Test func `cancelling a running job cancels its handler's task`() async throws {
        try await WorkerBench.with { bench in
            let begun = Gate()
            let never = Gate()
            let tally = Tally<Bool>()
            try await bench.serve { (job: Job<Nothing>) -> Nothing in
                begun.open()
                await never.pass()
                tally.add(Task.isCancelled)
                throw CancellationError()
            }
            let id = try await bench.enqueue()
            await begun.pass()
            try await bench.run("SELECT kiln.cancel($1, 'changed my mind')", [id])
            try await bench.wait(id, "cancelled")
            #expect(tally.all == [true])
            #expect(try await bench.text("SELECT reason FROM kiln.jobs WHERE id = $1", [id]) == "changed my mind")
        }
    }

    @Test func `a job that runs too long fails with a timeout`() async throws {
        try await WorkerBench.with { bench in
            let never = Gate()
            try await bench.serve("test", KindOptions(timeout: .milliseconds(100), retry: RetryPolicy(maxAttempts: 1)))
            {
                (job: Job<Nothing>) -> Nothing in
                await never.pass()
                throw CancellationError()
            }
            let id = try await bench.enqueue()
            try await bench.wait(id, "dead")
            #expect(
                try await bench.text("SELECT errors->0->'error'->>'code' FROM kiln.job_history WHERE id = $1", [id])
                    == "timeout")
        }
    }

    @Test func `a handler that ignores its timeout is left to itself, its slot freed, its result dropped`() async throws
    {
        try await WorkerBench.with { bench in
            let stubborn = Gate()
            let kind = KindOptions(timeout: .milliseconds(50), retry: RetryPolicy(maxAttempts: 1))
            let worker = try bench.worker {
                $0.slots = 1
                $0.cancellationGrace = .milliseconds(50)
            }
            worker.register("test", kind) { (job: Job<String>) -> String in
                await stubborn.passStubbornly()
                return "late"
            }
            worker.register("quick") { (_: Job<String>) in "in time" }
            let events = worker.events
            let task = try await bench.start(worker)
            let id = try await bench.enqueue("test", #""stubborn""#)
            try await bench.wait(id, "dead")
            _ = try await events.firstValue { if case .abandoned(let job) = $0, job.job == id { true } else { nil } }
            // The only slot is free again.
            try await bench.wait(bench.enqueue("quick", #""quick""#), "succeeded")
            // And nobody waits for it.
            worker.shutDown()
            try await task.value
            stubborn.open()
            #expect(try await bench.text("SELECT result::text FROM kiln.job_history WHERE id = $1", [id]) == nil)
        }
    }

    @Test func `a drain lets handlers finish`() async throws {
        try await WorkerBench.with { bench in
            let (begun, goOn) = (Gate(), Gate())
            let worker = try bench.worker()
            worker.register("test") { (job: Job<Nothing>) in
                begun.open()
                await goOn.pass()
            }
            let task = try await bench.start(worker)
            let id = try await bench.enqueue()
            await begun.pass()
            worker.shutDown()
            try await bench.wait(sql: "SELECT EXISTS (SELECT FROM kiln.worker WHERE state = 'draining')")
            let other = try await bench.enqueue()
            goOn.open()
            try await task.value
            try await bench.wait(id, "succeeded")
            try await bench.wait(other, "ready")
            #expect(try await bench.text("SELECT state FROM kiln.worker") == "gone")
        }
    }

    @Test func `a drain hands back what does not finish, at no cost`() async throws {
        try await WorkerBench.with { bench in
            let (begun, never) = (Gate(), Gate())
            let worker = try bench.worker { $0.grace = .milliseconds(50) }
            worker.register("test") { (job: Job<Nothing>) in
                begun.open()
                await never.pass()
                throw CancellationError()
            }
            let task = try await bench.start(worker)
            let id = try await bench.enqueue()
            await begun.pass()
            worker.shutDown()
            try await task.value
            try await bench.wait(id, "ready")
            #expect(
                try await bench.connection.value(
                    "SELECT attempt = 0 AND errors IS NULL FROM kiln.job WHERE id = $1", [id]))
        }
    }

    @Test func `cancelling run hands jobs back as well`() async throws {
        try await WorkerBench.with { bench in
            let (begun, never) = (Gate(), Gate())
            let worker = try bench.worker()
            worker.register("test") { (job: Job<Nothing>) in
                begun.open()
                await never.pass()
                throw CancellationError()
            }
            let task = try await bench.start(worker)
            let id = try await bench.enqueue()
            await begun.pass()
            task.cancel()
            try await task.value
            try await bench.wait(id, "ready")
        }
    }
}
