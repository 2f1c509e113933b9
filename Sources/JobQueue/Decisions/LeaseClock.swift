/// Decides when a worker renews its lease, and when it must stop its jobs by itself because it could not.
///
/// Times are read from one monotonic clock that keeps counting while the machine sleeps, as durations since any fixed
/// start. The database counts the lease from when it ran the renewal, which is after the request was sent; so a lease
/// counted from the sending ends no later than the database believes, whatever the network did. The safety margin
/// leaves the time to stop handlers, and covers clocks that run at slightly different rates.
///
/// Whoever was stopped for longer than the lease (SIGSTOP, a suspended machine, a paused container) finds the deadline
/// passed at the first event thereafter, and is told to stop before anything else; a renewal's answer that was lying
/// in the socket doesn't revive it.
struct LeaseClock: Sendable {
    enum Action: Sendable, Hashable {
        /// Send a renewal now, and report ``renewalSent(at:)``.
        case renew
        /// Nothing to do before then, unless an event comes.
        case wait(until: Duration)
        /// Stop all jobs now; write nothing about them. Final: a worker that goes on registers anew.
        case stop(Reason)
    }

    enum Reason: Sendable, Hashable {
        /// It could not be renewed in time. The failures since it was last renewed.
        case expired(failures: Int)
        /// The database says that it's gone.
        case refused
    }

    /// How long a renewal is good for, at the database.
    let lease: Duration
    /// How often it is renewed.
    let interval: Duration
    /// How long before the lease's end jobs are stopped.
    let margin: Duration

    private var renewedAt: Duration
    private var inFlightSince: Duration?
    private var failures = 0
    private var retryAt: Duration?
    private var stopped: Reason?

    /// - Parameters:
    ///   - interval: default a quarter of the lease; at most half of what margin leaves, so that one may fail.
    ///   - margin: default a fifth of the lease; at most a half of it.
    ///   - sentAt: when the request that registered the worker was sent.
    init(lease: Duration, interval: Duration? = nil, margin: Duration? = nil, registeredBy sentAt: Duration) {
        self.lease = max(lease, .milliseconds(10))
        self.margin = min(max(margin ?? self.lease / 5, .zero), self.lease / 2)
        self.interval = min(max(interval ?? self.lease / 4, .milliseconds(1)), (self.lease - self.margin) / 2)
        renewedAt = sentAt
    }

    /// When jobs are stopped unless a renewal succeeds before: last successful one's sending + lease − margin.
    var deadline: Duration { renewedAt + lease - margin }

    /// What to do now. Asking doesn't change what has been reported, except that a passed deadline is final.
    mutating func decide(at now: Duration) -> Action {
        expire(at: now)
        if let stopped { return .stop(stopped) }
        if inFlightSince != nil { return .wait(until: deadline) }
        let due = retryAt ?? renewedAt + interval
        return now >= due ? .renew : .wait(until: min(due, deadline))
    }

    mutating func renewalSent(at now: Duration) {
        expire(at: now)
        inFlightSince = now
    }

    /// The database confirmed the renewal that was sent last.
    mutating func renewalSucceeded(at now: Duration) {
        expire(at: now)
        guard stopped == nil, let sent = inFlightSince else { return }
        renewedAt = max(renewedAt, sent)
        inFlightSince = nil
        retryAt = nil
        failures = 0
    }

    /// It failed or timed out: whether it took place is unknown, so the deadline stays. Tried again soon: after a
    /// tenth of the interval, then twice that and so on, up to the interval.
    mutating func renewalFailed(at now: Duration) {
        expire(at: now)
        inFlightSince = nil
        retryAt = now + Backoff(base: interval / 10, cap: interval, jitter: .none).ceiling(step: failures)
        failures += 1
    }

    /// The database no longer knows the worker as alive.
    mutating func leaseRefused() {
        if stopped == nil { stopped = .refused }
    }

    private mutating func expire(at now: Duration) {
        if stopped == nil, now >= deadline { stopped = .expired(failures: failures) }
    }
}
