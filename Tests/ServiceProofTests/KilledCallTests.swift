import Foundation
import JobQueue
import Locking
import MediaKit
import PostgresTestSupport
import ProviderTestSupport
import Server
import ServiceTestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// A call's recording whose worker dies amid a step.
    @Suite(.timeLimit(.minutes(10))) struct KilledCallTests {
        /// What a service was asked, and whether it keeps the first who asks waiting.
        private struct Gate: Sendable {
            let rest = ThreadSignal()
            let isClosed: Bool
            private let passed = Locked(0)

            init(isClosed: Bool) { self.isClosed = isClosed }

            /// How many came.
            var count: Int { passed.withLock { $0 } }

            func pass() {
                let isFirst = passed.withLock { count in
                    count += 1
                    return count == 1
                }
                if isFirst, isClosed { rest.wait() }
            }
        }

        /// Lets nobody write that a call is done as long as there is a row in `gate`. Numbers of a sequence are not taken
        /// back with the transaction that is cut off.
        private static let lock = """
            CREATE TABLE gate (); CREATE SEQUENCE tries; GRANT ALL ON gate, tries TO PUBLIC;
            CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM nextval('public.tries');
                WHILE EXISTS (SELECT FROM public.gate) LOOP PERFORM pg_sleep(0.02); END LOOP;
                RETURN NEW;
            END $$;
            CREATE TRIGGER pass BEFORE UPDATE ON kiln_calls.calls FOR EACH ROW WHEN (NEW.status = 'completed')
                EXECUTE FUNCTION pass();
            """

        @Test(arguments: ["download_recording", "transcribe_whisper", "analyze_llm", "persist_db"])
        func `Steps that were done are not done again by the next worker`(_ step: String) async throws {
            let server = try S3Server()
            let bench = try await ProofBench.on(server)
            try await CallSchema.migrations(bench.database.url).migrate(roles: .create())
            let heard = Gate(isClosed: step == "transcribe_whisper"), read = Gate(isClosed: step == "analyze_llm")
            let sent = ThreadSignal()
            defer { for signal in [heard.rest, read.rest, sent] { signal.raise() } }
            let twilio = try TwilioStandIn()
            let speech = try OpenAIStandIn { _, _ in
                heard.pass()
                return ["My", "order", "has", "not", "arrived."].enumerated().map { number, word in
                    let start = Double(number) * 0.4
                    return Transcript.Word(start: start, end: start + 0.4, text: word)
                }
            }
            let chat = try AnthropicStandIn { question in
                read.pass()
                return ChatAnswers.insights(question)
            }
            let sid = TwilioStandIn.recordingSid(), call = TwilioStandIn.callSid()
            twilio[sid] = .init(
                wav: CallSound.wav(seconds: 3, tones: [440]), isDual: false,
                fault: step == "download_recording" ? .hold(sent) : nil)
            _ = try await bench.database.psql(Self.lock)
            if step == "persist_db" { _ = try await bench.database.psql("INSERT INTO gate DEFAULT VALUES") }
            let settings = [
                "TWILIO_AUTH_TOKEN": TwilioStandIn.token, "KILN_TWILIO_HOSTS": twilio.origin,
                "KILN_SPEECH_ENGINE": "openai", "OPENAI_API_KEY": OpenAIStandIn.key, "OPENAI_BASE_URL": speech.baseURL,
                "KILN_CHAT": "anthropic", "ANTHROPIC_API_KEY": "sk-ant-test-0123456789",
                "ANTHROPIC_BASE_URL": try chat.baseURL.description,
            ]
            let id = try await bench.enqueue(
                CallRecording.name,
                #"{"recordingUrl": "\#(twilio.url(of: sid))", "callSid": "\#(call)", "channels": 1, "from": "+15551234567"}"#
            )

            let first = try await bench.worker(settings)
            _ = try await bench.until { () async throws -> Bool? in
                switch step {
                case "download_recording": return twilio.requests.isEmpty ? nil : true
                case "transcribe_whisper": return heard.count > 0 ? true : nil
                case "analyze_llm": return read.count > 0 ? true : nil
                default: return try await bench.sql("SELECT is_called FROM tries") == "t" ? true : nil
                }
            }
            // A step that is not done is not among those that are.
            #expect(try await Self.completed(bench, sid) == Self.steps.prefix { $0 != step })
            first.signal(SIGKILL)
            #expect(await first.end() == -1)
            for signal in [heard.rest, read.rest, sent] { signal.raise() }
            _ = try await bench.database.psql("DELETE FROM gate")
            try await bench.endLease(of: first.pid)

            let second = try await bench.worker(settings)
            let answer: CallRecording.Answer
            do {
                answer = try await bench.queue.wait(
                    for: id, as: CallRecording.Answer.self, timeout: .seconds(240))
            } catch {
                throw BenchFailure("\(error)\n\(bench.logs)")
            }
            func times(_ name: String) -> Int { name == step ? 2 : 1 }
            #expect(
                twilio.requests.map { $0 } == Array(repeating: "GET \(sid).wav", count: times("download_recording")))
            #expect(heard.count == times("transcribe_whisper") && read.count == times("analyze_llm"))
            #expect(try await bench.sql("SELECT last_value FROM tries") == "\(times("persist_db"))")
            #expect(twilio.refusals.isEmpty && speech.complaints.isEmpty && server.refusals.isEmpty)

            let key = "recordings/\(TwilioStandIn.account)/\(sid).wav"
            #expect(server.keys == [key] && server.bytes(key) == twilio[sid]?.wav)
            #expect(answer.recordingSid == sid && answer.summary == "My order has not arrived.", "\(answer)")
            let rows = try await bench.sql(
                """
                SELECT c.call_sid, c.account_sid, c.from_number, c.status, c.error IS NULL, c.preview, c.summary,
                    r.local_path, r.status, r.channels, t.content, t.engine, i.content ->> 'summary', i.engine
                FROM kiln_calls.recordings r JOIN kiln_calls.calls c ON c.id = r.call_id
                    JOIN kiln_calls.transcripts t ON t.recording_id = r.id
                    JOIN kiln_calls.insights i ON i.recording_id = r.id
                """)
            let text = "My order has not arrived."
            let parts = rows.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            #expect(parts.count == 14, "\(rows)")
            #expect(
                Array(parts.prefix(11)) == [
                    call, TwilioStandIn.account, "+15551234567", "completed", "t", text, text, "s3://media/\(key)",
                    "completed", "1", text,
                ], "\(rows)")
            #expect(parts.dropFirst(11).first?.hasPrefix("openai") == true, "\(rows)")
            #expect(try await Self.completed(bench, sid) == Self.steps[...])

            let job = try await bench.job(id)
            #expect(job.attempt == 1 && job.errors?.map(\.outcome) == ["worker_lost"], "\(job)")
            #expect(try await bench.process(of: job) == Int(second.pid))
            try await bench.sweepUploads()
            #expect(try await bench.sql("SELECT count(*) FROM kiln.effect") == "0")
            second.signal(SIGTERM)
            #expect(await second.end() == 0, "\(bench.logs)")
        }

        @Test func `A call whose worker dies with its last chance ends as failed`() async throws {
            let server = try S3Server()
            let bench = try await ProofBench.on(server)
            try await CallSchema.migrations(bench.database.url).migrate(roles: .create())
            let heard = Gate(isClosed: true)
            defer { heard.rest.raise() }
            let twilio = try TwilioStandIn()
            let speech = try OpenAIStandIn { _, _ in
                heard.pass()
                return []
            }
            let sid = TwilioStandIn.recordingSid()
            twilio[sid] = .init(wav: CallSound.wav(seconds: 3, tones: [440]), isDual: false)
            let id = try await bench.enqueue(
                CallRecording.name, #"{"recordingUrl": "\#(twilio.url(of: sid))", "channels": 1}"#)
            let worker = try await bench.worker([
                "TWILIO_AUTH_TOKEN": TwilioStandIn.token, "KILN_TWILIO_HOSTS": twilio.origin,
                "KILN_SPEECH_ENGINE": "openai", "OPENAI_API_KEY": OpenAIStandIn.key, "OPENAI_BASE_URL": speech.baseURL,
            ])
            _ = try await bench.until { heard.count > 0 ? true : nil }
            // As if two workers had died before, with nothing but this job.
            _ = try await bench.sql("UPDATE kiln.job SET crashes = 2, alone = true")
            worker.signal(SIGKILL)
            #expect(await worker.end() == -1)
            try await bench.endLease(of: worker.pid)
            #expect(try await bench.job(id).state == .dead)
            let rows = try await bench.sql(
                """
                SELECT c.status, r.status, u.status, s.step, s.status, c.error = r.error AND r.error = u.error AND u.error = s.error
                FROM kiln_calls.recordings r JOIN kiln_calls.calls c ON c.id = r.call_id
                    JOIN kiln_calls.pipeline_runs u ON u.recording_id = r.id
                    JOIN kiln_calls.pipeline_steps s ON s.recording_id = r.id WHERE s.seq = 2
                """)
            #expect(rows == "failed|failed|failed|transcribe_whisper|failed|t", "\(rows)")
            #expect(try await bench.sql("SELECT error FROM kiln_calls.calls").contains("its worker died 3 times"))
            #expect(twilio.refusals.isEmpty && server.refusals.isEmpty)
        }

        private static let steps = ["download_recording", "transcribe_whisper", "analyze_llm", "persist_db"]

        /// The steps that are done, in their order.
        private static func completed(_ bench: ProofBench, _ sid: String) async throws -> ArraySlice<String> {
            let text = try await bench.sql(
                """
                SELECT step FROM kiln_calls.pipeline_steps WHERE recording_sid = '\(sid)' AND status = 'completed'
                ORDER BY seq
                """)
            return text.split(separator: "\n").map(String.init)[...]
        }
    }
}
