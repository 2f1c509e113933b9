import Locking

/// The time by a server's clock: ours, and what it is found to be off by. A signature is good for a quarter of an hour.
///
/// Thread-safe.
final class ClockSkew: Sendable {
    private let offset = Locked(0.0)
    private let clock: @Sendable () -> Double

    /// How far two clocks may differ before a server minds; S3 gives 15 minutes.
    static let tolerance = 600.0

    /// - Parameter clock: seconds since 1970.
    init(clock: @escaping @Sendable () -> Double) { self.clock = clock }

    /// Seconds since 1970.
    var now: Double { clock() + offset.withLock { $0 } }

    /// Takes the server's time for the right one.
    ///
    /// - Parameter date: the `Date` of its answer.
    /// - Returns: false if it is not far from `signed`, the time that the server did not like, or cannot be read.
    func correct(by date: String?, signed: Double) -> Bool {
        let now = clock()
        guard let date, let server = HTTPDate.seconds(date, now: now), abs(Double(server) - signed) > Self.tolerance
        else { return false }
        offset.withLock { $0 = Double(server) - now }
        return true
    }
}
