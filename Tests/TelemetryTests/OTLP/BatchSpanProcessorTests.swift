import Locking
import Metrics
import ServiceLifecycle
import Testing
import Tracing
import Transfer

@testable import Telemetry
@testable import TransferTestSupport

@Suite(.timeLimit(.minutes(5)))
struct BatchSpanProcessorTests {
    /// In which time plays no part, unless it is said.
    private func processor(
        _ endpoint: HTTPURL, queueLimit: Int = 2048, batchSize: Int = 512, interval: Duration = .seconds(3600),
        shutdownLimit: Duration = .seconds(3600), registry: MetricsRegistry = MetricsRegistry()
    ) throws -> BatchSpanProcessor {
        BatchSpanProcessor(
            exporter: try OTLPBench.exporter(endpoint),
            options: .init(
                queueLimit: queueLimit, batchSize: batchSize, interval: interval, shutdownLimit: shutdownLimit),
            metrics: registry, logger: OTLPBench.silent)
    }

    /// Says when a batch was lost.
    private struct ReportingExporter: SpanExporter {
        let base: OTLPSpanExporter
        let hasFailed = AsyncFlag()

        func export(_ spans: [SpanData]) async throws -> Int {
            do { return try await base.export(spans) } catch {
                hasFailed.raise()
                throw error
            }
        }
    }

    private func end(_ count: Int, in processor: BatchSpanProcessor) {
        let tracer = OpenTelemetryTracer(processor: processor)
        for number in 0..<count { tracer.startSpan("\(number)").end() }
    }

    @Test func `a batch that is full is sent at once`() async throws {
        let collector = try Collector()
        let processor = try processor(collector.endpoint, batchSize: 3)
        let run = Task { await processor.run() }
        end(3, in: processor)
        var batches = collector.batches.makeAsyncIterator()
        #expect(await batches.next()?.map(\.name) == ["0", "1", "2"])
        end(2, in: processor)
        processor.shutDown()
        await run.value
        #expect(collector.spans.map(\.name) == ["0", "1", "2", "0", "1"])
        #expect(collector.problems == [])
        #expect(processor.statistics.exported == 5)
    }

    @Test func `a span does not wait for others for ever`() async throws {
        let collector = try Collector()
        let processor = try processor(collector.endpoint, interval: .milliseconds(10))
        let run = Task { await processor.run() }
        end(1, in: processor)
        var batches = collector.batches.makeAsyncIterator()
        #expect(await batches.next()?.count == 1)
        processor.shutDown()
        await run.value
    }

    @Test func `a flush sends what waits`() async throws {
        let collector = try Collector()
        let processor = try processor(collector.endpoint)
        let run = Task { await processor.run() }
        end(2, in: processor)
        OpenTelemetryTracer(processor: processor).forceFlush()
        var batches = collector.batches.makeAsyncIterator()
        #expect(await batches.next()?.count == 2)
        processor.shutDown()
        await run.value
    }

    @Test func `beyond the bound spans are dropped and counted, and those before are kept`() async throws {
        let collector = try Collector()
        let registry = MetricsRegistry()
        let processor = try processor(collector.endpoint, queueLimit: 4, batchSize: 3, registry: registry)
        end(10, in: processor)
        #expect(processor.statistics == .init(exported: 0, failed: 0, dropped: 6))
        processor.shutDown()
        await processor.run()
        #expect(collector.spans.map(\.name) == ["0", "1", "2", "3"])
        #expect(collector.headers.count == 2)
        // Over.
        end(1, in: processor)
        #expect(processor.statistics == .init(exported: 4, failed: 0, dropped: 7))
        let text = await registry.text()
        #expect(text.contains("kiln_trace_spans_total{outcome=\"dropped\"} 7\n"))
        #expect(text.contains("kiln_trace_spans_total{outcome=\"exported\"} 4\n"))
        #expect(text.contains("kiln_trace_spans_total{outcome=\"failed\"} 0\n"))
    }

    @Test func `a graceful shutdown sends what waits`() async throws {
        let collector = try Collector()
        let processor = try processor(collector.endpoint, batchSize: 2)
        let group = ServiceGroup(services: [processor], logger: OTLPBench.silent)
        let run = Task { try await group.run() }
        end(5, in: processor)
        var batches = collector.batches.makeAsyncIterator()
        _ = await batches.next()
        await group.triggerGracefulShutdown()
        try await run.value
        #expect(collector.spans.map(\.name) == ["0", "1", "2", "3", "4"])
    }

    @Test func `a cancelled run sends what waits`() async throws {
        let collector = try Collector()
        let processor = try processor(collector.endpoint)
        end(2, in: processor)
        let run = Task { await processor.run() }
        run.cancel()
        await run.value
        #expect(collector.spans.count == 2)
    }

    @Test func `a collector that says nothing does not hold up the end`() async throws {
        let collector = try Collector([.stall])
        let processor = try processor(collector.endpoint, batchSize: 2, shutdownLimit: .seconds(1))
        end(5, in: processor)
        processor.shutDown()
        await processor.run()
        #expect(processor.statistics == .init(exported: 0, failed: 5, dropped: 0))
        #expect(collector.headers.count == 1)
    }

    @Test func `while the collector is away work goes on, and later spans arrive`() async throws {
        let gone = try Collector()
        let endpoint = try gone.endpoint
        let port = gone.port
        gone.stop()
        let exporter = ReportingExporter(base: try OTLPBench.exporter(endpoint))
        let processor = BatchSpanProcessor(
            exporter: exporter, options: .init(batchSize: 1, interval: .seconds(3600)), metrics: MetricsRegistry(),
            logger: OTLPBench.silent)
        let run = Task { await processor.run() }
        end(1, in: processor)
        await exporter.hasFailed.wait()
        let collector = try Collector(port: port)
        end(1, in: processor)
        var batches = collector.batches.makeAsyncIterator()
        #expect(await batches.next()?.count == 1)
        processor.shutDown()
        await run.value
        #expect(processor.statistics == .init(exported: 1, failed: 1, dropped: 0))
    }

    @Test func `spans that the other side refuses count as failed`() async throws {
        let collector = try Collector([.refuse(2)])
        let processor = try processor(collector.endpoint)
        end(3, in: processor)
        processor.shutDown()
        await processor.run()
        #expect(processor.statistics == .init(exported: 1, failed: 2, dropped: 0))
    }

    @Test func `many threads end spans while they are sent, and each arrives once`() async throws {
        let collector = try Collector([.accept, .status(503), .reset])
        let processor = try processor(
            collector.endpoint, queueLimit: 1000, batchSize: 50, interval: .milliseconds(5))
        let run = Task { await processor.run() }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    let tracer = OpenTelemetryTracer(processor: processor)
                    for number in 0..<100 { tracer.startSpan("\(writer)/\(number)").end() }
                }
            }
        }
        processor.shutDown()
        await run.value
        #expect(collector.problems == [])
        #expect(Set(collector.spans.map(\.name)).count == 800)
        #expect(collector.spans.count == 800)
        #expect(processor.statistics == .init(exported: 800, failed: 0, dropped: 0))
    }
}
