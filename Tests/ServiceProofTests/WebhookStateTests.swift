import Foundation
import JobQueue
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// What the app hears.
    @Suite(.timeLimit(.minutes(10))) struct WebhookStateTests {
        @Test func `Two workers tell of each state of each job once, signed`() async throws {
            let release = ThreadSignal()
            let server = try S3Server { request in
                request.operation == .get && request.key == "in/slow.mkv" ? .hold(release) : nil
            }
            defer { release.raise() }
            for key in ["in/clip.mkv", "in/slow.mkv"] { server.put(key, TestClip.ordinary(seconds: 1).bytes) }
            let bench = try await ProofBench.on(server)
            let receiver = try Receiver()
            func probe(_ name: String, _ more: String = "") async throws -> JobID {
                try await bench.enqueue(
                    "media.probe",
                    #"{"input": "s3://media/in/\#(name).mkv", "webhook": "\#(receiver.url())", "metadata": {"of": "\#(name)"}}"#,
                    more)
            }
            var expected: [String] = []
            func expect(_ id: JobID, _ events: String...) {
                expected += events.map { "\(id.uuidString.lowercased()) job.\($0)" }
            }
            // Before anybody could run them.
            for _ in 0..<2 {
                let id = try await probe("clip", ", run_at => now() + interval '1 hour'")
                try await bench.queue.cancel(id, reason: "not wanted")
                expect(id, "cancelled")
            }
            let workers = [try await bench.worker(), try await bench.worker()]
            let slow = try await probe("slow")
            for _ in 0..<8 { expect(try await probe("clip"), "started", "completed") }
            for _ in 0..<4 { expect(try await probe("none"), "started", "failed") }
            _ = try await bench.until { server.requests(.get).contains { $0.key == "in/slow.mkv" } ? true : nil }
            try await bench.queue.cancel(slow)
            expect(slow, "started", "cancelled")

            // A message is a job, and done when it was taken.
            _ = try await bench.until { () async throws -> Bool? in
                let done = try await bench.queue.jobs(JobFilter(states: [.succeeded], kind: "webhook.deliver"))
                return done.count == expected.count ? true : nil
            }
            for worker in workers {
                worker.signal(SIGTERM)
                #expect(await worker.end() == 0, "\(bench.logs)")
            }
            let messages = receiver.messages
            let told = messages.map { "\($0.json?["data"]?["jobId"]?.string ?? "") \($0.type ?? "")" }
            #expect(told.sorted() == expected.sorted(), "\(bench.logs)")
            #expect(messages.allSatisfy { $0.isSigned(with: ProofBench.key) })
            #expect(Set(messages.compactMap { $0.head.headers["webhook-id"] }).count == messages.count)
            let unfinished = try await bench.sql("SELECT count(*) FROM kiln.job")
            #expect(unfinished == "0")
        }
    }
}
