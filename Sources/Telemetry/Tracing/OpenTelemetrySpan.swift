import Locking
public import Tracing

/// A span of ``OpenTelemetryTracer``. One that is not recorded costs next to nothing: it only carries its identity on.
///
/// Every call is thread-safe. But `span.attributes["a"] = 1` is two, a look and a change of all: of two tasks that set
/// attributes at the same time one may lose. After its end nothing changes it any more.
public struct OpenTelemetrySpan: Span {
    public let context: ServiceContext
    let recorder: SpanRecorder?

    public var isRecording: Bool { recorder?.isRecording ?? false }

    /// Empty where it is not recorded.
    public var operationName: String {
        get { recorder?.current?.name ?? "" }
        nonmutating set { recorder?.update { span, _ in span.name = newValue } }
    }

    /// None where it is not recorded.
    public var attributes: SpanAttributes {
        get { recorder?.current?.attributes ?? [:] }
        nonmutating set { recorder?.update { span, limits in span.set(newValue, limits) } }
    }

    public func setStatus(_ status: SpanStatus) { recorder?.update { span, _ in span.set(status) } }

    public func addEvent(_ event: SpanEvent) { recorder?.update { span, limits in span.add(event, limits) } }

    public func addLink(_ link: SpanLink) { recorder?.update { span, limits in span.add(link, limits) } }

    /// Adds the event `exception`.
    /// https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/
    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        guard let recorder, recorder.isRecording else { return }
        var all: SpanAttributes = [
            "exception.type": .string(String(reflecting: type(of: error))), "exception.message": .string("\(error)"),
        ]
        all.merge(attributes)
        let event = SpanEvent(name: "exception", at: instant(), attributes: all)
        recorder.update { span, limits in span.add(event, limits) }
    }

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard let recorder, recorder.isRecording else { return }
        recorder.end(at: instant().nanosecondsSinceEpoch)
    }
}

/// What a span has recorded up to now.
final class SpanRecorder: Sendable {
    private let limits: SpanLimits
    private let processor: any SpanProcessor
    /// `nil` once it has ended.
    private let data: Locked<SpanData?>

    init(_ data: SpanData, _ limits: SpanLimits, _ processor: any SpanProcessor) {
        self.data = Locked(data)
        self.limits = limits
        self.processor = processor
    }

    var current: SpanData? { data.withLock { $0 } }
    var isRecording: Bool { data.withLock { $0 != nil } }

    func update(_ change: (inout SpanData, SpanLimits) -> Void) {
        data.withLock { data in
            guard var span = data.take() else { return }
            change(&span, limits)
            data = span
        }
    }

    func end(at moment: UInt64) {
        guard var span = data.withLock({ $0.take() }) else { return }
        span.finish(at: moment, limits)
        processor.spanEnded(span)
    }
}
