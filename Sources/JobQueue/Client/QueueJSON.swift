import CivilCalendar
public import Foundation

/// How what the queue tells is written as JSON: times as `2026-03-01T12:00:00.123456Z`, lengths of time in seconds.
public enum QueueJSON {
    /// Writes JSON so, with sorted keys.
    public static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(text(of: date))
        }
        return encoder
    }

    /// Reads JSON so; a time may be in any zone.
    public static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = date(from: text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "\(text.debugDescription) is not a time as ISO 8601 has it")
            }
            return date
        }
        return decoder
    }

    /// Reads rows that the database has made JSON of.
    static func rowDecoder() -> JSONDecoder {
        let decoder = decoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    /// To the microsecond, as Postgres has it.
    package static func text(of date: Date) -> String {
        if date == .distantFuture { return "infinity" }
        if date == .distantPast { return "-infinity" }
        let microseconds = Int64((date.timeIntervalSince1970 * 1e6).rounded())
        let seconds = microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
        let fraction = String(microseconds - seconds * 1_000_000 + 1_000_000).dropFirst()
        let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
        return "\(whole.dropLast()).\(fraction)Z"
    }

    /// Reads `2026-03-01T12:00:00.123456-03:30`, as JSON made by Postgres has it in the session's zone.
    public static func date(from text: String) -> Date? {
        if text == "infinity" { return .distantFuture }
        if text == "-infinity" { return .distantPast }
        let form =
            /(\d{4,6})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?)/
        guard let match = text.wholeMatch(of: form)?.output, let year = Int(match.1), let month = Int(match.2),
            let day = Int(match.3), let hour = Int(match.4), let minute = Int(match.5),
            (1...12).contains(month), (1...31).contains(day), hour <= 24, minute <= 59
        else { return nil }
        func number(_ part: Substring?) -> Int { part.flatMap { Int($0) } ?? 0 }
        let offset = number(match.9) * 3600 + number(match.10) * 60 + number(match.11)
        let seconds = hour * 3600 + minute * 60 + number(match.6) - (match.8 == "-" ? -offset : offset)
        let days = CivilDay.number(year: year, month: month, day: day)
        // From Date's own epoch, 11,323 days after 1970, whose numbers are the most exact.
        let whole = Double((days - 11_323) * 86_400 + seconds)
        let fraction = match.7.flatMap { Double("0.\($0)") } ?? 0
        return Date(timeIntervalSinceReferenceDate: whole + fraction)
    }
}
