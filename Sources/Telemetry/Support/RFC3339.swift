import CivilCalendar
import Glibc

/// Times as `2026-11-21T20:01:32.123Z`. RFC 3339, §5.6.
enum RFC3339 {
    static var now: timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }

    /// Appends a time since 1970, cut to milliseconds.
    static func append(_ time: timespec, to bytes: inout [UInt8]) {
        let (day, second) = CivilDay.floorDivide(time.tv_sec, 86_400)
        let date = CivilDay.date(day)
        append(date.year, digits: 4, "-", to: &bytes)
        append(date.month, digits: 2, "-", to: &bytes)
        append(date.day, digits: 2, "T", to: &bytes)
        append(second / 3600, digits: 2, ":", to: &bytes)
        append(second / 60 % 60, digits: 2, ":", to: &bytes)
        append(second % 60, digits: 2, ".", to: &bytes)
        append(time.tv_nsec / 1_000_000, digits: 3, "Z", to: &bytes)
    }

    private static func append(_ number: Int, digits: Int, _ separator: Unicode.Scalar, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: separator))
    }
}
