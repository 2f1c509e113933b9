import Testing

@testable import Transfer

@Suite struct RetryPolicyTests {
    /// SplitMix64, so that each run draws the same.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
    }

    private static let lost = TransferError(.connectionLost, "lost")
    private static let refused = TransferError(.cannotConnect, "refused", mayHaveTakenEffect: false)

    private func delay(
        _ policy: HTTPRetryPolicy, _ error: TransferError, attempt: Int = 1, isIdempotent: Bool = true,
        seed: UInt64 = 1
    ) -> Duration? {
        var generator = Generator(state: seed)
        return policy.delay(after: error, attempt: attempt, isIdempotent: isIdempotent, using: &generator)
    }

    @Test func `waits grow to a cap, and may be none`() throws {
        let policy = HTTPRetryPolicy(maxAttempts: 100, base: .milliseconds(100), cap: .seconds(1))
        for (attempt, most) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (99, 1000)] {
            let waits = try (0..<300).map { seed in
                try #require(delay(policy, Self.lost, attempt: attempt, seed: seed)) / .milliseconds(most)
            }
            let (least, greatest) = (try #require(waits.min()), try #require(waits.max()))
            #expect(0 <= least && least < 0.1)
            #expect(0.9 < greatest && greatest <= 1)
        }
    }

    @Test func `the last attempt is the last`() {
        #expect(delay(HTTPRetryPolicy(maxAttempts: 3), Self.lost, attempt: 2) != nil)
        #expect(delay(HTTPRetryPolicy(maxAttempts: 3), Self.lost, attempt: 3) == nil)
        #expect(delay(.none, Self.lost) == nil)
    }

    @Test func `what may not happen twice is sent again only if it did not happen`() {
        let policy = HTTPRetryPolicy()
        #expect(delay(policy, Self.lost, isIdempotent: false) == nil)
        #expect(delay(policy, Self.refused, isIdempotent: false) != nil)
        let throttled = TransferError(.throttled, "429", status: 429)
        #expect(delay(policy, throttled, isIdempotent: false) != nil)
        let failed = TransferError(.status, "503", status: 503, isRetryable: true)
        #expect(delay(policy, failed, isIdempotent: false) == nil)
        #expect(delay(policy, failed) != nil)
    }

    @Test func `what no retry can mend is not tried again`() {
        for code in [TransferError.Code.notFound, .accessDenied, .forbiddenAddress, .tls, .badURL, .cancelled] {
            #expect(delay(HTTPRetryPolicy(), TransferError(code, "no")) == nil)
        }
    }

    @Test func `never earlier than the server asked for, and not at all if that is too late`() {
        var error = Self.lost
        error.retryAfter = .seconds(20)
        #expect(delay(HTTPRetryPolicy(), error) == .seconds(20))
        error.retryAfter = .seconds(31)
        #expect(delay(HTTPRetryPolicy(), error) == nil)
    }

    @Test func `a budget is spent by retries and filled by successes, for each origin`() {
        var buckets = RetryBuckets(RetryBudget(capacity: 2, refund: 0.5))
        func take(_ origin: String) -> Bool { buckets.take(origin) }
        #expect(take("a"))
        #expect(take("a"))
        #expect(!take("a"))
        #expect(take("b"))
        buckets.refund("a")
        #expect(!take("a"))
        buckets.refund("a")
        #expect(take("a"))
        for _ in 0..<100 { buckets.refund("a") }
        #expect(take("a"))
        #expect(take("a"))
        #expect(!take("a"))
    }
}
