import Foundation
import JobQueue
import ServiceTestSupport
import Telemetry
import TestSupport
import Testing
import Tracing
import Transfer

@testable import TransferTestSupport
@testable import Worker

/// A trace from whoever enqueued a job, through the worker, to the collector and the app.
@Suite(.timeLimit(.minutes(3))) struct TraceTests {
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test(
        arguments: [
            (#"{"traceparent": "\#(parent)"}"#, nil, true),
            (#"{"traceparent": "\#(parent)"}"#, #"{"traceparent": 7}"#, true),
            (#"{"input": "a"}"#, #"{"order": 7, "traceparent": "\#(parent)", "tracestate": "a=1"}"#, true),
            (#"{"traceparent": "00-nonsense"}"#, #"{"traceparent": "\#(parent)"}"#, true),
            (#"{"traceparent": "00-nonsense"}"#, nil, false),
            (#"{"traceparent": null}"#, "[1]", false), (#""traceparent""#, nil, false), ("{}", nil, false),
        ] as [(String, String?, Bool)])
    func `A job's trace is its payload's, else its metadata's`(payload: String, metadata: String?, isFound: Bool) {
        let context = TracePropagation.context(payload: Data(payload.utf8), metadata: metadata.map { Data($0.utf8) })
        #expect(context.spanContext?.traceID.description == (isFound ? Self.trace : nil))
    }

    @Test func `A job's spans reach the collector as part of the caller's trace, and its log lines name it`()
        async throws
    {
        let bench = try await ServiceBench()
        bench.putClip()
        let collector = try Collector()
        let id = try await bench.enqueue(
            "media.extract_audio", #"{"input": "s3://media/in/clip.mkv", "traceparent": "\#(Self.parent)"}"#)
        let outcome = try await bench.command(
            ["worker"],
            [
                "OTEL_EXPORTER_OTLP_ENDPOINT": try "\(collector.endpoint.text)", "OTEL_SERVICE_NAME": "films",
                "LOG_LEVEL": "info", "LOG_FORMAT": "json",
            ]
        ) { _ in
            _ = try await bench.result(id)
        }
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(collector.problems.isEmpty, "\(collector.problems)")
        let spans = Dictionary(collector.spans.map { ($0.name, $0) }) { $1 }
        #expect(collector.spans.allSatisfy { $0.traceID == Self.trace })
        let job = try #require(spans["media.extract_audio"])
        #expect(job.parentID == "00f067aa0ba902b7" && job.kind == 5)
        #expect(job.attributes["messaging.message.id"] == .string(id.uuidString.lowercased()))
        let process = try #require(spans["process"])
        #expect(process.parentID == job.spanID)
        for name in ["read", "write"] {
            let span = try #require(spans[name])
            #expect(span.parentID == process.spanID && span.start >= job.start && span.end <= job.end)
            guard case .int(let bytes)? = span.attributes["kiln.bytes"] else {
                Issue.record("no bytes")
                continue
            }
            #expect(bytes > 1000)
        }
        #expect(collector.resources.first?["service.name"] == .string("films"))
        let lines = outcome.error.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
        }
        let end = try #require(lines.first { $0["message"] == "job succeeded" })
        #expect(end["trace_id"]?.string == Self.trace && end["job"]?.string == id.uuidString.lowercased())
        #expect(end["kind"] == "media.extract_audio" && end["attempt"] == 1)
    }

    @Test func `A request to the app stays part of the trace, also where no collector is named`() async throws {
        let bench = try await ServiceBench()
        let app = try Receiver()
        try await bench.serving { _ in
            let id = try await bench.enqueue(
                "http.request", #"{"url": "\#(app.url())"}"#,
                #", metadata => '{"traceparent": "\#(Self.parent)"}'"#)
            _ = try await bench.queue.wait(for: id, timeout: .seconds(60))
        }
        #expect(app.messages.first?.head.headers["traceparent"] == Self.parent)
    }
}
