/// A bucket that fills at a steady rate and that each request takes one from.
/// https://en.wikipedia.org/wiki/Token_bucket
///
/// Times are durations since any fixed start of a monotonic clock.
struct TokenBucket: Sendable {
    /// How full it can be, and is at first.
    let capacity: Double
    /// What comes in a second.
    let rate: Double
    private var level: Double
    private var at: Duration

    init(capacity: Int, rate: Double, at now: Duration) {
        self.capacity = Double(max(capacity, 1))
        self.rate = max(rate, 1e-6)
        level = self.capacity
        at = now
    }

    private mutating func fill(to now: Duration) {
        level = min(capacity, level + max(0, (now - at) / .seconds(1)) * rate)
        at = max(at, now)
    }

    /// Takes one, if there is one.
    mutating func take(at now: Duration) -> Bool {
        fill(to: now)
        guard level >= 1 else { return false }
        level -= 1
        return true
    }

    /// How many can be taken at once.
    mutating func remaining(at now: Duration) -> Int {
        fill(to: now)
        return Int(level)
    }

    /// Seconds until one more can be taken than now.
    mutating func secondsToNext(at now: Duration) -> Double {
        fill(to: now)
        return max(0, (level.rounded(.down) + 1 - level) / rate)
    }

    /// Whether it is as if it were new.
    mutating func isFull(at now: Duration) -> Bool {
        fill(to: now)
        return level >= capacity
    }
}
