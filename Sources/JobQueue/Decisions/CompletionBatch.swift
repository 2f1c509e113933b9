/// Collects finished jobs so that many are written in one transaction, and none is lost when writing fails.
///
/// Like group commit: while a write is under way, what finishes meanwhile waits for the next. When no other job runs
/// there's nothing to wait for, and the write starts at once; otherwise it waits until there are `enough` or the first
/// has waited for `patience`. Results are written in the order in which they came.
///
/// A result whose row somebody holds (an app that cancelled the job in a transaction still open) is *stuck*: it leaves
/// the line, so that it holds up no other, and is tried again now and then by itself.
///
/// Times are durations since any fixed start of a monotonic clock.
struct CompletionBatch<Item: Sendable>: Sendable {
    enum Action: Sendable {
        /// Write these in one transaction, and report ``flushed(rejected:stuck:at:)`` or ``flushFailed(at:)``.
        case flush([Item])
        /// Write this one without waiting for locks, and report likewise.
        case retry(Item)
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
        /// When it came; of a stuck one, when to try it again.
        var since: Duration
        var tries = 0
    }

    private var waiting: [Entry] = []
    private var inFlight: [Entry] = []
    /// The one that is due first comes first.
    private var stuck: [Entry] = []
    private var nextStuckTry = Duration.zero
    private var failures = 0
    private var retryAt: Duration?
    private var closing = false

    /// How long a stuck one waits, and how far apart tries of any of them are: each may cost a lock's time limit.
    private static var stuckPatience: Duration { .seconds(1) }
    private static var stuckSpacing: Duration { .milliseconds(250) }

    /// - Parameters:
    ///   - enough: how many are written without waiting for more.
    ///   - most: how many are written at once.
    init(enough: Int = 32, most: Int = 500, patience: Duration = .milliseconds(2)) {
        self.enough = max(1, enough)
        self.most = max(1, most)
        self.patience = patience
    }

    /// How many wait, apart from those being written and stuck ones.
    var waitingCount: Int { waiting.count }
    /// Whether a write is under way.
    var isWriting: Bool { !inFlight.isEmpty }
    /// Whether nothing waits and nothing is being written.
    var isEmpty: Bool { waiting.isEmpty && inFlight.isEmpty && stuck.isEmpty }

    mutating func add(_ item: Item, at now: Duration) {
        waiting.append(Entry(item: item, since: now))
    }

    /// The worker shuts down: don't wait for more.
    mutating func close() {
        closing = true
    }

    /// What to do now. A returned write counts as begun.
    ///
    /// - Parameter othersRunning: how many jobs run that may finish soon.
    mutating func decide(at now: Duration, othersRunning: Int) -> Action {
        guard inFlight.isEmpty else { return .wait(until: nil) }
        let stuckDue = stuck.first.map { max($0.since, nextStuckTry) }
        if let stuckDue, now >= stuckDue {
            nextStuckTry = now + Self.stuckSpacing
            inFlight = [stuck.removeFirst()]
            return .retry(inFlight[0].item)
        }
        func wait(_ until: Duration?) -> Action { .wait(until: [until, stuckDue].compactMap { $0 }.min()) }
        guard let first = waiting.first else { return wait(nil) }
        if let retryAt, now < retryAt { return wait(retryAt) }
        let due = first.since + patience
        guard closing || othersRunning <= 0 || waiting.count >= enough || now >= due else { return wait(due) }
        return .flush(begin())
    }

    /// What waits, to go along with a round trip that is made anyway; empty if it must wait longer. Counts as begun.
    mutating func takeAlong(at now: Duration) -> [Item] {
        guard inFlight.isEmpty, retryAt.map({ now >= $0 }) ?? true else { return [] }
        return begin()
    }

    private mutating func begin() -> [Item] {
        inFlight = Array(waiting.prefix(most))
        waiting.removeFirst(inFlight.count)
        return inFlight.map(\.item)
    }

    /// What is being written may be there already: an attempt at it ended without an answer, and another follows.
    mutating func outcomeUnknown() {
        for index in inFlight.indices { inFlight[index].tries += 1 }
    }

    /// The write is committed. `rejected` are the positions in it that the database didn't accept, `stuck` those that
    /// were left out because somebody holds their rows.
    mutating func flushed(
        rejected: some Sequence<Int>, stuck left: some Collection<Int> = EmptyCollection(), at now: Duration = .zero
    ) -> [Rejection] {
        let entries = inFlight
        inFlight = []
        failures = 0
        retryAt = nil
        for index in left where entries.indices.contains(index) {
            var entry = entries[index]
            entry.since = now + Self.stuckPatience
            stuck.append(entry)
        }
        return rejected.compactMap { index in
            guard entries.indices.contains(index) else { return nil }
            return Rejection(item: entries[index].item, mayBeWritten: entries[index].tries > 0)
        }
    }

    /// The write failed, or its outcome is unknown: all of it goes back to the front, for a new try after 50 ms, then
    /// twice that and so on up to 2 s.
    mutating func flushFailed(at now: Duration) {
        guard !inFlight.isEmpty else { return }
        outcomeUnknown()
        waiting.insert(contentsOf: inFlight, at: 0)
        inFlight = []
        retryAt = now + Backoff(base: .milliseconds(50), cap: .seconds(2), jitter: .none).ceiling(step: failures)
        failures += 1
    }

    /// The lease is lost: nothing may be written any more. Returns what is given up.
    mutating func abandon() -> [Item] {
        defer { (waiting, inFlight, stuck) = ([], [], []) }
        return (inFlight + waiting + stuck).map(\.item)
    }
}
