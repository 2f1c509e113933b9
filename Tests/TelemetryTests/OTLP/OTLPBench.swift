import Logging
import Testing
import Tracing
import Transfer

@testable import Telemetry

/// What the tests of the exporter share.
enum OTLPBench {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func client() throws -> HTTPClient { try HTTPClient(logger: silent) }

    /// One that waits little between attempts, and for an attempt as long as a busy machine may take.
    static func exporter(
        _ endpoint: HTTPURL, _ change: (inout OTLPSettings) -> Void = { _ in }
    ) throws -> OTLPSpanExporter {
        var settings = OTLPSettings(endpoint: endpoint, serviceName: "test")
        settings.retryBase = .milliseconds(1)
        settings.attemptTimeout = .seconds(120)
        settings.timeout = .seconds(240)
        change(&settings)
        return OTLPSpanExporter(settings, client: try client(), logger: silent)
    }

    /// Spans that have ended.
    static func spans(_ count: Int) -> [SpanData] {
        let log = SpanLog()
        let tracer = OpenTelemetryTracer(processor: log)
        for number in 0..<count { tracer.startSpan("span \(number)").end() }
        return log.spans
    }
}
