import Foundation
import JobQueue
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// Messages about jobs.
@Suite struct WebhookTests {
    @Test func `The signature is the one of the specification's example`() {
        // https://docs.svix.com/receiving/verifying-payloads/how-manual
        let message = StandardWebhook(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
        let key = Array(Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") ?? Data())
        #expect(message.signature(key) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect(message.headers(keys: [key, key])["webhook-signature"]?.split(separator: " ").count == 2)
        #expect(message.headers(keys: [])["webhook-signature"] == nil)
    }

    private func deliveries(_ bench: ServiceBench) async throws -> [JobInfo] {
        try await bench.queue.jobs(JobFilter(kind: "webhook.deliver"))
    }

    @Test func `A job tells once that it has started, and once how it ended`() async throws {
        let bench = try await ServiceBench()
        bench.putClip()
        let receiver = try Receiver()
        let good = try await bench.enqueue(
            "media.probe",
            #"{"input": "s3://media/in/clip.mkv", "webhook": "\#(receiver.url())", "metadata": {"order": 7}}"#)
        let bad = try await bench.enqueue(
            "media.probe",
            #"{"input": "s3://media/none", "webhook": {"url": "\#(receiver.url())", "events": ["completed", "failed"]}}"#
        )
        try await bench.serving { _ in
            _ = try await bench.result(good)
            _ = try await bench.failed(bad)
            _ = try await bench.until { () async throws -> Bool? in
                try await deliveries(bench).filter { $0.state == .succeeded }.count == 3 ? true : nil
            }
        }
        let told = try await bench.queue.deliveries(about: good)
        #expect(told.map(\.event) == ["started", "completed"] && told.allSatisfy { $0.state == .succeeded })
        #expect(try await bench.queue.deliveries(about: bad).map(\.event) == ["failed"])
        let messages = receiver.messages
        #expect(messages.count == 3 && messages.allSatisfy { $0.isSigned(with: ServiceBench.key) })
        #expect(messages.compactMap(\.type).sorted() == ["job.completed", "job.failed", "job.started"])
        let completed = try #require(messages.first { $0.type == "job.completed" }?.json?["data"])
        #expect(completed["jobId"]?.string == good.uuidString.lowercased())
        #expect(completed["kind"] == "media.probe" && completed["metadata"]?["order"] == 7)
        #expect(completed["result"]?["info"]?["streams"] != nil)
        let failed = try #require(messages.first { $0.type == "job.failed" }?.json?["data"])
        #expect(failed["error"]?["message"]?.string?.contains("s3://media/none") == true)
        #expect(Set(messages.compactMap { $0.head.headers["webhook-id"] }).count == 3)
        // They can be found by the job that they are about.
        let about = try await bench.sql(
            "SELECT count(*) FROM kiln.job_history WHERE kind = 'webhook.deliver' AND metadata ->> 'job' = lower('\(good)')"
        )
        #expect(about == "2")
    }

    @Test func `A receiver that fails is asked again, with the same id, and one that is gone is not`() async throws {
        let bench = try await ServiceBench()
        bench.putClip()
        let receiver = try Receiver { ($0 == 0 ? 500 : $0 == 1 ? 404 : 200, [:], "no") }
        let gone = try Receiver { _ in (410, [:], "") }
        try await bench.serving { _ in
            for hook in [receiver, gone] {
                _ = try await bench.result(
                    try await bench.enqueue(
                        "media.probe",
                        #"{"input": "s3://media/in/clip.mkv", "webhook": {"url": "\#(hook.url())", "events": ["completed"]}}"#
                    ))
            }
            _ = try await bench.until { () async throws -> Bool? in
                try await Set(deliveries(bench).map(\.state)) == [.succeeded, .dead] ? true : nil
            }
        }
        #expect(receiver.messages.count == 3)
        #expect(Set(receiver.messages.map { $0.head.headers["webhook-id"] }).count == 1)
        #expect(Set(receiver.messages.map(\.body)).count == 1)
        #expect(gone.messages.count == 1)
    }

    @Test(arguments: [false, true])
    func `Without a key nothing is sent, unless that is asked for`(_ allowsUnsigned: Bool) async throws {
        var bench = try await ServiceBench()
        bench.configuration.webhooks.secrets = []
        bench.configuration.webhooks.allowsUnsigned = allowsUnsigned
        let receiver = try Receiver()
        let id = try await bench.enqueue("media.probe", #"{"webhook": "\#(receiver.url())"}"#)
        try await bench.queue.cancel(id)
        try await bench.serving { [bench] _ in
            let message = try await bench.until { () async throws -> JobInfo? in
                try await deliveries(bench).first { $0.state == .succeeded || $0.state == .scheduled }
            }
            #expect((message.state == .succeeded) == allowsUnsigned)
            // It waits for a worker that has one, and has lost nothing.
            if !allowsUnsigned { #expect(message.attempt == 0 && message.errors?.isEmpty != false) }
        }
        #expect(receiver.messages.isEmpty == !allowsUnsigned)
        #expect(receiver.messages.allSatisfy { $0.head.headers["webhook-signature"] == nil })
    }

    @Test func `However a job ends, its end and the message are one`() async throws {
        let bench = try await ServiceBench()
        let hook = #""webhook": "https://app.example.com/hook""#
        // Cancelled before anybody ran it.
        let idle = try await bench.enqueue("media.probe", "{\(hook)}")
        try await bench.queue.cancel(idle, reason: "not wanted")
        // Cancelled with its parent, in a transaction that fails first.
        let parent = try await bench.enqueue("media.probe", "{}")
        let child = try await bench.enqueue("media.probe", "{\(hook)}", ", depends_on => ARRAY['\(parent)'::uuid]")
        try await bench.sql("BEGIN; SELECT kiln.cancel('\(parent)'); ROLLBACK")
        #expect(try await deliveries(bench).count == 1)
        try await bench.queue.cancel(parent)
        // Its worker dies three times while it runs alone.
        let killer = try await bench.enqueue("media.probe", "{\(hook)}", ", queue => 'crash'")
        for _ in 0..<3 {
            try await bench.sql(
                """
                DO $$ DECLARE w uuid := gen_random_uuid(); BEGIN
                    PERFORM kiln.worker_register(w, 'w', 'h', 1, '0', '{crash}', '[]', 1, 1, 1, '10 s');
                    PERFORM kiln.worker_claim(w, '{crash}', NULL, 1, 1, 1, 1, 1, true);
                    UPDATE kiln.worker SET expires_at = now() - interval '1 s' WHERE id = w;
                    PERFORM kiln.rescue();
                END $$
                """)
        }
        #expect(try await bench.queue.job(killer)?.state == .dead)
        let told = try await bench.sql(
            """
            SELECT string_agg(payload -> 'body' -> 'data' ->> 'jobId' || ' ' || (payload ->> 'event'), ',' ORDER BY id)
            FROM kiln.job WHERE kind = 'webhook.deliver'
            """)
        let ids = [idle, child, killer].map { $0.uuidString.lowercased() }
        #expect(told == "\(ids[0]) job.cancelled,\(ids[1]) job.cancelled,\(ids[2]) job.failed")
        // A hook that is none, or whose app does not want to hear of it, is nobody's.
        for payload in [
            #"{"webhook": 5}"#, #"{"webhook": {"url": 5}}"#, #"["webhook"]"#,
            #"{"webhook": {"url": "https://x", "events": ["failed"]}}"#,
        ] {
            try await bench.queue.cancel(try await bench.enqueue("media.probe", payload))
        }
        #expect(try await deliveries(bench).count == 3)
    }
}
