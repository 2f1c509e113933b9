import Testing
import Tracing

@testable import Telemetry

@Suite struct TracerTests {
    private let log = SpanLog()
    private let remote = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func `spans within spans are of one trace, and know their parent`() async throws {
        let tracer = OpenTelemetryTracer(processor: log)
        await tracer.withSpan("job", ofKind: .consumer) { _ in
            tracer.withSpan("read") { _ in }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await tracer.withSpan("process") { _ in await Task.yield() } }
            }
        }
        tracer.withSpan("other") { _ in }
        let job = try #require(log["job"])
        let read = try #require(log["read"])
        let process = try #require(log["process"])
        #expect(log.spans.map(\.name) == ["read", "process", "job", "other"])
        #expect(job.parent == nil && job.kind == .consumer && read.kind == .internal)
        #expect(read.parent == job.context && process.parent == job.context)
        #expect(Set([job, read, process].map(\.context.traceID)).count == 1)
        #expect(Set([job, read, process].map(\.context.spanID)).count == 3)
        #expect(log["other"]?.context.traceID != job.context.traceID)
        #expect(job.start <= read.start && read.start <= read.end && read.end <= job.end)
        #expect(job.status == nil)
    }

    @Test func `a trace goes on from another process, and to the next`() throws {
        let tracer = OpenTelemetryTracer(processor: log)
        var context = ServiceContext.topLevel
        tracer.extract(
            ["traceparent": remote, "tracestate": "rojo=1, congo=2"], into: &context, using: DictionaryCarrier())
        var next: [String: String] = [:]
        tracer.withSpan("job", context: context) { span in
            tracer.inject(span.context, into: &next, using: DictionaryCarrier())
        }
        let job = try #require(log["job"])
        #expect(job.parent == SpanContext(traceparent: remote, tracestate: "rojo=1,congo=2"))
        #expect(job.parent?.isRemote == true && !job.context.isRemote)
        #expect(
            next == [
                "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-\(job.context.spanID)-01",
                "tracestate": "rojo=1,congo=2",
            ])
    }

    @Test func `what another process sends and is not valid begins a new trace`() throws {
        let tracer = OpenTelemetryTracer(processor: log)
        var context = ServiceContext.topLevel
        tracer.extract(["traceparent": remote + "-x", "tracestate": "a=1"], into: &context, using: DictionaryCarrier())
        #expect(context.spanContext == nil)
        tracer.withSpan("job", context: context) { _ in }
        #expect(log["job"]?.parent == nil && log["job"]?.context.state == .empty)
        var carrier: [String: String] = [:]
        tracer.inject(.topLevel, into: &carrier, using: DictionaryCarrier())
        #expect(carrier.isEmpty)
    }

    @Test func `a trace that is not recorded costs no span, and stays so further on`() throws {
        let tracer = OpenTelemetryTracer(processor: log, sampler: Sampler(ratio: 0))
        var carrier: [String: String] = [:]
        tracer.withSpan("outer") { outer in
            #expect(!outer.isRecording)
            outer.attributes["a"] = 1
            outer.addEvent("event")
            outer.recordError(CancellationError())
            #expect(outer.attributes.isEmpty)
            tracer.withSpan("inner") { inner in
                #expect(inner.context.spanContext?.traceID == outer.context.spanContext?.traceID)
                tracer.inject(inner.context, into: &carrier, using: DictionaryCarrier())
            }
        }
        #expect(log.spans.isEmpty)
        #expect(carrier["traceparent"]?.hasSuffix("-00") == true)
        #expect(carrier["traceparent"].flatMap { SpanContext(traceparent: $0) } != nil)
        // Whoever is asked to record does.
        var context = ServiceContext.topLevel
        context.spanContext = SpanContext(traceparent: remote)
        tracer.withSpan("asked", context: context) { _ in }
        #expect(log.spans.map(\.name) == ["asked"])
    }

    @Test func `an error that is thrown is recorded`() throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "it broke" } }
        let tracer = OpenTelemetryTracer(processor: log)
        #expect(throws: Broken.self) { try tracer.withSpan("job") { _ in throw Broken() } }
        let job = try #require(log["job"])
        #expect(job.status?.code == .error)
        let event = try #require(job.events.first)
        #expect(event.name == "exception")
        #expect(event.attributes.get("exception.message") == .string("it broke"))
        guard case .string(let type)? = event.attributes.get("exception.type") else {
            Issue.record("no type")
            return
        }
        #expect(type.hasSuffix("Broken"))
    }

    @Test func `a span holds what it was told`() throws {
        let tracer = OpenTelemetryTracer(processor: log)
        let other = tracer.startSpan("other")
        let span = tracer.startSpan("first name", ofKind: .client, at: moment(1_000))
        #expect(span.isRecording)
        span.operationName = "name"
        #expect(span.operationName == "name")
        span.attributes["a"] = 1
        span.attributes["b"] = "two"
        span.attributes["a"] = 3
        span.addEvent(SpanEvent(name: "event", at: moment(1_500), attributes: ["c": true]))
        span.addLink(other)
        span.setStatus(SpanStatus(code: .error, message: "because"))
        span.end(at: moment(2_000))
        let data = try #require(log["name"])
        #expect(data.attributes == ["a": 3, "b": "two"])
        #expect(data.events == [SpanEvent(name: "event", at: moment(1_500), attributes: ["c": true])])
        #expect(data.links.map(\.context.spanContext) == [other.context.spanContext])
        #expect(data.status == SpanStatus(code: .error, message: "because"))
        #expect(data.start == 1_000 && data.end == 2_000 && data.kind == .client)
    }

    @Test func `after its end nothing changes a span, and it ends once`() throws {
        let tracer = OpenTelemetryTracer(processor: log)
        let span = tracer.startSpan("span")
        span.end()
        span.attributes["late"] = true
        span.addEvent("late")
        span.operationName = "late"
        span.setStatus(SpanStatus(code: .error))
        span.end()
        #expect(!span.isRecording)
        #expect(log.spans.count == 1)
        let data = try #require(log["span"])
        #expect(data.attributes.isEmpty && data.events.isEmpty && data.status == nil)
    }

    @Test func `a clock that was set back makes no span of less than no time`() throws {
        let tracer = OpenTelemetryTracer(processor: log)
        tracer.startSpan("span", at: moment(5_000)).end(at: moment(4_000))
        #expect(log["span"]?.start == 5_000 && log["span"]?.end == 5_000)
    }

    @Test func `ok is the last word, and an error keeps its words`() throws {
        let tracer = OpenTelemetryTracer(processor: log)
        let good = tracer.startSpan("good")
        good.setStatus(SpanStatus(code: .error, message: "no"))
        good.setStatus(SpanStatus(code: .ok))
        good.setStatus(SpanStatus(code: .error, message: "late"))
        good.end()
        #expect(log["good"]?.status?.code == .ok)
        // As `withSpan` does with what the work says and then throws.
        let bad = tracer.startSpan("bad")
        bad.setStatus(SpanStatus(code: .error, message: "no room"))
        bad.setStatus(SpanStatus(code: .error))
        bad.end()
        #expect(log["bad"]?.status == SpanStatus(code: .error, message: "no room"))
    }

    @Test func `a span's size is bounded`() throws {
        let limits = SpanLimits(attributes: 2, events: 1, links: 1, attributeLength: 4)
        let tracer = OpenTelemetryTracer(processor: log, limits: limits)
        let span = tracer.startSpan("span")
        span.attributes["m"] = "12345"
        span.attributes["n"] = SpanAttribute.stringArray(["12345", "1"])
        span.attributes["a"] = 1
        span.attributes["m"] = "6"
        for _ in 0..<3 {
            span.addEvent(SpanEvent(name: "e", attributes: ["x": "12345", "y": 1, "z": 2]))
            span.addLink(span)
        }
        span.end()
        let data = try #require(log["span"])
        #expect(data.attributes == ["m": "6", "n": .stringArray(["1234…", "1"])])
        #expect(data.droppedAttributes == 1)
        #expect(data.events.map(\.attributes) == [["x": "1234…", "y": 1]])
        #expect(data.droppedEvents == 2 && data.links.count == 1 && data.droppedLinks == 2)
    }

    @Test func `the span that work is part of can be found from within`() throws {
        let tracer = OpenTelemetryTracer(processor: log)
        let left = try tracer.withSpan("job") { span in
            let context = try #require(ServiceContext.current)
            #expect(context.spanContext == span.context.spanContext)
            tracer.activeSpan(identifiedBy: context)?.attributes["found"] = true
            return context
        }
        #expect(log["job"]?.attributes == ["found": true])
        #expect(tracer.activeSpan(identifiedBy: left) == nil)
        #expect(tracer.activeSpan(identifiedBy: .topLevel) == nil)
    }
}
