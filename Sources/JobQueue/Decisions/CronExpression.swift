import CivilCalendar

/// A cron expression: when something repeats, in wall time.
///
///     try CronExpression("30 2 * * MON-FRI")     // minute hour day-of-month month day-of-week
///     try CronExpression("*/10 * * * * *")       // six fields: seconds come first
///     try CronExpression("@daily")
///
/// A field is a list of items with commas between: `*`, a value, a range `a-b` (which may wrap: `22-2`), and any of
/// these with a step (`*/15`, `0-30/10`; `5/15` is from 5 on). Months and days of the week have names (`JAN`, `mon`);
/// Sunday is 0 and 7. A day field may be `?`, which is `*`. Day of month knows `L`, the last day; day of week knows
/// `FRI#2`, the second Friday of a month, and `L5`, the last Friday. Shorthands: `@yearly`, `@annually`, `@monthly`,
/// `@weekly`, `@daily`, `@midnight`, `@hourly`.
///
/// When both day fields are restricted, a day needs to match one of them, as in Vixie cron (crontab(5)): `0 0 13 * FRI`
/// is every 13th and every Friday. A field that begins with `*` is not restricted in this sense, even with a step:
/// `0 0 */2 * MON` is the Mondays with an odd date.
public struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    /// The expression as it was written.
    public let description: String

    let seconds: CronField
    let minutes: CronField
    let hours: CronField
    let daysOfMonth: CronField
    let months: CronField
    let daysOfWeek: CronField

    /// - Throws: ``CronError`` when the text cannot be read, or when it names a date that never comes (30 February).
    public init(_ text: String) throws(CronError) {
        description = text
        var expression = text[...]
        if let first = text.first(where: { !$0.isWhitespace }), first == "@" {
            let name = text.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
            guard let meaning = Self.shorthands[name] else {
                let known = Self.shorthands.keys.sorted().joined(separator: ", ")
                throw CronError(text, nil, "'\(name)' is unknown; there are \(known)")
            }
            expression = meaning[...]
        }
        var fields = expression.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r\n" })
        guard fields.count == 5 || fields.count == 6 else {
            throw CronError(
                text, nil,
                "there are \(fields.count) fields; write 5 (minute hour day-of-month month day-of-week) or 6 (second first)"
            )
        }
        if fields.count == 5 { fields.insert("0", at: 0) }
        seconds = try CronError.Field.second.parse(fields[0], in: text)
        minutes = try CronError.Field.minute.parse(fields[1], in: text)
        hours = try CronError.Field.hour.parse(fields[2], in: text)
        daysOfMonth = try CronError.Field.dayOfMonth.parse(fields[3], in: text)
        months = try CronError.Field.month.parse(fields[4], in: text)
        daysOfWeek = try CronError.Field.dayOfWeek.parse(fields[5], in: text)
        guard firstMatch(atOrAfter: 0) != nil else {
            throw CronError(text, .dayOfMonth, "never fires: no month it names has such a day")
        }
    }

    private static let shorthands = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    /// Whether it repeats within the day, as cron decides it: `*` in the minutes or hours. Such a job follows the
    /// clock on the wall through a change of it; others run once for each time that they name.
    var isIntervalLike: Bool {
        minutes.startsWithStar || hours.startsWithStar || minutes.coversAll(of: .minute) || hours.coversAll(of: .hour)
    }
}

// Wall time here is seconds since 1970-01-01T00:00:00 on the clock on the wall, without a time zone.
extension CronExpression {
    /// The calendar repeats itself after 400 years: what doesn't come within them never comes.
    private static let searchYears = 400

