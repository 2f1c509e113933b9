import Locking

/// Limits how fast each caller may ask: a token, or an address where there is none. Thread-safe.
final class RateLimiter: Sendable {
    /// What a request is told about its limit.
    struct Verdict: Sendable, Hashable {
        var isAllowed: Bool
        /// How many requests may come at once.
        var remaining: Int
        /// Whole seconds until one more may come.
        var seconds: Int
    }

    private let limit: ServerLimits.Rate?
    private let start = ContinuousClock.now
    private let buckets = Locked<[String: TokenBucket]>([:])
    /// So many callers are remembered; those that have not asked lately are forgotten first.
    private static let most = 10_000

    init(_ limit: ServerLimits.Rate?) { self.limit = limit }

    /// Counts a request.
    func take(_ caller: String) -> Verdict { ask(caller) { $0.take(at: $1) } }

    /// Tells without counting.
    func look(_ caller: String) -> Verdict { ask(caller) { $0.remaining(at: $1) > 0 } }

    private func ask(_ caller: String, _ body: (inout TokenBucket, Duration) -> Bool) -> Verdict {
        guard let limit else { return Verdict(isAllowed: true, remaining: 0, seconds: 0) }
        let now = start.duration(to: .now)
        return buckets.withLock { buckets in
            if buckets[caller] == nil, buckets.count >= Self.most { Self.forget(&buckets, at: now) }
            var bucket = buckets[caller] ?? TokenBucket(capacity: limit.burst, rate: limit.perSecond, at: now)
            let isAllowed = body(&bucket, now)
            let verdict = Verdict(
                isAllowed: isAllowed, remaining: bucket.remaining(at: now),
                seconds: Int(bucket.secondsToNext(at: now).rounded(.up)))
            buckets[caller] = bucket
            return verdict
        }
    }

    private static func forget(_ buckets: inout [String: TokenBucket], at now: Duration) {
        buckets = buckets.filter { _, bucket in
            var bucket = bucket
            return !bucket.isFull(at: now)
        }
        // All of them are busy: a flood from many addresses. Any will do.
        while buckets.count >= most, let key = buckets.keys.first { buckets[key] = nil }
    }

    /// `RateLimit` and `RateLimit-Policy`.
    /// https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    func headers(_ verdict: Verdict) -> [String: String] {
        guard let limit else { return [:] }
        let window = max(1, Int((Double(limit.burst) / max(limit.perSecond, 1e-6)).rounded(.up)))
        return [
            "RateLimit-Policy": "\"requests\";q=\(limit.burst);w=\(window)",
            "RateLimit": "\"requests\";r=\(verdict.remaining);t=\(verdict.seconds)",
        ]
    }
}
