import Foundation
import JobQueue
import Locking
import Logging
import PostgresTestSupport
import ProviderTestSupport
import ServiceTestSupport
import TestSupport
import Testing
import TransferTestSupport

@testable import Worker

/// Runs on recordings whose jobs end without their handler's doing.
@Suite struct CallEndingTests {
    /// What is known of a recording: call, recording, run and step by step.
    private static func states(_ bench: CallBench, _ sid: String) async throws -> String {
        try await bench.sql(
            """
            SELECT concat_ws(' ', c.status, r.status, u.status, (SELECT string_agg(s.step || '=' || s.status, ' ' ORDER BY s.seq)
                FROM kiln_calls.pipeline_steps s WHERE s.recording_id = r.id AND s.job_id = u.job_id))
            FROM kiln_calls.recordings r JOIN kiln_calls.calls c ON c.id = r.call_id
                JOIN kiln_calls.pipeline_runs u ON u.recording_id = r.id WHERE r.recording_sid = '\(sid)'
            """)
    }

    private static func errors(_ bench: CallBench, _ sid: String) async throws -> [String] {
        try await bench.sql(
            """
            SELECT concat_ws(E'\\n', c.error, r.error, u.error, (SELECT error FROM kiln_calls.run WHERE recording_id = r.id),
                (SELECT s.error FROM kiln_calls.pipeline_steps s WHERE s.recording_id = r.id ORDER BY s.seq DESC LIMIT 1))
            FROM kiln_calls.recordings r JOIN kiln_calls.calls c ON c.id = r.call_id
                JOIN kiln_calls.pipeline_runs u ON u.recording_id = r.id WHERE r.recording_sid = '\(sid)'
            """
        ).split(separator: "\n").map(String.init)
    }

    private static func closer(_ bench: CallBench) -> CallCloser {
        CallCloser(queue: bench.queue, schema: "kiln", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// A recogniser that hears nothing until it is cancelled.
    private static func deafen(_ bench: CallBench, _ entered: AsyncFlag = AsyncFlag()) {
        bench.speech.gate.withLock {
            $0 = {
                entered.raise()
                try await Task.sleep(for: .seconds(3600))
            }
        }
    }

    private static func enqueue(_ bench: CallBench, _ sid: String, _ more: String) async throws -> JobID {
        try await bench.enqueue(CallRecording.name, #"{"recordingUrl": "\#(bench.twilio.url(of: sid))"}"#, more)
    }

    // The time is enough for a busy machine to come to the recogniser.
    @Test func `A job whose time is up leaves step, run, call and recording as failed`() async throws {
        let bench = try await CallBench()
        let sid = bench.record()
        Self.deafen(bench)
        let id = try await Self.enqueue(bench, sid, ", max_attempts => 1, timeout => '15 seconds'")
        try await bench.serving { () async throws in
            #expect(try await bench.failed(id).state == .dead)
        }
        let states = try await Self.states(bench, sid)
        #expect(
            states.hasPrefix("failed failed failed download_recording=") && states.hasSuffix("=failed"), "\(states)")
        let errors = try await Self.errors(bench, sid)
        #expect(errors.count == 5 && errors.allSatisfy { $0.contains("1") && $0.contains("second") }, "\(errors)")
    }

    @Test func `A job that is cancelled leaves its rows as failed, while it runs and while it waits`() async throws {
        let bench = try await CallBench()
        let entered = AsyncFlag()
        Self.deafen(bench, entered)
        let running = bench.record(), waiting = bench.record(.init(status: "processing"))
        let first = try await bench.enqueue(running), second = try await bench.enqueue(waiting)
        try await bench.serving { () async throws in
            await entered.wait()
            _ = try await bench.until(second) { $0.state == .scheduled }
            _ = try await bench.sql("SELECT kiln.cancel('\(first.uuidString)', 'it is not needed')")
            _ = try await bench.sql("SELECT kiln.cancel('\(second.uuidString)')")
            #expect(try await bench.failed(first).state == .cancelled)
            #expect(try await bench.failed(second).state == .cancelled)
        }
        #expect(
            try await Self.states(bench, running)
                == "failed failed cancelled download_recording=completed transcribe_whisper=failed")
        #expect(try await Self.states(bench, waiting) == "failed failed cancelled download_recording=failed")
        #expect(Set(try await Self.errors(bench, running)) == ["cancelled: it is not needed"])
        #expect(Set(try await Self.errors(bench, waiting)) == ["cancelled by request"])
        // Nobody remembers the job for ever; the run stays as it ended.
        _ = try await bench.sql("DELETE FROM kiln.job_history")
        #expect(try await Self.states(bench, running).hasPrefix("failed failed cancelled"))
    }

    @Test func `To cancel another run of a call that is done takes nothing from it`() async throws {
        let bench = try await CallBench()
        let sid = bench.record()
        try await bench.serving { () async throws in
            _ = try await bench.done(try await bench.enqueue(sid))
            // The recording has to be fetched anew, which Twilio does not have ready.
            bench.bench.server["recordings/\(TwilioStandIn.account)/\(sid).wav"] = nil
            bench.twilio[sid] = .init(status: "processing")
            let again = try await bench.enqueue(sid)
            _ = try await bench.until(again) { $0.state == .scheduled }
            _ = try await bench.sql("SELECT kiln.cancel('\(again.uuidString)')")
        }
        let rows = try await bench.sql(
            "SELECT c.status, r.status, c.error IS NULL FROM kiln_calls.calls c, kiln_calls.recordings r")
        #expect(rows == "completed|completed|t")
        #expect(
            try await bench.sql("SELECT string_agg(status, ' ' ORDER BY started_at) FROM kiln_calls.run")
                == "completed cancelled")
    }

