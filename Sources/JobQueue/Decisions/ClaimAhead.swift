/// Decides how many jobs beyond the free slots a claim takes in advance: round trips that would outlast the jobs carry
/// more of them, about 20 ms' worth.
struct ClaimAhead: Sendable {
    /// What a claim is to keep the slots busy for.
    static let span = 0.02
    static let most = 112

    /// Mean time of handlers, in seconds, newer ones counting more.
    private var mean = Double.infinity

    /// Whether the last claim brought all that it asked for: there is a backlog, and no limit is reached.
    private(set) var wasFilled = false

    /// A claim's result: `count` jobs out of `asked`.
    mutating func claimed(_ count: Int, of asked: Int) { wasFilled = count >= asked }

    /// A claim failed.
    mutating func claimFailed() { wasFilled = false }

    /// Whether claims and results go over two connections side by side: there is more to claim whatever the results
    /// set free, and jobs are over so soon that waiting for either would be what takes the time.
    func isPipelined(slots: Int) -> Bool { wasFilled && count(slots: slots) > 0 }

    /// With no more than these left to start, the next are claimed where claims are pipelined.
    func reserve(slots: Int) -> Int { max(slots, (slots + count(slots: slots)) / 4) }

    /// A handler has run for that long, in seconds.
    mutating func ended(after seconds: Double) {
        mean = mean.isFinite ? mean * 0.9 + seconds * 0.1 : seconds
    }

    /// How many jobs to take in advance.
    func count(slots: Int) -> Int {
        mean > Self.span ? 0 : min(Self.most, Int(Double(slots) * Self.span / max(mean, 0.001)))
    }
}
