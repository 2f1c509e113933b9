/// Takes the spans that have ended.
public protocol SpanProcessor: Sendable {
    /// Called once for each recorded span, on whatever thread it ended. It does not wait for anything.
    func spanEnded(_ span: SpanData)
    /// Sends on what is held back, without waiting for it.
    func flush()
}

/// Sends spans to where they are kept.
public protocol SpanExporter: Sendable {
    /// Sends a batch, and tries again where that may help.
    ///
    /// - Returns: how many of them the other side refused.
    /// - Throws: when the batch is lost. `CancellationError` or another error within a moment of being cancelled.
    func export(_ spans: [SpanData]) async throws -> Int
}
