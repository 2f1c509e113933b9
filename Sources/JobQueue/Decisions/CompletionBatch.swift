/// Collects finished jobs so that many are written in one transaction, and none is lost when writing fails.
///
/// Like group commit: while a write is under way, what finishes meanwhile waits for the next. When no other job runs
/// there's nothing to wait for, and the write starts at once; otherwise it waits until there are `enough` or the first
/// has waited for `patience`. Results are written in the order in which they came.
///
/// Times are durations since any fixed start of a monotonic clock.
struct CompletionBatch<Item: Sendable>: Sendable {
    enum Action: Sendable {
        /// Write these in one transaction, and report ``flushed(rejected:)`` or ``flushFailed(at:)``.
        case flush([Item])
        /// Nothing to do before then; nil: before the next event.
        case wait(until: Duration?)
    }

    /// A result that the database didn't accept.
    struct Rejection: Sendable {
        var item: Item
        /// An earlier write of it failed on the way, so it may have been written then. Otherwise the fence refused it:
        /// the job is not this worker's any more.
        var mayBeWritten: Bool
    }

    let enough: Int
    let most: Int
    let patience: Duration

    private struct Entry: Sendable {
        var item: Item
        var since: Duration
        var tries = 0
    }

    private var waiting: [Entry] = []
    private var inFlight: [Entry] = []
    private var failures = 0
    private var retryAt: Duration?
    private var closing = false

    /// - Parameters:
    ///   - enough: how many are written without waiting for more.
    ///   - most: how many are written at once.
    init(enough: Int = 32, most: Int = 500, patience: Duration = .milliseconds(2)) {
        self.enough = max(1, enough)
        self.most = max(1, most)
        self.patience = patience
    }

    /// How many wait, apart from those being written.
    var waitingCount: Int { waiting.count }
    /// Whether nothing waits and nothing is being written.
    var isEmpty: Bool { waiting.isEmpty && inFlight.isEmpty }

    mutating func add(_ item: Item, at now: Duration) {
        waiting.append(Entry(item: item, since: now))
    }

    /// The worker shuts down: don't wait for more.
    mutating func close() {
        closing = true
    }

    /// What to do now. A returned flush counts as begun.
    ///
    /// - Parameter othersRunning: how many jobs run that may finish soon.
    mutating func decide(at now: Duration, othersRunning: Int) -> Action {
        guard inFlight.isEmpty, let first = waiting.first else { return .wait(until: nil) }
        if let retryAt, now < retryAt { return .wait(until: retryAt) }
        let due = first.since + patience
        guard closing || othersRunning <= 0 || waiting.count >= enough || now >= due else { return .wait(until: due) }
        inFlight = Array(waiting.prefix(most))
        waiting.removeFirst(inFlight.count)
        return .flush(inFlight.map(\.item))
    }

    /// The write is committed. `rejected` are the positions in it that the database didn't accept.
    mutating func flushed(rejected: some Sequence<Int>) -> [Rejection] {
        let entries = inFlight
        inFlight = []
        failures = 0
        retryAt = nil
        return rejected.compactMap { index in
            guard entries.indices.contains(index) else { return nil }
            return Rejection(item: entries[index].item, mayBeWritten: entries[index].tries > 0)
        }
    }

    /// The write failed, or its outcome is unknown: all of it goes back to the front, for a new try after 50 ms, then
    /// twice that and so on up to 2 s.
    mutating func flushFailed(at now: Duration) {
        guard !inFlight.isEmpty else { return }
        for index in inFlight.indices { inFlight[index].tries += 1 }
        waiting.insert(contentsOf: inFlight, at: 0)
        inFlight = []
        retryAt = now + Backoff(base: .milliseconds(50), cap: .seconds(2), jitter: .none).ceiling(step: failures)
        failures += 1
    }

    /// The lease is lost: nothing may be written any more. Returns what is given up.
    mutating func abandon() -> [Item] {
        defer { (waiting, inFlight) = ([], []) }
        return (inFlight + waiting).map(\.item)
    }
}
