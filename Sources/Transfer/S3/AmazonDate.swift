import CivilCalendar

/// Dates as AWS writes them: in signatures without separators, in listings as ISO 8601, always UTC.
package struct AmazonDate: Sendable, Hashable {
    /// "20130524"
    package let day: String
    /// "20130524T000000Z"
    package let moment: String

    /// - Parameter seconds: since 1970, in the years 1 to 9999.
    package init(_ seconds: Double) {
        // Beyond these years no date can be written, and none is ever signed.
        let whole = Int(min(max(seconds, -62_135_596_800), 253_402_300_799).rounded(.down))
        let (days, rest) = CivilDay.floorDivide(whole, 86_400)
        let (year, month, dayOfMonth) = CivilDay.date(days)
        day = Self.digits(year, 4) + Self.digits(month, 2) + Self.digits(dayOfMonth, 2)
        moment =
            day + "T" + Self.digits(rest / 3600, 2) + Self.digits(rest / 60 % 60, 2) + Self.digits(rest % 60, 2) + "Z"
    }

    /// Seconds since 1970 of "2026-01-01T12:00:00.000Z", with or without a fraction and an offset; `nil` for anything
    /// else.
    package static func seconds(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy(\.isASCIIDigit) else { return nil }
            return Int(String(decoding: bytes[range], as: UTF8.self))
        }
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(0..<4), let month = number(5..<7), (1...12).contains(month), let day = number(8..<10),
            (1...31).contains(day), let hour = number(11..<13), hour < 24, let minute = number(14..<16), minute < 60,
            let second = number(17..<19), second <= 60
        else { return nil }
        var position = 19
        var fraction = 0.0
        if bytes[position] == UInt8(ascii: ".") {
            let digits = bytes[(position + 1)...].prefix(while: \.isASCIIDigit)
            guard !digits.isEmpty, let value = Double("0." + String(decoding: digits, as: UTF8.self)) else {
                return nil
            }
            fraction = value
            position += 1 + digits.count
        }
        let zone = String(decoding: bytes[position...], as: UTF8.self)
        var offset = 0
        if zone != "Z" {
            guard zone.utf8.count == 6, zone.hasPrefix("+") || zone.hasPrefix("-"),
                let hours = number(position + 1..<position + 3), let minutes = number(position + 4..<position + 6)
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (zone.hasPrefix("-") ? -1 : 1)
        }
        let days = CivilDay.number(year: year, month: month, day: day)
        return Double(days * 86_400 + hour * 3600 + minute * 60 + second - offset) + fraction
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}
