import Foundation
import JobQueue
import Locking
import Logging
import PostgresTestSupport
import ProviderTestSupport
import Providers
import Server
import ServiceTestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// From a recording at Twilio to rows.
@Suite struct CallRecordingTests {
    @Test func `A call that Twilio announces becomes rows, and its recording an object`() async throws {
        let bench = try await CallBench()
        let receiver = try Receiver()
        let sid = bench.record(), call = TwilioStandIn.callSid()
        try await ServerSchema.migrations(bench.database.url).migrate(roles: .create())
        var settings = try ServerSettings(bench.bench.configuration)
        settings.port = 0
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = APIServer(bench.queue, settings: settings, logger: logger) { listening.yield($0) }
        let running = Task { try await server.run() }
        defer { running.cancel() }
        var iterator = ports.makeAsyncIterator()
        let url = "http://127.0.0.1:\(try #require(await iterator.next()))/webhooks/twilio/recording"
        let (body, headers) = TwilioStandIn.webhook(
            [
                ("AccountSid", TwilioStandIn.account), ("CallSid", call), ("RecordingSid", sid),
                ("RecordingUrl", bench.twilio.url(of: sid)), ("RecordingStatus", "completed"),
                ("RecordingDuration", "1"), ("RecordingChannels", "2"), ("From", "+15551234567"),
                ("To", "+15557654321"),
            ], to: url)
        let client = try HTTPClient()
        for _ in 0..<2 {
            let reply = try await client.send(
                HTTPRequest(
                    .post, try HTTPURL(url), headers: headers, body: .text(body), destination: .trusted))
            #expect(reply.status == 204)
        }
        let id = try #require(try await bench.queue.jobs(JobFilter(kind: CallRecording.name)).first?.id)
        // And one that wants to be told, by SQL.
        let other = bench.record()
        let told = try await bench.enqueue(other, #", "webhook": "\#(receiver.url())""#)
        let answer = try await bench.serving { () async throws -> CallRecording.Answer in
            _ = try await bench.done(told)
            _ = try await bench.until { () async throws -> Bool? in
                receiver.messages.contains { $0.type == "job.completed" } ? true : nil
            }
            return try await bench.done(id)
        }
        let key = "recordings/\(TwilioStandIn.account)/\(sid).wav"
        #expect(answer.recording == "s3://media/\(key)" && answer.callSid == call)
        #expect(bench.bench.server.bytes(key) == bench.twilio[sid]?.wav)
        #expect(bench.bench.server[key]?.contentType == "audio/wav")
        #expect(bench.twilio.refusals.isEmpty, "\(bench.twilio.refusals)")
        // The other one is fetched beside it.
        let asked = bench.twilio.requests.first { $0.contains(sid) }
        #expect(asked == "GET \(sid).wav?RequestedChannels=2")
        let rows = try await bench.sql(
            """
            SELECT c.call_sid, c.account_sid, c.from_number, c.to_number, c.duration, c.status, c.error IS NULL, c.preview,
                r.local_path, r.status, r.channels, r.downloaded_at IS NOT NULL, t.engine, t.language, t.raw_json ->> 'engine',
                i.content ->> 'method', i.content ->> 'summary' = c.summary
            FROM kiln_calls.recordings r JOIN kiln_calls.calls c ON c.id = r.call_id
                JOIN kiln_calls.transcripts t ON t.recording_id = r.id JOIN kiln_calls.insights i ON i.recording_id = r.id
            WHERE r.recording_sid = '\(sid)'
            """)
        let preview =
            "Caller: Good morning, my order 4711 has not arrived. Agent: I am sorry. I will send it again on Friday. "
            + "Caller: Thank you."
        #expect(
            rows
                == "\(call)|\(TwilioStandIn.account)|+15551234567|+15557654321|1|completed|t|\(preview)|s3://media/\(key)"
                + "|completed|2|t|test:speech|en|test:speech|extractive|t")
        #expect(bench.speech.requests.allSatisfy { $0.channels == .separate && $0.speakers == ["Caller", "Agent"] })
        let run = try await bench.sql(
            "SELECT job_id, status, current_step, attempt FROM kiln_calls.pipeline_runs WHERE recording_sid = '\(sid)'")
        #expect(run == "\(id.uuidString.lowercased())|completed|persist_db|1")
        let steps = try await bench.sql(
            """
            SELECT string_agg(step || ' ' || status, ', ' ORDER BY seq) FROM kiln_calls.pipeline_steps
            WHERE recording_sid = '\(sid)'
            """)
        #expect(
            steps
                == "download_recording completed, transcribe_whisper completed, analyze_llm completed, persist_db completed"
        )
        let message = try #require(receiver.messages.first { $0.type == "job.completed" }?.json?["data"])
        #expect(message["result"]?["recordingSid"]?.string == other)
        await client.shutdown()
    }

    /// Fails a job once, when all is done.
    private struct FailingEnd: JobMiddleware {
        let hasFailed = Locked(false)
        func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
            let result = try await next()
            let isFirst = hasFailed.withLock { failed in
                defer { failed = true }
                return !failed
            }
            if isFirst { throw BenchFailure("after the last step") }
            return result
        }
    }

    @Test func `Each step is done once, though the job fails after each in turn`() async throws {
        let bench = try await CallBench()
        let sid = bench.record()
        bench.speech.fail(1)
        bench.failingAnalyses.withLock { $0 = 1 }
        // Numbers of a sequence are not taken back with the transaction that fails.
        _ = try await bench.database.psql(
            """
            CREATE SEQUENCE public.tries; GRANT ALL ON SEQUENCE public.tries TO PUBLIC;
            CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.status = 'completed' AND OLD.status <> 'completed' AND nextval('public.tries') = 1 THEN RAISE EXCEPTION 'not yet'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER fail_once BEFORE UPDATE ON kiln_calls.calls FOR EACH ROW EXECUTE FUNCTION fail_once();
            """)
        let id = try await bench.enqueue(
            CallRecording.name, #"{"recordingUrl": "\#(bench.twilio.url(of: sid))"}"#, ", max_attempts => 9")
        try await bench.serving(middlewares: [FailingEnd()]) { () async throws in _ = try await bench.done(id) }
        #expect(try await bench.job(id).attempt == 5)
        #expect(bench.twilio.served == 1 && bench.speech.requests.count == 1)
        #expect(bench.analyses.withLock { $0 } == 1)
        #expect(try await bench.sql("SELECT last_value FROM public.tries") == "2")
        #expect(try await Self.states(bench, sid) == "completed completed")
        #expect(
            try await bench.sql("SELECT count(*) FROM kiln_calls.transcripts, kiln_calls.insights") == "1")
    }

    private static func states(_ bench: CallBench, _ sid: String) async throws -> String {
        try await bench.sql(
            """
            SELECT c.status || ' ' || r.status FROM kiln_calls.recordings r JOIN kiln_calls.calls c ON c.id = r.call_id
            WHERE recording_sid = '\(sid)'
            """)
    }

    @Test func `Another run skips what is done, and fetches what the store has lost`() async throws {
        let bench = try await CallBench()
        let sid = bench.record()
        let lost = "recordings/\(TwilioStandIn.account)/\(sid).wav"
        try await bench.serving { () async throws in
            _ = try await bench.done(try await bench.enqueue(sid))
            let second = try await bench.enqueue(sid)
            _ = try await bench.done(second)
            #expect(bench.twilio.served == 1 && bench.speech.requests.count == 1)
            let skipped = try await bench.sql(
                """
                SELECT count(*) FROM kiln_calls.pipeline_steps
                WHERE job_id = '\(second.uuidString)' AND (meta ->> 'skipped')::boolean
                """)
            #expect(skipped == "3")
            bench.bench.server[lost] = nil
            _ = try await bench.done(try await bench.enqueue(sid))
            #expect(bench.twilio.served == 2 && bench.speech.requests.count == 1)
        }
        #expect(bench.bench.server.keys == [lost])
        #expect(try await bench.sql("SELECT count(*) FROM kiln_calls.pipeline_runs WHERE status = 'completed'") == "3")
    }

    @Test func `Two runs at once take turns, and there is one set of rows`() async throws {
        let bench = try await CallBench()
        let sid = bench.record()
        let entered = AsyncFlag(), release = AsyncFlag()
        bench.speech.gate.withLock {
            $0 = {
                entered.raise()
                await release.wait()
            }
        }
        let first = try await bench.enqueue(sid)
        try await bench.serving { () async throws in
            await entered.wait()
            let second = try await bench.enqueue(sid)
            _ = try await bench.until(second) { $0.state == .scheduled }
            release.raise()
            _ = try await bench.done(first)
            _ = try await bench.done(second)
            #expect(try await bench.job(second).attempt == 1)
        }
        #expect(bench.twilio.served == 1 && bench.speech.requests.count == 1)
        let counts = try await bench.sql(
            """
            SELECT (SELECT count(*) FROM kiln_calls.calls), (SELECT count(*) FROM kiln_calls.recordings),
                (SELECT count(*) FROM kiln_calls.transcripts), (SELECT count(*) FROM kiln_calls.insights)
            """)
        #expect(counts == "1|1|1|1")
    }

    @Test func `A failure marks step, run, call and recording, and a later success sets them right`() async throws {
        let bench = try await CallBench()
        let sid = bench.record()
        bench.speech.fail(1, ProviderError(.badRequest, "it does not like the sound", provider: "speech"))
        let id = try await bench.enqueue(sid)
        try await bench.serving { () async throws in
            let job = try await bench.failed(id)
            #expect(job.state == .dead && job.attempt == 1)
            #expect(try await Self.states(bench, sid) == "failed failed")
            let run = try await bench.sql("SELECT status, current_step, error FROM kiln_calls.pipeline_runs")
            #expect(run.hasPrefix("failed|transcribe_whisper|") && run.contains("does not like"))
            let steps = try await bench.sql(
                "SELECT string_agg(step || ' ' || status, ', ' ORDER BY seq) FROM kiln_calls.pipeline_steps")
            #expect(steps == "download_recording completed, transcribe_whisper failed")
            let error = try await bench.sql("SELECT error FROM kiln_calls.calls")
            #expect(error.contains("it does not like the sound") && !error.contains(TwilioStandIn.token))
            _ = try await bench.done(try await bench.enqueue(sid))
            #expect(try await Self.states(bench, sid) == "completed completed")
            #expect(try await bench.sql("SELECT count(*) FROM kiln_calls.calls WHERE error IS NOT NULL") == "0")
        }
        #expect(bench.twilio.served == 1)
    }

    @Test func `A recording that is not there yet is waited for at no cost, and an absent one is given up`()
        async throws
    {
        let bench = try await CallBench()
        var late = TwilioStandIn.Recording(wav: CallSound.wav(seconds: 1, tones: [440, 880]), status: "processing")
        late.misses = 3
        let sid = bench.record(late)
        let absent = bench.record(.init(status: "absent", errorCode: 16101))
        let waiting = try await bench.enqueue(sid), gone = try await bench.enqueue(absent)
        try await bench.serving { () async throws in
            let job = try await bench.failed(gone)
            #expect(job.state == .dead && job.attempt == 1)
            #expect(job.errors?.last?.message?.contains("16101") == true)
            #expect(try await Self.states(bench, absent) == "failed absent")
            _ = try await bench.until(waiting) { $0.state == .scheduled }
            let step = try await bench.sql(
                "SELECT status, error IS NULL FROM kiln_calls.pipeline_steps WHERE recording_sid = '\(sid)'")
            #expect(step == "waiting|t")
            _ = try await bench.done(waiting)
            #expect(try await bench.job(waiting).attempt == 1)
        }
    }

    @Test func `Without its channels apart it is fetched as one, and without WAV as MP3`() async throws {
        let bench = try await CallBench()
        let mono = bench.record(.init(wav: CallSound.wav(seconds: 1, tones: [440]), isDual: false))
        let small = bench.record(.init(mp3: Array("ID3".utf8) + [UInt8](repeating: 0, count: 500)))
        bench.speech.fail(0)
        let first = try await bench.enqueue(mono, url: bench.twilio.url(of: mono, suffix: ".mp3"))
        let second = try await bench.enqueue(small)
        try await bench.serving { () async throws in
            _ = try await bench.done(first)
            // It is no real MP3, which the recogniser will say.
            _ = try? await bench.done(second)
        }
        #expect(bench.speech.requests.map(\.channels) == [.mixed])
        let asked = bench.twilio.requests
        #expect(asked.filter { $0.contains(mono) } == ["GET \(mono).wav?RequestedChannels=2", "GET \(mono).wav"])
        #expect(asked.contains("GET \(small).mp3"))
        #expect(bench.bench.server.keys.contains("recordings/\(TwilioStandIn.account)/\(small).mp3"))
    }

    @Test func `The token goes to Twilio alone`() async throws {
        let bench = try await CallBench()
        let media = CallSound.wav(seconds: 1, tones: [440, 880])
        let elsewhere = try RawServer { connection in
            while try connection.readHead() != nil {
                try connection.respond(200, headers: ["Content-Type": "audio/x-wav"], body: media)
            }
        }
        let moved = bench.record(.init(wav: media, fault: .redirect(elsewhere.url("/signed?x=1"))))
        let foreign = TwilioStandIn.recordingSid()
        let ids = [
            try await bench.enqueue(moved),
            try await bench.enqueue(
                foreign, url: elsewhere.url("/2010-04-01/Accounts/\(TwilioStandIn.account)/Recordings/\(foreign)")),
        ]
        let guarded = try await bench.enqueue(
            foreign, url: "http://169.254.169.254/Recordings/\(TwilioStandIn.recordingSid())")
        try await bench.serving { () async throws in
            for id in ids { _ = try await bench.done(id) }
            #expect(try await bench.failed(guarded).attempt == 1)
        }
        #expect(elsewhere.requests.count == 2)
        #expect(elsewhere.requests.allSatisfy { $0.headers["Authorization"] == nil })
    }

    @Test func `What is no sound is never stored, and what is cut off is fetched again`() async throws {
        let bench = try await CallBench()
        let wav = CallSound.wav(seconds: 1, tones: [440, 880])
        let page = bench.record(.init(wav: wav, fault: .errorPage))
        let cut = bench.record(.init(wav: wav, fault: .cut(2)))
        let bad = try await bench.enqueue(page), again = try await bench.enqueue(cut)
        try await bench.serving { () async throws in
            #expect(try await bench.failed(bad).errors?.last?.message?.contains("no sound") == true)
            _ = try await bench.done(again)
        }
        #expect(bench.bench.server.keys == ["recordings/\(TwilioStandIn.account)/\(cut).wav"])
        #expect(bench.bench.server.bytes("recordings/\(TwilioStandIn.account)/\(cut).wav") == wav)
        #expect(bench.bench.server.uploads.isEmpty)
    }

    @Test func `A token that is refused, or missing, is the worker's to be set right`() async throws {
        let good = try await CallBench()
        let sid = good.record()
        for (token, hint) in [("wrong", "TWILIO_AUTH_TOKEN is the auth token"), (nil, "Set TWILIO_AUTH_TOKEN")] {
            let bench = CallBench(good) { $0.providers.twilio.authToken = token }
            let id = try await bench.enqueue(
                CallRecording.name, #"{"recordingUrl": "\#(bench.twilio.url(of: sid))"}"#, ", max_attempts => 1")
            try await bench.serving { () async throws in
                let message = try await bench.failed(id).errors?.last?.message ?? ""
                #expect(message.contains(hint) && !message.contains("wrong"), "\(message)")
            }
        }
    }
}