    /// The first wall time that matches and is not before `wall`.
    func firstMatch(atOrAfter wall: Int) -> Int? {
        let (dayNumber, second) = CivilDay.floorDivide(wall, 86_400)
        var (year, month, day) = CivilDay.date(dayNumber)
        let lastYear = year + Self.searchYears
        if let time = firstTime(atOrAfter: second), days(year: year, month: month) & (1 << UInt64(day)) != 0 {
            return dayNumber * 86_400 + time
        }
        guard let time = firstTime(atOrAfter: 0) else { return nil }
        day += 1
        while year <= lastYear {
            let rest = days(year: year, month: month) & (UInt64.max << UInt64(day))
            if rest != 0 {
                return CivilDay.number(year: year, month: month, day: rest.trailingZeroBitCount) * 86_400 + time
            }
            (year, month, day) = month == 12 ? (year + 1, 1, 1) : (year, month + 1, 1)
        }
        return nil
    }

    /// The last wall time that matches and is not after `wall`.
    func lastMatch(atOrBefore wall: Int) -> Int? {
        let (dayNumber, second) = CivilDay.floorDivide(wall, 86_400)
        var (year, month, day) = CivilDay.date(dayNumber)
        let firstYear = year - Self.searchYears
        if let time = lastTime(atOrBefore: second), days(year: year, month: month) & (1 << UInt64(day)) != 0 {
            return dayNumber * 86_400 + time
        }
        guard let time = lastTime(atOrBefore: 86_399) else { return nil }
        day -= 1
        while year >= firstYear {
            let rest = days(year: year, month: month) & ((1 << UInt64(day + 1)) - 1)
            if rest != 0 {
                return CivilDay.number(year: year, month: month, day: 63 - rest.leadingZeroBitCount) * 86_400 + time
            }
            (year, month, day) = month == 1 ? (year - 1, 12, 31) : (year, month - 1, 31)
        }
        return nil
    }

    /// The days of a month that match: bit `d` for day `d`.
    func days(year: Int, month: Int) -> UInt64 {
        guard months.contains(month) else { return 0 }
        let length = CivilDay.daysInMonth(year: year, month: month)
        let all = ((1 << UInt64(length + 1)) - 1) & ~UInt64(1)
        var byDate = daysOfMonth.values & all
        if daysOfMonth.lastDay { byDate |= 1 << UInt64(length) }

        let firstWeekday = CivilDay.weekday(CivilDay.number(year: year, month: month, day: 1))
        var byWeekday: UInt64 = 0
        for day in 1...length {
            let weekday = UInt64((firstWeekday + day - 1) % 7)
            let matches =
                daysOfWeek.values & (1 << weekday) != 0
                || daysOfWeek.nth & (1 << (7 * UInt64((day - 1) / 7) + weekday)) != 0
                || day > length - 7 && daysOfWeek.lastWeekdays & (1 << weekday) != 0
            if matches { byWeekday |= 1 << UInt64(day) }
        }
        return daysOfMonth.startsWithStar || daysOfWeek.startsWithStar ? byDate & byWeekday : byDate | byWeekday
    }

    /// The first matching second of a day that is at least `second`.
    private func firstTime(atOrAfter second: Int) -> Int? {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60)
        if hours.contains(hour) {
            if minutes.contains(minute), let s = seconds.first(atLeast: second) {
                return hour * 3600 + minute * 60 + s
            }
            if let m = minutes.first(atLeast: minute + 1), let s = seconds.first(atLeast: 0) {
                return hour * 3600 + m * 60 + s
            }
        }
        guard let h = hours.first(atLeast: hour + 1), let m = minutes.first(atLeast: 0),
            let s = seconds.first(atLeast: 0)
        else { return nil }
        return h * 3600 + m * 60 + s
    }

    /// The last matching second of a day that is at most `second`.
    private func lastTime(atOrBefore second: Int) -> Int? {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60)
        if hours.contains(hour) {
            if minutes.contains(minute), let s = seconds.last(atMost: second) {
                return hour * 3600 + minute * 60 + s
            }
            if let m = minutes.last(atMost: minute - 1), let s = seconds.last(atMost: 59) {
                return hour * 3600 + m * 60 + s
            }
        }
        guard let h = hours.last(atMost: hour - 1), let m = minutes.last(atMost: 59), let s = seconds.last(atMost: 59)
        else { return nil }
        return h * 3600 + m * 60 + s
    }
}
