import Histogram

/// How long calls took, to three digits.
struct CallTimes: Sendable {
    /// Of nanoseconds.
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1_000, highestTrackableValue: 3_600_000_000_000, numberOfSignificantValueDigits: .three)

    var count: Int { Int(histogram.totalCount) }

    mutating func record(_ time: Duration) { record(nanoseconds: (time / .nanoseconds(1))) }

    /// Times that clocks of two processes make negative count as none.
    mutating func record(nanoseconds: Double) { _ = histogram.record(UInt64(max(0, nanoseconds))) }

    mutating func add(_ other: CallTimes) { histogram.add(other.histogram) }

    func milliseconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1e6 }

    /// What `body` took.
    mutating func measure<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> sending R
    ) async rethrows -> sending R {
        let started = ContinuousClock.now
        let result = try await body()
        record(ContinuousClock.now - started)
        return result
    }
}
