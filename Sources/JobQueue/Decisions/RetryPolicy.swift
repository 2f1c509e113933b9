/// How often a job of a kind is tried, and how long it waits in between.
///
/// The wait after the n-th attempt grows as `base · 2^(n-1)` up to `cap`, with jitter, so that jobs which failed
/// together don't come back together. See "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
public struct RetryPolicy: Sendable, Hashable {
    /// How chance spreads the waits; `w` is the wait without it.
    public enum Jitter: String, Sendable, Hashable, Codable, CaseIterable {
        /// Anything from 0 to w. Spreads best.
        case full
        /// From w/2 to w.
        case equal
        /// Always w.
        case none
    }

    /// How many attempts there are in all, the first included; at least 1. Default 5.
    public var maxAttempts: Int
    /// The wait after the first attempt, before jitter. Default 1 s.
    public var base: Duration
    /// The longest wait, before jitter. Default 1 h.
    public var cap: Duration
    /// How the waits are spread. Default `full`.
    public var jitter: Jitter

    /// Fewer than 1 attempt becomes 1; waits are clamped to between 0 and ten years.
    public init(
        maxAttempts: Int = 5, base: Duration = .seconds(1), cap: Duration = .seconds(3600), jitter: Jitter = .full
    ) {
        self.maxAttempts = max(1, maxAttempts)
        self.base = base
        self.cap = cap
        self.jitter = jitter
    }

    /// The wait after an attempt failed.
    ///
    /// - Parameters:
    ///   - attempt: which attempt it was; the first is 1.
    ///   - retryAfter: what the handler asked for; the wait is never shorter.
    public func delay(
        afterAttempt attempt: Int, retryAfter: Duration? = nil, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let wait = Backoff(base: base, cap: cap, jitter: jitter).delay(step: attempt - 1, using: &generator)
        return max(wait, Backoff.clamped(retryAfter ?? .zero))
    }
}

/// The arithmetic of exponential backoff, of jobs and of connections alike.
struct Backoff: Sendable, Hashable {
    var base: Duration
    var cap: Duration
    var jitter: RetryPolicy.Jitter = .full

    /// Longer waits than ten years are of no use, and would overflow in sums and in Postgres's intervals.
    private static let longest = Duration.seconds(10 * 366 * 86_400)

    /// From 0 to ten years.
    static func clamped(_ duration: Duration) -> Duration { min(max(duration, .zero), longest) }

    /// `min(cap, base · 2^step)`. Any step, whatever its size or sign, is fine.
    func ceiling(step: Int) -> Duration {
        let (base, cap) = (Self.clamped(base), Self.clamped(cap))
        // At most about 90 rounds, however large the step: by then any base but zero has reached the cap.
        var wait = base
        var doublings = max(0, step)
        while doublings > 0, wait > .zero, wait < cap {
            wait *= 2
            doublings -= 1
        }
        return min(wait, cap)
    }

    func delay(step: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let ceiling = ceiling(step: step)
        switch jitter {
        case .none: return ceiling
        case .full: return ceiling * Double.random(in: 0...1, using: &generator)
        case .equal: return ceiling / 2 + ceiling / 2 * Double.random(in: 0...1, using: &generator)
        }
    }
}
