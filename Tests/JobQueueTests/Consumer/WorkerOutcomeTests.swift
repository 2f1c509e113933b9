import Foundation
import Logging
import PostgresTestSupport
import Testing

@testable import JobQueue

private struct Sum: Codable, Sendable {
    struct Part: Codable, Sendable { var value: Int }
    var parts: [Part]
}

@Suite(.timeLimit(.minutes(6)))
struct WorkerOutcomeTests {
    @Test func `a job runs, and its result is stored`() async throws {
        try await WorkerBench.with { bench in
            try await bench.serve { (job: Job<Sum>) in ["sum": job.payload.parts.map(\.value).reduce(0, +)] }
            let id = try await bench.enqueue("test", #"{"parts": [{"value": 40}, {"value": 2}]}"#)
            try await bench.wait(id, "succeeded")
            #expect(
                try await bench.text("SELECT result::text FROM kiln.job_history WHERE id = $1", [id]) == #"{"sum": 42}"#
            )
        }
    }

    @Test func `a payload that does not decode ends the job and names the key`() async throws {
        try await WorkerBench.with { bench in
            try await bench.serve { (job: Job<Sum>) in job.payload.parts.count }
            let wrong = try await bench.enqueue("test", #"{"parts": [{"value": 1}, {"value": "x"}]}"#)
            let missing = try await bench.enqueue("test", #"{"parts": [{}]}"#)
            try await bench.wait(wrong, "dead")
            try await bench.wait(missing, "dead")
            let error = "SELECT errors->0->'error'->>'message' FROM kiln.job_history WHERE id = $1"
            #expect(try await bench.text(error, [wrong])?.contains("parts[1].value") == true)
            #expect(try await bench.text(error, [missing])?.contains("parts[0].value: it is missing") == true)
            #expect(
                try await bench.text("SELECT errors->0->'error'->>'code' FROM kiln.job_history WHERE id = $1", [wrong])
                    == "payload")
        }
    }

    @Test func `a job is retried until it is dead, and keeps its attempts' errors and log lines`() async throws {
        try await WorkerBench.with { bench in
            let policy = RetryPolicy(maxAttempts: 3, base: .milliseconds(20), cap: .milliseconds(50))
            try await bench.serve("test", KindOptions(retry: policy)) { (job: Job<Nothing>) -> Nothing in
                job.logger.info("attempt \(job.attempt) begins")
                throw Trouble()
            }
            let id = try await bench.enqueue()
            try await bench.wait(id, "dead")
            let rows = try await bench.connection.query(
                """
                SELECT e->>'attempt' AS attempt, e->'error'->>'message' AS message, e->'error'->>'type' AS type, e->'log'->>0 AS line
                FROM kiln.job_history, jsonb_array_elements(errors) e WHERE id = $1
                """, [id])
            #expect(try rows.map { try $0.decode("attempt", as: String.self) } == ["1", "2", "3"])
            #expect(try rows.allSatisfy { try $0.decode("message", as: String.self) == "trouble at the mill" })
            #expect(try rows.allSatisfy { try $0.decode("type", as: String.self) == "Trouble" })
            #expect(
                try rows.map {
                    try $0.decode("line", as: String.self).hasSuffix(
                        "info: attempt \(try $0.decode("attempt", as: String.self)) begins")
                } == [true, true, true])
        }
    }

    @Test func `what a handler throws decides what becomes of its job`() async throws {
        try await WorkerBench.with { bench in
            try await bench.serve { (job: Job<[String: String]>) -> Nothing in
                switch job.payload["how"] {
                case "permanent": throw JobError.permanent("never")
                case "cancelled": throw JobError.cancelled("not wanted")
                case "snooze": throw JobError.snooze(until: Date(timeIntervalSinceNow: 3600))
                default: throw JobError.retry(after: .seconds(3600), "busy")
                }
            }
            let permanent = try await bench.enqueue("test", #"{"how": "permanent"}"#)
            let cancelled = try await bench.enqueue("test", #"{"how": "cancelled"}"#)
            let snooze = try await bench.enqueue("test", #"{"how": "snooze"}"#)
            let retry = try await bench.enqueue("test", #"{"how": "retry"}"#)
            try await bench.wait(permanent, "dead")
            try await bench.wait(cancelled, "cancelled")
            try await bench.wait(snooze, "scheduled")
            try await bench.wait(retry, "failed")
            #expect(try await bench.text("SELECT reason FROM kiln.jobs WHERE id = $1", [cancelled]) == "not wanted")
            #expect(try await bench.connection.value("SELECT attempt FROM kiln.job WHERE id = $1", [snooze]) == 0)
            #expect(try await bench.connection.value("SELECT attempt FROM kiln.job WHERE id = $1", [retry]) == 1)
            #expect(
                try await bench.connection.value(
                    "SELECT run_at > now() + interval '50 minutes' FROM kiln.job WHERE id = $1", [retry]))
        }
    }

    @Test func `a job without a handler here is put off at no cost`() async throws {
        try await WorkerBench.with { bench in
            try await bench.serve { (job: Job<Nothing>) in Nothing() }
            let id = try await bench.enqueue("stranger", "{}", "queue => 'test'")
            try await bench.wait(id, "scheduled")
            #expect(try await bench.connection.value("SELECT attempt FROM kiln.job WHERE id = $1", [id]) == 0)
            #expect(
                try await bench.text("SELECT reason FROM kiln.job WHERE id = $1", [id])?.contains("no handler") == true)
        }
    }

    @Test func `a result that cannot be stored spoils no other`() async throws {
        try await WorkerBench.with { bench in
            try await bench.serve { (job: Job<Int>) in job.payload == 3 ? "a NUL: \u{0}" : "fine" }
            var ids: [UUID] = []
            for number in 0..<6 { ids.append(try await bench.enqueue("test", "\(number)")) }
            for (number, id) in ids.enumerated() { try await bench.wait(id, number == 3 ? "dead" : "succeeded") }
        }
    }

    @Test func `middleware wraps the handler in order`() async throws {
        struct Note: JobMiddleware {
            let name: String
            let tally: Tally<String>
            func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
                tally.add("\(name) before")
                defer { tally.add("\(name) after") }
                return try await next()
            }
        }
        try await WorkerBench.with { bench in
            let tally = Tally<String>()
            let worker = try bench.worker()
            worker.use(Note(name: "outer", tally: tally))
            worker.use(Note(name: "inner", tally: tally))
            worker.register("test") { (job: Job<Nothing>) in tally.add("handler") }
            try await bench.start(worker)
            try await bench.wait(bench.enqueue(), "succeeded")
            #expect(tally.all == ["outer before", "inner before", "handler", "inner after", "outer after"])
        }
    }
}
