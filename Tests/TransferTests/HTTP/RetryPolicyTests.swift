import Testing

@testable import Transfer

@Suite struct RetryPolicyTests {
    /// The largest or smallest number there is.
    private struct Extreme: RandomNumberGenerator {
        let value: UInt64
        func next() -> UInt64 { value }
    }

    private static let lost = TransferError(.connectionLost, "lost")
    private static let refused = TransferError(.cannotConnect, "refused", mayHaveTakenEffect: false)

    private func delay(
        _ policy: HTTPRetryPolicy, _ error: TransferError, attempt: Int = 1, isIdempotent: Bool = true,
        random: UInt64 = .max
    ) -> Duration? {
        var generator = Extreme(value: random)
        return policy.delay(after: error, attempt: attempt, isIdempotent: isIdempotent, using: &generator)
    }

    @Test func `waits grow to a cap, and may be none`() throws {
        let policy = HTTPRetryPolicy(maxAttempts: 100, base: .milliseconds(100), cap: .seconds(1))
        for (attempt, most) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (99, 1000)] {
            let longest = try #require(delay(policy, Self.lost, attempt: attempt))
            #expect(abs(longest / .milliseconds(1) - Double(most)) < 1)
            #expect(delay(policy, Self.lost, attempt: attempt, random: 0) == .zero)
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
        #expect(delay(HTTPRetryPolicy(), error, random: 0) == .seconds(20))
        error.retryAfter = .seconds(31)
        #expect(delay(HTTPRetryPolicy(), error, random: 0) == nil)
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
