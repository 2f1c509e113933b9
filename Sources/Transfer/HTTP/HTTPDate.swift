import CivilCalendar

/// Dates as HTTP writes them. RFC 9110, §5.6.7.
enum HTTPDate {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT", of the obsolete "Sunday, 06-Nov-94 08:49:37 GMT", and of
    /// C's "Sun Nov  6 08:49:37 1994"; `nil` for anything else.
    ///
    /// - Parameter now: seconds since 1970, to tell the century of a year with two digits.
    static func seconds(_ text: String, now: Double) -> Int64? {
        var words = text.split { $0 == " " || $0 == "," || $0 == "-" }
        if words.last == "GMT" || words.last == "UTC" { words.removeLast() }
        guard words.count == 5 else { return nil }
        // asctime: weekday month day time year.
        let isC = words[3].contains(":")
        let (day, month, year, time) =
            isC ? (words[2], words[1], words[4], words[3]) : (words[1], words[2], words[3], words[4])
        let clock = time.split(separator: ":").map { number($0) }
        guard let day = number(day), (1...31).contains(day), var year = number(year), year <= 9999,
            let month = months.firstIndex(of: month.lowercased()), clock.count == 3, let hour = clock[0], hour < 24,
            let minute = clock[1], minute < 60, let second = clock[2], second <= 60
        else { return nil }
        if words[isC ? 4 : 3].utf8.count == 2 {
            // More than 50 years ahead means the past.
            let current = civilYear(now)
            year += current / 100 * 100
            if year > current + 50 { year -= 100 }
        }
        let days = CivilDay.number(year: year, month: month + 1, day: day)
        return Int64(days * 86_400 + hour * 3600 + minute * 60 + second)
    }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.count <= 4 && text.utf8.allSatisfy(\.isASCIIDigit) ? Int(text) : nil
    }

    private static func civilYear(_ seconds: Double) -> Int { 1970 + Int(seconds / (365.2425 * 86_400)) }
}
