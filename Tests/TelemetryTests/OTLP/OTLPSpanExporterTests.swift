import Testing
import Tracing
import Transfer

@testable import Telemetry
@testable import TransferTestSupport

@Suite(.timeLimit(.minutes(5)))
struct OTLPSpanExporterTests {
    @Test func `spans arrive as they were`() async throws {
        let collector = try Collector()
        let log = SpanLog()
        let tracer = OpenTelemetryTracer(processor: log)
        var context = ServiceContext.topLevel
        context.spanContext = SpanContext(
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "a=1,b=2")
        let job = tracer.startSpan(
            "a \"job\"\n", context: context, ofKind: .consumer, at: moment(1_544_712_660_000_000_001))
        let read = tracer.startSpan("read", context: job.context, ofKind: .client, at: moment(2_000))
        read.attributes = [
            "string": "text\u{2028}", "int": .int(.min), "int32": .int32(-7), "double": 0.5, "whole": .double(3),
            "nan": .double(.nan), "infinite": .double(-.infinity), "bool": true,
            "convertible": .stringConvertible(SpanID(7)?.description ?? ""), "strings": .stringArray(["a", "b"]),
            "ints": .int64Array([1, .max]), "doubles": .doubleArray([1, 0.25]), "bools": .boolArray([true, false]),
            "none": .stringArray([]),
        ]
        read.addEvent(SpanEvent(name: "first byte", at: moment(2_500), attributes: ["bytes": 12]))
        read.addLink(SpanLink(context: context, attributes: ["why": "retry"]))
        read.addLink(SpanLink(context: .topLevel, attributes: [:]))
        read.setStatus(SpanStatus(code: .error, message: "cut off"))
        read.end(at: moment(3_000))
        job.setStatus(SpanStatus(code: .ok, message: "not told"))
        job.end(at: moment(1_544_712_660_000_000_002))

        let exporter = try OTLPBench.exporter(collector.endpoint) { settings in
            settings.headers = ["api-key": "secret"]
            settings.resource["deployment.environment.name"] = "test"
        }
        #expect(try await exporter.export(log.spans) == 0)
        #expect(collector.problems == [])
        let readContext = try #require(read.context.spanContext)
        let jobContext = try #require(job.context.spanContext)
        try #require(collector.spans.count == 2)
        var received = collector.spans[0]
        if case .double(let value)? = received.attributes.removeValue(forKey: "nan") {
            #expect(value.isNaN)
        } else {
            Issue.record("no NaN")
        }
        #expect(
            received
                == ReceivedSpan(
                    traceID: "4bf92f3577b34da6a3ce929d0e0e4736", spanID: readContext.spanID.description,
                    parentID: jobContext.spanID.description, traceState: "a=1,b=2", flags: 0x101, name: "read", kind: 3,
                    start: 2_000, end: 3_000,
                    attributes: [
                        "string": .string("text\u{2028}"), "int": .int(.min), "int32": .int(-7), "double": .double(0.5),
                        "whole": .double(3), "infinite": .double(-.infinity), "bool": .bool(true),
                        "convertible": .string("0000000000000007"), "strings": .array([.string("a"), .string("b")]),
                        "ints": .array([.int(1), .int(.max)]), "doubles": .array([.double(1), .double(0.25)]),
                        "bools": .array([.bool(true), .bool(false)]), "none": .array([]),
                    ],
                    events: [.init(name: "first byte", time: 2_500, attributes: ["bytes": .int(12)])],
                    links: [
                        .init(
                            traceID: "4bf92f3577b34da6a3ce929d0e0e4736", spanID: "00f067aa0ba902b7", flags: 0x301,
                            attributes: ["why": .string("retry")])
                    ], statusCode: 2, statusMessage: "cut off"))
        #expect(
            collector.spans[1]
                == ReceivedSpan(
                    traceID: "4bf92f3577b34da6a3ce929d0e0e4736", spanID: jobContext.spanID.description,
                    parentID: "00f067aa0ba902b7", traceState: "a=1,b=2", flags: 0x301, name: "a \"job\"\n", kind: 5,
                    start: 1_544_712_660_000_000_001, end: 1_544_712_660_000_000_002, statusCode: 1))
        let resource = try #require(collector.resources.first)
        #expect(resource["service.name"] == .string("test"))
        #expect(resource["deployment.environment.name"] == .string("test"))
        #expect(resource["telemetry.sdk.language"] == .string("swift"))
        #expect(collector.headers.first?["api-key"] == "secret")
    }

    @Test func `what was left out is counted`() async throws {
        let collector = try Collector()
        let log = SpanLog()
        let tracer = OpenTelemetryTracer(processor: log, limits: SpanLimits(attributes: 1, events: 0, links: 0))
        let span = tracer.startSpan("span")
        span.attributes = ["a": 1, "b": 2, "c": 3]
        span.addEvent("event")
        span.addLink(span)
        span.end()
        _ = try await OTLPBench.exporter(collector.endpoint).export(log.spans)
        #expect(collector.problems == [])
        let received = try #require(collector.spans.first)
        #expect(received.attributes == ["a": .int(1)] && received.droppedAttributes == 2)
        #expect(received.droppedEvents == 1 && received.droppedLinks == 1)
        #expect(received.parentID == nil && received.statusCode == 0)
    }

    @Test(arguments: [
        ("", "/v1/traces"), ("/", "/v1/traces"), ("/otlp/", "/otlp/v1/traces"), ("/a/b", "/a/b/v1/traces"),
    ])
    func `the path is put behind the endpoint's`(path: String, expected: String) throws {
        let settings = OTLPSettings(endpoint: try HTTPURL("http://collector:4318\(path)"), serviceName: "x")
        #expect(settings.tracesURL.text == "http://collector:4318\(expected)")
    }

    @Test(arguments: [429, 502, 503, 504])
    func `an answer that may pass is tried again`(status: Int) async throws {
        let collector = try Collector([.status(status, ["Retry-After": "0"]), .status(status)])
        #expect(try await OTLPBench.exporter(collector.endpoint).export(OTLPBench.spans(3)) == 0)
        #expect(collector.spans.map(\.name) == ["span 0", "span 1", "span 2"])
        #expect(collector.headers.count == 3)
        #expect(collector.problems == [])
    }

    @Test(arguments: [400, 401, 404, 413, 500, 501, 302])
    func `an answer that does not pass is not`(status: Int) async throws {
        let collector = try Collector([.status(status, ["Location": "/elsewhere"])])
        let exporter = try OTLPBench.exporter(collector.endpoint) { $0.headers = ["api-key": "secret"] }
        let error = await #expect(throws: TransferError.self) { try await exporter.export(OTLPBench.spans(1)) }
        #expect(error?.status == status)
        #expect(error?.description.contains("secret") == false)
        #expect(collector.headers.count == 1)
    }

    @Test func `a connection that is reset or stalls is tried again`() async throws {
        let collector = try Collector([.reset, .stall, .reset])
        let exporter = try OTLPBench.exporter(collector.endpoint) { $0.attemptTimeout = .seconds(5) }
        #expect(try await exporter.export(OTLPBench.spans(1)) == 0)
        #expect(collector.spans.count == 1)
        #expect(collector.headers.count == 4)
    }

    @Test func `a server that asks for more patience than a batch has gets no second request`() async throws {
        let collector = try Collector([.status(503, ["Retry-After": "3600"])])
        let exporter = try OTLPBench.exporter(collector.endpoint)
        let error = await #expect(throws: TransferError.self) { try await exporter.export(OTLPBench.spans(1)) }
        #expect(error?.status == 503)
        #expect(collector.headers.count == 1)
    }

    @Test func `spans that are refused are counted`() async throws {
        let collector = try Collector([.refuse(2), .refuse(7)])
        let exporter = try OTLPBench.exporter(collector.endpoint)
        #expect(try await exporter.export(OTLPBench.spans(5)) == 2)
        // No more than there were.
        #expect(try await exporter.export(OTLPBench.spans(5)) == 5)
    }

    @Test func `a batch ends with its task`() async throws {
        let collector = try Collector([.stall])
        let exporter = try OTLPBench.exporter(collector.endpoint)
        let task = Task { try await exporter.export(OTLPBench.spans(1)) }
        await collector.wasAsked.wait()
        task.cancel()
        await #expect(throws: TransferError.self) { try await task.value }
    }
}
