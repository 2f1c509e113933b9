public import Tracing

/// Makes spans as OpenTelemetry has them, and carries their identity from process to process as the W3C has it.
///
/// ```swift
/// let processor = BatchSpanProcessor(exporter: OTLPSpanExporter(settings, client: client))
/// InstrumentationSystem.bootstrap(OpenTelemetryTracer(processor: processor))
/// ```
/// The processor is a service that has to run, too. Without a tracer `withSpan` does next to nothing.
///
/// Thread-safe.
public struct OpenTelemetryTracer: Tracer {
    public typealias Span = OpenTelemetrySpan

    private let sampler: Sampler
    private let limits: SpanLimits
    private let processor: any SpanProcessor

    public init(processor: any SpanProcessor, sampler: Sampler = Sampler(), limits: SpanLimits = SpanLimits()) {
        self.processor = processor
        self.sampler = sampler
        self.limits = limits
    }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> OpenTelemetrySpan {
        var context = context()
        let parent = context.spanContext
        var generator = SystemRandomNumberGenerator()
        let traceID = parent?.traceID ?? .random(using: &generator)
        let spanContext = SpanContext(
            traceID: traceID, spanID: .random(using: &generator),
            isSampled: sampler.isSampled(traceID, parent: parent), state: parent?.state ?? .empty)
        guard spanContext.isSampled else {
            context.activeSpan = ActiveSpan(context: spanContext, recorder: nil)
            return OpenTelemetrySpan(context: context, recorder: nil)
        }
        let data = SpanData(
            name: operationName, context: spanContext, parent: parent, kind: kind,
            start: instant().nanosecondsSinceEpoch)
        let recorder = SpanRecorder(data, limits, processor)
        context.activeSpan = ActiveSpan(context: spanContext, recorder: recorder)
        return OpenTelemetrySpan(context: context, recorder: recorder)
    }

    public func activeSpan(identifiedBy context: ServiceContext) -> OpenTelemetrySpan? {
        guard let recorder = context.activeSpan?.recorder, recorder.isRecording else { return nil }
        return OpenTelemetrySpan(context: context, recorder: recorder)
    }

    public func forceFlush() { processor.flush() }

    // MARK: From process to process

    /// Takes the parent from `traceparent` and `tracestate`; what is not valid is as if it were not there.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let parent = extractor.extract(key: SpanContext.parentHeader, from: carrier),
            let spanContext = SpanContext(
                traceparent: parent, tracestate: extractor.extract(key: SpanContext.stateHeader, from: carrier))
        else { return }
        context.spanContext = spanContext
    }

    /// Writes `traceparent` and `tracestate`; nothing outside of a span.
    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let spanContext = context.spanContext else { return }
        injector.inject(spanContext.traceparent, forKey: SpanContext.parentHeader, into: &carrier)
        guard let state = spanContext.tracestate else { return }
        injector.inject(state, forKey: SpanContext.stateHeader, into: &carrier)
    }
}