    @Test func `Who holds a recording's row does not hold up its job's end, and the run is ended afterwards`()
        async throws
    {
        let bench = try await CallBench()
        let sid = bench.record(.init(status: "processing"))
        let id = try await bench.enqueue(sid)
        try await bench.serving { () async throws in
            _ = try await bench.until(id) { $0.state == .scheduled }
        }
        try await bench.queue.withTransaction { connection in
            _ = try await connection.query("SELECT FROM kiln_calls.recordings FOR UPDATE")
            _ = try await bench.sql("SELECT kiln.cancel('\(id.uuidString)')")
            #expect(try await bench.job(id).state == .cancelled)
            #expect(try await Self.closer(bench).close() == 0)
            #expect(try await bench.sql("SELECT status FROM kiln_calls.run") == "running")
        }
        #expect(try await Self.closer(bench).close() == 1)
        #expect(try await Self.states(bench, sid) == "failed failed cancelled download_recording=failed")
        #expect(try await Self.closer(bench).close() == 0)
    }

    @Test func `An attempt whose time is up counts as failed until the next one begins`() async throws {
        let bench = CallBench(try await CallBench()) { $0.worker.retryDelay = .seconds(3600) }
        let sid = bench.record()
        Self.deafen(bench)
        let id = try await Self.enqueue(bench, sid, ", max_attempts => 3, timeout => '15 seconds'")
        try await bench.serving { () async throws in
            _ = try await bench.until(id) { $0.state == .failed }
            #expect(try await Self.closer(bench).close() == 1)
            let states = try await Self.states(bench, sid)
            #expect(states.hasPrefix("failed failed failed ") && states.hasSuffix("=failed"), "\(states)")
            bench.speech.gate.withLock { $0 = nil }
            _ = try await bench.sql("UPDATE kiln.job SET timeout = NULL; SELECT kiln.retry('\(id.uuidString)')")
            _ = try await bench.done(id)
        }
        #expect(
            try await Self.states(bench, sid)
                == "completed completed completed download_recording=completed transcribe_whisper=completed "
                + "analyze_llm=completed persist_db=completed")
        #expect(try await bench.sql("SELECT count(*) FROM kiln_calls.calls WHERE error IS NOT NULL") == "0")
    }

    /// Fails an attempt that has done all steps, as if something had gone wrong behind them.
    private struct LateFailure: JobMiddleware {
        let bench: CallBench
        let hasFailed = Locked(false)

        func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
            let result = try await next()
            let isFirst = hasFailed.withLock { failed in
                defer { failed = true }
                return !failed
            }
            guard isFirst else { return result }
            _ = try await bench.sql(
                "UPDATE kiln_calls.recordings SET status = 'failed'; UPDATE kiln_calls.calls SET status = 'failed', error = 'x'"
            )
            throw BenchFailure("after the last step")
        }
    }

    @Test func `An attempt that finds all steps done sets right what one before it has marked`() async throws {
        let bench = try await CallBench()
        let sid = bench.record()
        let id = try await bench.enqueue(sid)
        try await bench.serving(middlewares: [LateFailure(bench: bench)]) { () async throws in
            _ = try await bench.done(id)
        }
        #expect(try await bench.job(id).attempt == 2)
        #expect(try await Self.states(bench, sid).hasPrefix("completed completed completed"))
        #expect(try await bench.sql("SELECT status FROM kiln_calls.run") == "completed")
        #expect(try await bench.sql("SELECT count(*) FROM kiln_calls.calls WHERE error IS NOT NULL") == "0")
    }

    @Test func `A recording that finds its call leaves none behind`() async throws {
        let bench = try await CallBench()
        let call = TwilioStandIn.callSid(), account = TwilioStandIn.account
        _ = try await bench.sql("SELECT kiln_calls.note_recording('RE1', '\(account)')")
        _ = try await bench.sql("SELECT kiln_calls.note_recording('RE2', '\(account)', '\(call)')")
        _ = try await bench.sql("SELECT kiln_calls.note_recording('RE1', '\(account)', '\(call)')")
        #expect(try await bench.sql("SELECT count(*), min(call_sid) FROM kiln_calls.calls") == "1|\(call)")
    }

    @Test func `A character that no database stores does not fail a call`() async throws {
        let bench = try await CallBench()
        let sid = bench.record()
        bench.speech.farewell.withLock { $0 = "Thank\u{0} you." }
        let id = try await bench.enqueue(sid)
        try await bench.serving { () async throws in
            #expect(try await bench.done(id).preview.hasSuffix("Thank you."))
        }
        #expect(try await bench.job(id).attempt == 1)
    }

    @Test func `A URL of elsewhere is asked once, as it is, and what it refuses is given up`() async throws {
        let bench = try await CallBench()
        let elsewhere = try RawServer { connection in
            while try connection.readHead() != nil { try connection.respond(400, body: Array("no".utf8)) }
        }
        let sid = TwilioStandIn.recordingSid()
        let id = try await bench.enqueue(
            sid, #", "recordingSid": "\#(sid)""#, url: elsewhere.url("/Recordings/\(sid)?signature=s3cr3t"))
        try await bench.serving { () async throws in
            let job = try await bench.failed(id)
            #expect(job.attempt == 1 && job.errors?.last?.message?.contains("s3cr3t") == false)
        }
        #expect(elsewhere.requests.map(\.target) == ["/Recordings/\(sid)?signature=s3cr3t"])
        let rows = try await bench.sql(
            "SELECT concat(to_jsonb(c), to_jsonb(r)) FROM kiln_calls.calls c, kiln_calls.recordings r")
        #expect(rows.contains(sid) && !rows.contains("s3cr3t"), "\(rows)")
    }

    @Test func `A host that is not to have the token is named where it asks for one`() async throws {
        let bench = CallBench(try await CallBench()) { $0.providers.twilio.hosts = ["api.twilio.com"] }
        let id = try await bench.enqueue(bench.record())
        try await bench.serving { () async throws in
            let message = try await bench.failed(id).errors?.last?.message ?? ""
            #expect(message.contains("KILN_TWILIO_HOSTS") && message.contains(bench.twilio.origin), "\(message)")
        }
        #expect(bench.twilio.refusals.allSatisfy { $0.hasSuffix("Authenticate") })
    }

    @Test(.enabled(if: KilnProcess.executable != nil))
    func `The name of a run is its recording's own`() async throws {
        let bench = try await CallBench()
        func enqueue(_ sid: String, _ more: [String]) async throws -> String {
            let arguments = [
                "call", "enqueue", "--recording-url",
                "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/\(sid)",
            ]
            let outcome = try await KilnProcess.run(
                arguments + more, environment: ["DATABASE_URL": bench.database.url])
            #expect(outcome.status == 0, "\(outcome.error)")
            return outcome.text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let one = try await enqueue("RE1", ["--job-id", "again"]),
            other = try await enqueue("RE2", ["--job-id", "again"])
        #expect(one != other)
        #expect(try await enqueue("RE1", ["--job-id", "again"]) == one)
        let plain = try await enqueue("RE1", [])
        #expect(plain != one)
        #expect(try await enqueue("RE1", []) == plain)
        let odd = try await KilnProcess.run(
            ["call", "enqueue", "--recording-url", "https://x.example/Recordings/RE1", "--duration", "nan"],
            environment: ["DATABASE_URL": bench.database.url])
        #expect(odd.status != 0 && odd.error.contains("duration"), "\(odd.error)")
    }
}
