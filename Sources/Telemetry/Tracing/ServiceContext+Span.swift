public import Tracing

/// The span that work belongs to.
struct ActiveSpan: Sendable {
    let context: SpanContext
    /// `nil` for another process's span, and one that is not recorded.
    let recorder: SpanRecorder?
}

private enum ActiveSpanKey: ServiceContextKey {
    typealias Value = ActiveSpan
    static var nameOverride: String? { "span" }
}

extension ServiceContext {
    var activeSpan: ActiveSpan? {
        get { self[ActiveSpanKey.self] }
        set { self[ActiveSpanKey.self] = newValue }
    }

    /// The span that the work of this context belongs to. Setting it makes one, another process's for instance, the
    /// parent of the spans to come:
    ///
    /// ```swift
    /// var context = ServiceContext.topLevel
    /// context.spanContext = SpanContext(traceparent: payload.traceparent)
    /// try await withSpan("job", context: context, ofKind: .consumer) { span in … }
    /// ```
    public var spanContext: SpanContext? {
        get { activeSpan?.context }
        set { activeSpan = newValue.map { ActiveSpan(context: $0, recorder: nil) } }
    }
}
