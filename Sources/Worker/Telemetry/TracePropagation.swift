import FoundationEssentials
import JobQueue
import Telemetry
import Tracing
import Transfer

/// Carries a trace's identity from whoever enqueued a job to what the job does, and on to the app.
///
/// It does so whether spans are recorded or not: log lines name the trace, and requests to the app stay part of it.
enum TracePropagation {
    private static let tracer = OpenTelemetryTracer(processor: NoSpans())

    /// The trace that a job is part of: `traceparent` (and `tracestate`) of its payload, else of its metadata. Empty
    /// where neither has one that is valid.
    static func context(of job: JobContext) -> ServiceContext {
        context(payload: job.payloadJSON, metadata: job.metadataJSON)
    }

    static func context(payload: Data, metadata: Data?) -> ServiceContext {
        for json in [payload, metadata] {
            // Decoding is what costs; most have none.
            guard let json, !json.ranges(of: Data("\"traceparent\"".utf8)).isEmpty,
                let carrier = try? JSONDecoder().decode(Carrier.self, from: json), carrier.traceparent != nil
            else { continue }
            var context = ServiceContext.topLevel
            tracer.extract(carrier, into: &context, using: carrier)
            if context.spanContext != nil { return context }
        }
        return .topLevel
    }

    /// Adds the headers by which the receiver goes on with the current trace; none outside of one.
    static func inject(into headers: inout HTTPHeaders) {
        guard let context = ServiceContext.current else { return }
        tracer.inject(context, into: &headers, using: HeaderInjector())
    }

    /// The two members of a payload or of metadata.
    private struct Carrier: Decodable, Extractor {
        var traceparent: String?
        var tracestate: String?

        func extract(key: String, from carrier: Carrier) -> String? {
            key == "traceparent" ? carrier.traceparent : key == "tracestate" ? carrier.tracestate : nil
        }
    }

    private struct HeaderInjector: Injector {
        func inject(_ value: String, forKey key: String, into carrier: inout HTTPHeaders) {
            // What the job itself has asked to be sent comes first.
            if carrier[key] == nil { carrier[key] = value }
        }
    }

    private struct NoSpans: SpanProcessor {
        func spanEnded(_ span: SpanData) {}
        func flush() {}
    }
}
