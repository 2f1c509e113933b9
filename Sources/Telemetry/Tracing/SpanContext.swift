/// What of a span goes from one process to the next: its identity, and whether it is recorded.
public struct SpanContext: Sendable, Hashable {
    public let traceID: TraceID
    public let spanID: SpanID
    /// Whether whoever started the trace has it recorded.
    public let isSampled: Bool
    /// Default none.
    public let state: TraceState
    /// Whether the span is another process's.
    public let isRemote: Bool

    public init(traceID: TraceID, spanID: SpanID, isSampled: Bool, state: TraceState = .empty, isRemote: Bool = false) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
        self.state = state
        self.isRemote = isRemote
    }
}
