/// Collects jobs' progress so that each is written at most once per interval. Of several reports the last one wins.
///
/// Times are durations since any fixed start of a monotonic clock.
struct ProgressThrottle<ID: Hashable & Sendable, Value: Sendable>: Sendable {
    let interval: Duration
    /// In the order in which they became pending, by `order`.
    private var pending: [ID: (order: Int, value: Value)] = [:]
    private var written: [ID: Duration] = [:]
    private var count = 0

    init(interval: Duration = .seconds(1)) {
        self.interval = interval
    }

    var isEmpty: Bool { pending.isEmpty }

    mutating func update(_ id: ID, _ value: Value) {
        let order = pending[id]?.order ?? count
        count += 1
        pending[id] = (order, value)
    }

    /// When ``takeDue(at:)`` will have something; nil when nothing waits.
    var nextDue: Duration? {
        pending.keys.map { id in written[id].map { $0 + interval } ?? .zero }.min()
    }

    /// What may be written now; marks it as written. In the order in which it came.
    mutating func takeDue(at now: Duration) -> [(id: ID, value: Value)] {
        let due = pending.filter { id, _ in written[id].map { now >= $0 + interval } ?? true }
        for id in due.keys {
            pending[id] = nil
            written[id] = now
        }
        return due.sorted { $0.value.order < $1.value.order }.map { ($0.key, $0.value.value) }
    }

    /// The job has ended: its last report, to be written with its outcome, if that is still to be written.
    mutating func finish(_ id: ID) -> Value? {
        written[id] = nil
        return pending.removeValue(forKey: id)?.value
    }

    /// The trip failed: what it carried waits again, unless something newer does or the job has ended.
    mutating func writeFailed(_ items: [(id: ID, value: Value)]) {
        for item in items where pending[item.id] == nil && written[item.id] != nil {
            update(item.id, item.value)
        }
    }
}
