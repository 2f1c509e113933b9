import Foundation

@testable import JobQueue

/// The rule of `CronSchedule` spelled out the slow way: every second or minute of a stretch of time is looked at with
/// Foundation's `Calendar`, and nothing is computed.
struct CronOracle {
    let expression: CronExpression
    private let calendar: Calendar
    private let zone: TimeZone

    init(_ schedule: CronSchedule) {
        expression = schedule.expression
        zone = schedule.timeZone
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        self.calendar = calendar
    }

    /// The ticks in `start` ..< `end`, of which `start` is a multiple of `step` seconds.
    func ticks(from start: Int, to end: Int, step: Int = 60) -> [Int] {
        // Where the search begins doesn't matter: the clock before it is known too.
        stride(from: start, to: end, by: step).filter { fires(at: $0, step: step) }
    }

    private func fires(at instant: Int, step: Int) -> Bool {
        let wall = instant + offset(instant)
        let matchesNow = matches(date(instant))
        if expression.isIntervalLike { return matchesNow }
        // Named times: the first time the clock shows it …
        let changedLately = (1...(26 * 4)).contains { offset(instant - $0 * 900) != offset(instant) }
        if matchesNow {
            let isShownAgain =
                changedLately
                && (1...(26 * 3600 / step)).contains { back in
                    instant - back * step + offset(instant - back * step) == wall
                }
            if !isShownAgain { return true }
        }
        // … or when the clock has just left it out.
        var skipped = instant - step + offset(instant - step) + step
        while skipped < wall {
            let parts = Self.unchanging.dateComponents(Self.parts, from: Date(timeIntervalSince1970: Double(skipped)))
            if matches(parts) { return true }
            skipped += step
        }
        return false
    }

    /// The calendar of a clock that is never changed.
    private static let unchanging: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    private static let parts: Set<Calendar.Component> = [.year, .month, .day, .hour, .minute, .second, .weekday]

    private func offset(_ instant: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
    }

    private func date(_ instant: Int) -> DateComponents {
        calendar.dateComponents(Self.parts, from: Date(timeIntervalSince1970: Double(instant)))
    }

    private func matches(_ date: DateComponents) -> Bool {
        guard let year = date.year, let month = date.month, let day = date.day, let hour = date.hour,
            let minute = date.minute, let second = date.second, let weekday = date.weekday.map({ $0 - 1 }),
            expression.seconds.contains(second), expression.minutes.contains(minute), expression.hours.contains(hour),
            expression.months.contains(month)
        else { return false }
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        let (dates, weekdays) = (expression.daysOfMonth, expression.daysOfWeek)
        let byDate = dates.contains(day) || dates.lastDay && day == length
        let byWeekday =
            weekdays.contains(weekday) || weekdays.nth & (1 << UInt64((day - 1) / 7 * 7 + weekday)) != 0
            || weekdays.lastWeekdays & (1 << UInt64(weekday)) != 0 && day + 7 > length
        return dates.startsWithStar || weekdays.startsWithStar ? byDate && byWeekday : byDate || byWeekday
    }
}
