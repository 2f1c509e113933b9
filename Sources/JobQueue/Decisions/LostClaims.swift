/// Decides when to look for jobs that the database takes for this worker's and that the worker knows nothing of: those
/// of a claim whose answer was lost on the way. Nobody else gets them for as long as the worker renews its lease.
///
/// After a claim failed it looks at once and then every half lease for a while, as the claim may still be under way at
/// the server. It also looks every now and then without a reason, so that no fault keeps a job for ever.
///
/// Times are durations since any fixed start of a monotonic clock.
struct LostClaims: Sendable {
    /// How often to look while a claim may be lost.
    let interval: Duration
    /// How long after a claim failed.
    let window: Duration
    /// How often to look without a reason.
    let routine: Duration

    /// When to look next.
    private(set) var nextLook: Duration
    private var searchesUntil = Duration.zero

    init(lease: Duration) {
        interval = lease / 2
        window = max(.seconds(30), lease * 3)
        routine = lease * 6
        nextLook = routine
    }

    /// A claim failed, which may have taken place all the same.
    mutating func claimFailed(at now: Duration) {
        searchesUntil = now + window
        nextLook = now
    }

    /// The database was asked.
    mutating func looked(at now: Duration) {
        nextLook = now + (now < searchesUntil ? interval : routine)
    }

    /// It could not be asked.
    mutating func lookFailed(at now: Duration) { nextLook = now + .seconds(1) }
}
