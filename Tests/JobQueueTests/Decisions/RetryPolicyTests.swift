import Testing

@testable import JobQueue

struct RetryPolicyTests {
    @Test(arguments: RetryPolicy.Jitter.allCases)
    func `waits stay within their bounds at any attempt`(jitter: RetryPolicy.Jitter) {
        var generator = SeededGenerator(3)
        let bases: [Duration] = [.zero, .nanoseconds(1), .milliseconds(7), .seconds(1), .seconds(900), .seconds(-5)]
        for base in bases {
            for cap in [Duration.zero, .seconds(10), .seconds(3600), .seconds(Int64.max), .seconds(-1)] {
                let backoff = Backoff(base: base, cap: cap, jitter: jitter)
                for step in [Int.min, -1, 0, 1, 2, 10, 62, 63, 64, 1024, 10_000, Int.max] {
                    let ceiling = backoff.ceiling(step: step)
                    #expect(ceiling >= .zero && ceiling <= max(cap, .zero))
                    for _ in 0..<20 {
                        let wait = backoff.delay(step: step, using: &generator)
                        #expect(wait >= .zero && wait <= ceiling)
                        if jitter == .equal { #expect(wait >= ceiling / 2) }
                        if jitter == .none { #expect(wait == ceiling) }
                    }
                }
            }
        }
    }

    @Test func `the wait doubles with each attempt up to the cap`() {
        let policy = RetryPolicy(base: .seconds(2), cap: .seconds(60), jitter: .none)
        var generator = SeededGenerator(1)
        let waits = (1...8).map { policy.delay(afterAttempt: $0, using: &generator) }
        #expect(waits == [2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        #expect(policy.delay(afterAttempt: 0, using: &generator) == .seconds(2))
    }

    @Test func `full jitter spreads evenly: mean near half, all quarters alike`() {
        let policy = RetryPolicy(base: .seconds(100), cap: .seconds(100))
        var generator = SeededGenerator(5)
        var sum = 0.0
        var quarters = [0, 0, 0, 0]
        for _ in 0..<20_000 {
            let wait = policy.delay(afterAttempt: 1, using: &generator) / .seconds(1)
            sum += wait
            quarters[min(3, Int(wait / 25))] += 1
        }
        #expect(abs(sum / 20_000 - 50) < 1)
        #expect(quarters.allSatisfy { (4700...5300).contains($0) })
    }

    @Test func `what the handler asked for is the least wait, also beyond the cap`() {
        let policy = RetryPolicy(base: .seconds(1), cap: .seconds(60))
        var generator = SeededGenerator(9)
        for attempt in 1...50 {
            #expect(policy.delay(afterAttempt: attempt, retryAfter: .seconds(30), using: &generator) >= .seconds(30))
            #expect(policy.delay(afterAttempt: attempt, retryAfter: .seconds(300), using: &generator) == .seconds(300))
            #expect(policy.delay(afterAttempt: attempt, retryAfter: .seconds(-300), using: &generator) >= .zero)
        }
    }
}
