import Foundation
import JobQueue
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// Jobs that the app itself does.
@Suite struct AppRequestTests {
    @Test func `The app's answer is the job's result`() async throws {
        let bench = try await ServiceBench()
        let app = try Receiver { _ in (200, ["Content-Type": "application/json"], #"{"sum": 3, "of": [1, 2]}"#) }
        let id = try await bench.enqueue(
            "http.request",
            #"{"url": "\#(app.url("/add?x=1"))", "body": {"b": 2, "a": 1}, "headers": {"X-Tenant": "t"}}"#)
        let answer = try await bench.serving { _ in
            try await bench.queue.wait(for: id, as: JSONValue.self, timeout: .seconds(60))
        }
        #expect(answer == ["sum": 3, "of": [1, 2]])
        let message = try #require(app.messages.first)
        #expect(message.head.method == "POST" && message.head.target == "/add?x=1")
        #expect(String(decoding: message.body, as: UTF8.self) == #"{"a":1,"b":2}"#)
        #expect(message.head.headers["X-Tenant"] == "t" && message.head.headers["Content-Type"] == "application/json")
        #expect(message.head.headers["webhook-id"] == id.uuidString.lowercased())
        let timestamp = try #require(message.head.headers["webhook-timestamp"].flatMap { Int64($0) })
        let signed = StandardWebhook(id: id.uuidString.lowercased(), timestamp: timestamp, body: message.body)
        #expect(message.head.headers["webhook-signature"] == signed.signature(ServiceBench.key))
    }

    @Test(arguments: [
        (400, JobState.dead), (404, .dead), (412, .dead), (422, .dead), (302, .dead), (408, .failed), (425, .failed),
        (429, .failed), (500, .failed), (503, .failed),
    ])
    func `A status decides whether there is another attempt`(_ status: Int, _ state: JobState) async throws {
        let bench = try await ServiceBench()
        let app = try Receiver { _ in (status, ["Retry-After": "7200", "Location": "http://127.0.0.1:1/"], "{}") }
        let id = try await bench.enqueue("http.request", #"{"url": "\#(app.url())?token=secret"}"#)
        try await bench.serving { _ in
            let job = try await bench.until(id) { $0.state == .failed || $0.state.isFinished }
            #expect(job.state == state && job.attempt == 1)
            // Two hours are asked for, and one is the most that a job waits.
            if state == .failed { #expect((3000...3600).contains(job.runAt.timeIntervalSinceNow)) }
            #expect(job.errors?.last?.message?.contains("\(status)") == true)
            #expect(job.errors?.last?.message?.contains("secret") == false)
        }
        #expect(app.messages.count == 1)
    }

    @Test func `An answer that is no JSON, or too long, or comes from within, ends the job`() async throws {
        var bench = try await ServiceBench()
        let text = try Receiver { _ in (200, [:], "hello") }
        let long = try Receiver { _ in (200, [:], "\"" + String(repeating: "x", count: 2 << 20) + "\"") }
        let empty = try Receiver { _ in (204, [:], "") }
        let ids = [
            try await bench.enqueue("http.request", #"{"url": "\#(text.url())"}"#),
            try await bench.enqueue("http.request", #"{"url": "\#(long.url())"}"#),
        ]
        let silent = try await bench.enqueue("http.request", #"{"url": "\#(empty.url())"}"#)
        try await bench.serving { [bench] _ in
            for id in ids {
                let job = try await bench.failed(id)
                #expect(job.state == .dead && job.attempt == 1)
            }
            #expect(try await bench.queue.wait(for: silent, timeout: .seconds(60)).result == RawJSON("null"))
        }
        bench.configuration.network.guarding = AddressGuard()
        let inside = try await bench.enqueue("http.request", #"{"url": "\#(empty.url())"}"#)
        try await bench.serving { [bench] _ in
            let job = try await bench.failed(inside)
            #expect(job.state == .dead && job.errors?.last?.message?.contains("may not be fetched") == true)
        }
        #expect(empty.messages.count == 1)
    }
}
