/// How long to wait before the next attempt to connect: doubling, with full jitter.
///
/// The wait is uniform in [0, min(`limit`, `base` · 2ⁿ)] after n failures in a row, so that the clients of a
/// server that comes back do not all come at once.
/// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
package struct ReconnectBackoff: Sendable {
    /// The longest wait after the first failure.
    package var base: Duration
    /// The longest wait of all.
    package var limit: Duration
    private(set) var failures = 0

    /// By default from 50 ms to 5 s.
    package init(base: Duration = .milliseconds(50), limit: Duration = .seconds(5)) {
        self.base = base
        self.limit = limit
    }

    /// The longest wait after `failures` failures.
    var ceiling: Duration { min(limit, base * (1 << min(failures, 20))) }

    /// The next wait.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        defer { failures += 1 }
        return ceiling * Double.random(in: 0...1, using: &generator)
    }

    mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    mutating func reset() { failures = 0 }
}
