public import Foundation

/// A cron expression in a time zone: the instants at which it fires.
///
///     let schedule = try CronSchedule("30 2 * * *", timeZone: "Europe/Berlin")
///     schedule.next(after: .now)
///
/// When the clocks change, the rule is Vixie cron's (cron(8)):
///
/// - An expression that names its hours and minutes runs once for each time that it names. In New York the clock goes
///   from 01:59 to 03:00 in March: `30 2 * * *` fires at 03:00 on that day, right after the gap (and only once,
///   however many of its times lie in the gap). In November 01:30 comes twice: `30 1 * * *` fires the first time only.
/// - One with `*` (or all values) in its minutes or hours follows the clock on the wall, hence elapsed time:
///   `*/15 * * * *` fires every 15 minutes through both changes; `*/15 2 * * *` doesn't fire in March's gap, and
///   `*/15 1 * * *` fires eight times in November.
///
/// Instants are whole seconds. The cost of a search grows with the distance to the tick in weeks, not in minutes.
public struct CronSchedule: Sendable, Hashable {
    /// When it fires, in wall time.
    public let expression: CronExpression
    /// Where the wall is.
    public let timeZone: TimeZone

    /// Takes an expression that has been read already.
    public init(_ expression: CronExpression, timeZone: TimeZone) {
        self.expression = expression
        self.timeZone = timeZone
    }

    /// - Parameter timeZone: a name of the IANA time zone database, such as `Europe/Berlin` or `UTC`.
    /// - Throws: ``CronError`` when the expression cannot be read or never fires, or the time zone is unknown.
    public init(_ expression: String, timeZone: String) throws(CronError) {
        guard let zone = TimeZone(identifier: timeZone) else {
            throw CronError(timeZone, nil, "unknown time zone; write a name such as 'Europe/Berlin' or 'UTC'")
        }
        self.init(try CronExpression(expression), timeZone: zone)
    }

    /// The first instant after `date` at which it fires, or nil when there is none within 400 years.
    public func next(after date: Date) -> Date? {
        guard var now = Self.second(date.timeIntervalSince1970.rounded(.down)) else { return nil }
        let limit = now + Self.searchLimit
        var offset = self.offset(at: now)
        var wall = now + offset + 1
        // Within the repeated hour already? Then what was named in it has been.
        if !expression.isIntervalLike, let change = lastChange(after: now - Self.longestShift, through: now) {
            wall = max(wall, change + self.offset(at: change - 1))
        }
        // From one change of the clock to the next. Between two, wall time and time are the same but for the offset.
        while now < limit, let match = expression.firstMatch(atOrAfter: wall) {
            guard let change = firstChange(after: now, through: match - offset) else {
                return Date(timeIntervalSince1970: Double(match - offset))
            }
            let newOffset = self.offset(at: change)
            if !expression.isIntervalLike, match < change + newOffset {
                return Date(timeIntervalSince1970: Double(change))
            }
            // What is skipped needs no other look; what comes again is looked at again only if it may fire twice.
            wall = change + (expression.isIntervalLike ? newOffset : max(offset, newOffset))
            (now, offset) = (change, newOffset)
        }
        return nil
    }

    /// The last instant before `date` at which it fired, or nil when there is none within 400 years.
    public func previous(before date: Date) -> Date? {
        guard let end = Self.second(date.timeIntervalSince1970.rounded(.up)) else { return nil }
        var now = end - 1
        let limit = now - Self.searchLimit
        while now > limit {
            let offset = self.offset(at: now)
            guard let match = expression.lastMatch(atOrBefore: now + offset) else { return nil }
            let instant = match - offset
            // The change that began the stretch of constant offset in which the match lies, if that matters.
            guard let change = lastChange(after: min(instant, now) - Self.longestShift, through: now) else {
                return Date(timeIntervalSince1970: Double(instant))
            }
            let oldOffset = self.offset(at: change - 1)
            let isRepeated = !expression.isIntervalLike && match < change + oldOffset
            if instant >= change, !isRepeated { return Date(timeIntervalSince1970: Double(instant)) }
            // Named times in the gap fire when it ends.
            if !expression.isIntervalLike, offset > oldOffset,
                let skipped = expression.firstMatch(atOrAfter: change + oldOffset), skipped < change + offset
            {
                return Date(timeIntervalSince1970: Double(change))
            }
            now = change - 1
        }
        return nil
    }
}

extension CronSchedule {
    /// No clock was ever moved further at once (Samoa left out a day in 2011).
    private static let longestShift = 26 * 3600
    /// How far apart the offset is looked at. Changes and their undoing lie further apart (Morocco's Ramadan: 30 days).
    private static let stride = 7 * 86_400
    private static let searchLimit = 400 * 366 * 86_400

    /// Nil for what no calendar reaches (more than about 100,000 years off) and for NaN.
    private static func second(_ interval: Double) -> Int? {
        guard abs(interval) < 3e12 else { return nil }
        return Int(interval)
    }

    private func offset(at second: Int) -> Int {
        timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
    }

    /// The first second in (`start`, `end`] whose offset differs from the second's before.
    private func firstChange(after start: Int, through end: Int) -> Int? {
        var low = start
        let before = offset(at: low)
        while low < end {
            let high = min(low + Self.stride, end)
            if offset(at: high) != before { return change(between: low, and: high) }
            low = high
        }
        return nil
    }

    /// The last such second in (`start`, `end`].
    private func lastChange(after start: Int, through end: Int) -> Int? {
        var high = end
        let after = offset(at: high)
        while high > start {
            let low = max(high - Self.stride, start)
            if offset(at: low) != after { return change(between: low, and: high) }
            high = low
        }
        return nil
    }

    /// Where the offset changes, given that it differs at the two ends.
    private func change(between low: Int, and high: Int) -> Int {
        var (low, high) = (low, high)
        let before = offset(at: low)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if offset(at: middle) == before { low = middle } else { high = middle }
        }
        return high
    }
}
