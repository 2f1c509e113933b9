import Foundation

/// What becomes of a schedule's ticks that passed while nobody was there to fire them. Ticks that are late by less than
/// a tolerance are not missed: they fire under every policy.
public enum MissedTicks: String, Sendable, Hashable, Codable, CaseIterable {
    /// They are dropped.
    case skip
    /// The newest one fires, unless one fires in time.
    case last
    /// All fire, oldest first, up to a cap; of more than that the newest.
    case all
}

/// The ticks of a schedule to fire now, and where it stands then.
struct DueTicks: Sendable, Hashable {
    /// Oldest first.
    var fire: [Date]
    /// The newest tick that is not after now, fired or not: the `lastTick` of the next call.
    var lastTick: Date
    /// When to look again; nil when it will not fire within 400 years.
    var nextTick: Date?
    /// Whether the cap left out ticks that should have fired.
    var isCapped = false

    /// - Parameters:
    ///   - lastTick: the newest tick dealt with, or when the schedule was made. Ticks after it are looked at.
    ///   - tolerance: how late a tick may be without counting as missed.
    ///   - cap: how many fire at most; of more than that the newest.
    init(
        of schedule: CronSchedule, after lastTick: Date, now: Date, missed: MissedTicks,
        tolerance: Duration = .seconds(60), cap: Int = 1000
    ) {
        // "Not after now" is before the next whole second: ticks are whole seconds.
        let end = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down) + 1)
        nextTick = schedule.next(after: max(now, lastTick))
        fire = []
        self.lastTick = lastTick
        guard let newest = schedule.previous(before: end), newest > lastTick else { return }
        self.lastTick = newest
        // Backwards, so that a year of missed seconds costs no more than the cap.
        let floor = missed == .all ? lastTick : max(lastTick, now - tolerance / .seconds(1))
        var tick: Date? = newest
        while let due = tick, due > floor {
            guard fire.count < max(cap, 1) else {
                isCapped = true
                break
            }
            fire.append(due)
            tick = schedule.previous(before: due)
        }
        fire.reverse()
        if missed == .last, fire.isEmpty { fire = [newest] }
    }
}
