/// Decides how many jobs beyond the free slots a claim takes in advance: round trips that would outlast the jobs carry
/// more of them, about 20 ms' worth.
struct ClaimAhead: Sendable {
    /// What a claim is to keep the slots busy for.
    static let span = 0.02
    static let most = 112

    /// Mean time of handlers, in seconds, newer ones counting more.
    private var mean = Double.infinity

    /// A handler has run for that long, in seconds.
    mutating func ended(after seconds: Double) {
        mean = mean.isFinite ? mean * 0.9 + seconds * 0.1 : seconds
    }

    /// How many jobs to take in advance.
    func count(slots: Int) -> Int {
        mean > Self.span ? 0 : min(Self.most, Int(Double(slots) * Self.span / max(mean, 0.001)))
    }
}
