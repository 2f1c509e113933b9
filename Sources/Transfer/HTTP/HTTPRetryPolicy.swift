/// How often a request is tried, and how long it waits in between.
///
/// The wait before the n-th retry is uniform in [0, min(`cap`, `base` · 2^(n-1))], so that clients which failed
/// together do not come back together; and never shorter than the server asked for.
/// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
public struct HTTPRetryPolicy: Sendable, Hashable {
    /// How many attempts there are in all, the first included; at least 1. Default 5.
    public var maxAttempts: Int
    /// The longest wait before the first retry. Default 200 ms.
    public var base: Duration
    /// The longest wait before any retry. Default 10 s.
    public var cap: Duration
    /// A server that asks for a longer wait (`Retry-After`) gets no retry but an error that says so, for a queue to
    /// come back later. Default 30 s.
    public var longestRetryAfter: Duration

    /// - Parameter maxAttempts: 1 or more; less is taken as 1.
    public init(
        maxAttempts: Int = 5, base: Duration = .milliseconds(200), cap: Duration = .seconds(10),
        longestRetryAfter: Duration = .seconds(30)
    ) {
        self.maxAttempts = max(1, maxAttempts)
        self.base = base
        self.cap = cap
        self.longestRetryAfter = longestRetryAfter
    }

    /// One attempt only.
    public static let none = HTTPRetryPolicy(maxAttempts: 1)

    /// How long to wait after `error` before another attempt; `nil` to give up.
    ///
    /// - Parameters:
    ///   - attempt: which attempt it was; the first is 1.
    ///   - isIdempotent: whether the request may be sent twice. One that may not is sent again only if it surely had
    ///     no effect: it was never sent, or refused with 429.
    public func delay(
        after error: TransferError, attempt: Int, isIdempotent: Bool, using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard attempt < maxAttempts, error.isRetryable else { return nil }
        guard isIdempotent || !error.mayHaveTakenEffect || error.status == 429 else { return nil }
        let asked = error.retryAfter ?? .zero
        guard asked <= longestRetryAfter else { return nil }
        return max(asked, ceiling(attempt) * Double.random(in: 0...1, using: &generator))
    }

    /// min(cap, base · 2^(n-1)) after attempt n.
    func ceiling(_ attempt: Int) -> Duration {
        var wait = base
        var doublings = max(0, attempt - 1)
        while doublings > 0, wait > .zero, wait < cap {
            wait *= 2
            doublings -= 1
        }
        return min(wait, cap)
    }
}
