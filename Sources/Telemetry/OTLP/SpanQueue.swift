/// Spans that wait to be sent: so many, and no more.
struct SpanQueue {
    let limit: Int
    let batchSize: Int
    private var spans: [SpanData] = []

    init(limit: Int, batchSize: Int) {
        self.limit = max(1, limit)
        self.batchSize = min(max(1, batchSize), self.limit)
    }

    enum Admission {
        case kept
        /// A batch is complete by it.
        case completesBatch
        /// There is no room for it.
        case refused
    }

    var count: Int { spans.count }

    mutating func add(_ span: SpanData) -> Admission {
        guard spans.count < limit else { return .refused }
        spans.append(span)
        return spans.count == batchSize ? .completesBatch : .kept
    }

    /// The next batch, the oldest first; `nil` if nothing waits.
    mutating func next() -> [SpanData]? {
        guard !spans.isEmpty else { return nil }
        let batch = Array(spans.prefix(batchSize))
        spans.removeFirst(batch.count)
        return batch
    }

    /// Drops all that waits, and says how many there were.
    mutating func clear() -> Int {
        defer { spans = [] }
        return spans.count
    }
}
