import CivilCalendar
import Testing

@testable import JobQueue

struct CronExpressionTests {
    @Test(arguments: [
        ("* * * *", "4 fields"), ("", "0 fields"), ("0 0 * * * * *", "7 fields"), ("60 * * * *", "'minute'"),
        ("* 24 * * *", "'hour'"), ("* * 0 * *", "'day of month'"), ("* * * 13 *", "'month'"),
        ("* * * FEV *", "JAN to DEC"), ("* * * * 8", "'day of week'"), ("60 * * * * *", "'second'"),
        ("*/0 * * * *", "step"), ("*/61 * * * *", "step"), ("1,,2 * * * *", "empty item"), ("? * * * *", "'?'"),
        ("-5 * * * *", "'minute'"), ("5- * * * *", "'minute'"), ("+5 * * * *", "'minute'"), ("٣ * * * *", "'minute'"),
        ("99999999999999999999 * * * *", "'minute'"), ("* * * * FRI#6", "FRI#2"), ("* * * * FRI#", "FRI#2"),
        ("@reboot", "@daily"), ("0 0 30 2 *", "never fires"), ("0 0 31 4,6,9,11 ?", "never fires"),
        ("* * L-3 * *", "'day of month'"), ("5/ * * * *", "step"), ("1-2-3 * * * *", "'minute'"),
    ])
    func `what cannot be read is refused, and the message names the field`(text: String, part: String) {
        #expect {
            try CronExpression(text)
        } throws: { error in
            "\(error)".contains(part) && "\(error)".contains(text) && error is CronError
        }
    }

    @Test(arguments: [
        ("0 0 * * 7", "0 0 * * 0"), ("0 0 * * SUN", "0 0 * * 0"), ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * FRI-SUN", "0 0 * * 0,5,6"), ("0 0 * * sat-mon", "0 0 * * 6,0,1"), ("0 0 * * 7-2", "0 0 * * 0-2"),
        ("0 0 * * 0-7", "0 0 * * 0-6"), ("0 22-2 * * *", "0 0,1,2,22,23 * * *"),
        ("0 0 1 NOV-FEB *", "0 0 1 11,12,1,2 *"),
        ("50-10/10 * * * *", "50,0,10 * * * *"), ("5/20 * * * *", "5,25,45 * * * *"), ("59/7 * * * *", "59 * * * *"),
        ("@hourly", "0 * * * *"), ("@midnight", "@daily"), ("@annually", "@YEARLY"), ("  @weekly ", "0 0 * * 0"),
        ("0 0 ? * MON", "0 0 * * 1"), ("0\t0  1 1 *", "0 0 0 1 1 *"), ("0 0 L 2 *", "0 0 l 2 *"),
        ("5-5 * * * *", "5 * * * *"),
    ])
    func `two ways to write the same`(one: String, other: String) throws {
        let (one, other) = (try CronExpression(one), try CronExpression(other))
        var wall = 1_700_000_000
        for _ in 0..<200 {
            let next = one.firstMatch(atOrAfter: wall + 1)
            #expect(next == other.firstMatch(atOrAfter: wall + 1))
            wall = try #require(next)
        }
    }

    @Test func `days of month and week are alternatives unless one begins with a star`() throws {
        // January 2026 began on a Thursday.
        func days(_ text: String) throws -> [Int] {
            let days = try CronExpression(text).days(year: 2026, month: 1)
            return (1...31).filter { days & (1 << UInt64($0)) != 0 }
        }
        #expect(try days("0 0 13 * FRI") == [2, 9, 13, 16, 23, 30])
        #expect(try days("0 0 * * FRI") == [2, 9, 16, 23, 30])
        #expect(try days("0 0 13 * *") == [13])
        #expect(try days("0 0 */2 * MON") == [5, 19])
        #expect(try days("0 0 13 * */2") == [13])
        #expect(try days("0 0 ? * FRI#2") == [9])
        #expect(try days("0 0 * * L5,MON#1") == [5, 30])
        #expect(try days("0 0 1,L * ?") == [1, 31])
        #expect(try days("0 0 L * TUE#5") == [31])
        #expect(try days("0 0 1 2 *") == [])
    }

    @Test func `civil days and their numbers agree over centuries`() {
        var number = CivilDay.number(year: 1599, month: 12, day: 31)
        for year in 1600...2405 {
            for month in 1...12 {
                for day in 1...CivilDay.daysInMonth(year: year, month: month) {
                    number += 1
                    if CivilDay.number(year: year, month: month, day: day) != number {
                        Issue.record("\(year)-\(month)-\(day)")
                    }
                    let date = CivilDay.date(number)
                    if date != (year, month, day) { Issue.record("\(number) is \(date)") }
                }
            }
        }
        #expect(CivilDay.number(year: 1970, month: 1, day: 1) == 0)
        #expect(CivilDay.weekday(0) == 4)
    }
}
