import JobQueue
import Transfer

/// How far this machine's clock is from the database's.
///
/// Leases and schedules go by the database's; what is signed for stores and webhooks goes by this one, and is refused
/// when that is minutes wrong.
struct ClockCheck: DoctorCheck {
    let name = "clock"

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        guard let url = context.databaseURL else { return [DoctorContext.noDatabase] }
        let (offset, roundTrip) = try await context.withConnection(to: url) { connection in
            var best = (offset: 0.0, roundTrip: Double.infinity)
            for _ in 0..<3 {
                let sent = WallClock.now
                let rows = try await connection.query("SELECT extract(epoch FROM clock_timestamp())::float8 AS now")
                let received = WallClock.now
                let database: Double = try rows.only().decode("now")
                // Read halfway, as good as one can know (Cristian, "Probabilistic clock synchronization", 1989).
                if received - sent < best.roundTrip {
                    best = (database - (sent + received) / 2, received - sent)
                }
            }
            return best
        }
        return [Self.finding(offset: offset, roundTrip: roundTrip)]
    }

    /// - Parameters:
    ///   - offset: seconds that the database is ahead.
    ///   - roundTrip: seconds that the question took: the offset is known to half of it.
    static func finding(offset: Double, roundTrip: Double) -> DoctorFinding {
        let distance = abs(offset)
        let size = distance < 10 ? "\(Figures.fixed(distance * 1000, 0)) ms" : "\(Figures.fixed(distance, 0)) s"
        let text = "this clock is \(size) \(offset < 0 ? "ahead of" : "behind") the database's"
        let remedy = "have both machines set their clocks by NTP"
        // Beyond what the way there and back explains.
        switch max(0, distance - roundTrip / 2) {
        case ..<1: return .ok(text)
        case ..<60: return .note(text, remedy)
        default: return .wrong(text, remedy)
        }
    }
}
