/// Decides when a worker asks the queue for jobs, and for how many, so that no wake-up is lost, an idle worker costs
/// nothing, and a busy one makes no needless round trips.
///
/// While there is work, it claims when a good share of the slots is free or the first free slot has been so for
/// `patience`: no-op jobs on 16 slots don't cause 16 claims. When a claim finds nothing, the worker is marked asleep in
/// the database, so that producers notify it, and then it looks *again*: what became ready before the mark was seen
/// notified nobody. A producer's commit may take its time after it had looked for sleepers, so there are more looks
/// a little later. Then it waits for a notification, for the next job that is due, or for the poll interval. When it
/// has looked for a job that was due and somebody else had it, it asks anew when the next one is.
///
/// Times are durations since any fixed start of a monotonic clock.
struct FetchPacing: Sendable {
    enum Action: Sendable, Hashable {
        /// Claim up to that many, and report ``claimed(_:of:at:)`` or ``failed(at:using:)``.
        case claim(max: Int)
        /// Mark the worker asleep in the database, commit, and report ``markedAsleep(nextDueIn:at:)`` or ``failed(at:using:)``.
        case markAsleep
        /// Nothing to do before then; nil: before the next event.
        case wait(until: Duration?)
    }

    struct Settings: Sendable, Hashable {
        /// The share of the slots that is worth a claim at once.
        var share = 0.5
        /// How long a free slot waits for others to become free too.
        var patience = Duration.milliseconds(2)
        /// How many jobs are claimed at once at most.
        var most = 100
        /// When to look again after having been marked asleep, besides at once.
        var laterLooks: [Duration] = [.milliseconds(10), .milliseconds(100)]
        /// How often to look without any sign of work.
        var pollInterval = Duration.seconds(30)
        /// The waits after failures.
        var backoff = Backoff(base: .milliseconds(100), cap: .seconds(5), jitter: .equal)
    }

    private enum State: Sendable, Hashable {
        /// There may be work.
        case awake
        /// The last claim found nothing; the database doesn't know yet that we sleep.
        case drowsy
        case asleep
    }

    let slots: Int
    let settings: Settings

    private var state = State.awake
    /// Whether the worker is marked asleep in the database. Claims that find something take the mark away.
    private var isMarked = false
    private var requestUnderWay = false
    private var free = 0
    /// Since when there has been a free slot.
    private var freeSince: Duration?
    /// A claim that wasn't filled is not repeated at once.
    private var notBefore = Duration.zero
    /// Whether the next claim waits for nothing: there is a sign of work, or it shares another's round trip.
    private var isUrgent = false
    /// A sign of work came while a request was under way: its empty result proves nothing.
    private var signalled = false
    /// Looks to be made while asleep, soonest first.
    private var looks: [Duration] = []
    private var pollAt: Duration?
    /// When the next scheduled job is due.
    private var dueAt: Duration?
    /// What a notification said about that; it may be newer than the answer to a request.
    private var toldDue: Duration?
    /// Whether the last look was for a job that was due, so that ``dueAt`` is over.
    private var asksAnew = false
    /// How often in a row such a look has found nothing though something is due.
    private var dueMisses = 0
    private var failures = 0
    private var retryAt: Duration?

    init(slots: Int, settings: Settings = Settings()) {
        self.slots = max(1, slots)
        self.settings = settings
    }

    /// How many jobs may be claimed now (``Admission/Allowance/jobs``): 0 when suspended.
    mutating func capacity(_ jobs: Int, at now: Duration) {
        free = min(max(0, jobs), slots)
        if free == 0 { freeSince = nil } else if freeSince == nil { freeSince = now }
    }

    /// A notification came; or the connection that listens is back, which may have missed some.
    mutating func notified() {
        state = .awake
        isUrgent = true
        signalled = requestUnderWay
    }

    /// A round trip is about to be made for finished jobs: a claim that rides along waits for nothing.
    mutating func tripPlanned() {
        if state == .awake { isUrgent = true }
    }

    /// A notification says that a job comes due then; of any queue.
    mutating func due(at time: Duration) {
        toldDue = min(toldDue ?? time, time)
        dueAt = min(dueAt ?? time, time)
    }

    /// A claim's result: `count` jobs out of `asked`.
    mutating func claimed(_ count: Int, of asked: Int, at now: Duration) {
        requestUnderWay = false
        failures = 0
        retryAt = nil
        pollAt = now + settings.pollInterval
        free = max(0, free - count)
        freeSince = free > 0 ? now : nil
        notBefore = count < asked ? now + settings.patience : .zero
        if count > 0 {
            state = .awake
            isMarked = false
            asksAnew = false
            dueMisses = 0
            looks = []
        } else if signalled {
            state = .awake
        } else {
            state = isMarked && !asksAnew ? .asleep : .drowsy
        }
        isUrgent = signalled
        signalled = false
    }

    /// The database has committed that this worker sleeps: from now on producers that look will notify.
    ///
    /// - Parameter nextDueIn: when the next scheduled job is due, counted from now; nil if there is none.
    mutating func markedAsleep(nextDueIn: Duration? = nil, at now: Duration) {
        requestUnderWay = false
        signalled = false
        failures = 0
        retryAt = nil
        if !isMarked { looks = [now] + settings.laterLooks.map { now + $0 }.sorted() }
        isMarked = true
        // One that is due and cannot be had, as somebody holds its row, is looked for ever more slowly.
        dueMisses = asksAnew && nextDueIn.map { $0 <= settings.patience } == true ? min(dueMisses + 1, 7) : 0
        asksAnew = false
        let soonest = settings.patience * (1 << dueMisses)
        dueAt = [nextDueIn.map { now + max($0, soonest) }, toldDue].compactMap { $0 }.min()
        if state == .drowsy { state = .asleep }
    }

    /// A claim or a mark failed. What it did is unknown, so the worker counts as awake.
    mutating func failed(at now: Duration, using generator: inout some RandomNumberGenerator) {
        requestUnderWay = false
        signalled = false
        state = .awake
        isMarked = false
        asksAnew = false
        looks = []
        retryAt = now + settings.backoff.delay(step: failures, using: &generator)
        failures += 1
    }

    /// What to do now. A returned request counts as begun.
    mutating func decide(at now: Duration) -> Action {
        if requestUnderWay { return .wait(until: nil) }
        if let retryAt, now < retryAt { return .wait(until: retryAt) }
        switch state {
        case .drowsy:
            requestUnderWay = true
            return .markAsleep
        case .awake:
            guard free > 0, let freeSince else { return .wait(until: nil) }
            let isShare = Double(free) >= Double(slots) * settings.share
            let due = isUrgent ? now : max(isShare ? now : freeSince + settings.patience, notBefore)
            return now >= due ? claim() : .wait(until: due)
        case .asleep:
            guard free > 0 else { return .wait(until: nil) }
            let next = [looks.first, dueAt, pollAt].compactMap { $0 }.min()
            guard let next, now >= next else { return .wait(until: next) }
            looks.removeAll { $0 <= now }
            if let dueAt, now >= dueAt {
                self.dueAt = nil
                toldDue = toldDue.flatMap { $0 > now ? $0 : nil }
                asksAnew = true
            }
            return claim()
        }
    }

    private mutating func claim() -> Action {
        requestUnderWay = true
        isUrgent = false
        return .claim(max: min(free, settings.most))
    }
}
