import Foundation
import Testing

@testable import JobQueue

extension Date {
    /// `2026-03-08T07:00:00Z`
    static func utc(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }
}

struct CronScheduleTests {
    private func ticks(_ expression: String, _ zone: String, after start: String, count: Int) throws -> [String] {
        let schedule = try CronSchedule(expression, timeZone: zone)
        var date = try Date.utc(start)
        return try (0..<count).map { _ in
            date = try #require(schedule.next(after: date))
            return date.formatted(.iso8601)
        }
    }

    @Test func `a time that the clock skips fires once, right after the gap`() throws {
        // New York, 8 March 2026: 01:59 EST is followed by 03:00 EDT (07:00 UTC).
        let once = ["2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]
        #expect(try ticks("30 2 * * *", "America/New_York", after: "2026-03-07T00:00:00Z", count: 3) == once)
        let several = ["2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:00:00Z"]
        #expect(
            try ticks("0,20,40 2,3 * * *", "America/New_York", after: "2026-03-07T23:00:00Z", count: 2)[0] == several[0]
        )
        #expect(try ticks("0,30 2-3 * * *", "America/New_York", after: "2026-03-07T23:00:00Z", count: 3) == several)
    }

    @Test func `a time that comes twice fires the first time only`() throws {
        // New York, 1 November 2026: 01:59 EDT is followed by 01:00 EST.
        let once = ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
        #expect(try ticks("30 1 * * *", "America/New_York", after: "2026-10-31T12:00:00Z", count: 2) == once)
        #expect(try ticks("30 1 * * *", "America/New_York", after: "2026-11-01T06:10:00Z", count: 1) == [once[1]])
    }

    @Test func `an interval follows elapsed time through both changes`() throws {
        let schedule = try CronSchedule("*/15 * * * *", timeZone: "America/New_York")
        for start in ["2026-03-08T04:00:00Z", "2026-11-01T03:00:00Z"] {
            var date = try Date.utc(start)
            for _ in 0..<40 {
                let next = try #require(schedule.next(after: date))
                #expect(next.timeIntervalSince(date) == 900)
                date = next
            }
        }
        #expect(
            try ticks("*/15 2 * * *", "America/New_York", after: "2026-03-08T00:00:00Z", count: 1)
                == ["2026-03-09T06:00:00Z"])
        let twice = try ticks("*/15 1 * * *", "America/New_York", after: "2026-11-01T04:00:00Z", count: 9)
        #expect(twice[7] == "2026-11-01T06:45:00Z")
        #expect(twice[8] == "2026-11-02T06:00:00Z")
    }

    @Test func `midnight that doesn't exist and a change by half an hour`() throws {
        // São Paulo, 4 November 2018: 23:59 is followed by 01:00.
        #expect(
            try ticks("@daily", "America/Sao_Paulo", after: "2018-11-03T12:00:00Z", count: 2)
                == ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"])
        // Lord Howe, 4 October 2026: 01:59 (+10:30) is followed by 02:30 (+11).
        #expect(
            try ticks("15 2 * * *", "Australia/Lord_Howe", after: "2026-10-03T12:00:00Z", count: 2)
                == ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"])
        // Samoa had no 30 December 2011.
        #expect(
            try ticks("0 12 * * *", "Pacific/Apia", after: "2011-12-29T12:00:00Z", count: 3)
                == ["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"])
    }

    @Test func `the schedule equals a scan through the calendar around changes of the clock`() throws {
        // Each begins a day or two before a change.
        let changes = [
            ("America/New_York", "2026-03-07T00:00:00Z"), ("America/New_York", "2026-10-31T00:00:00Z"),
            ("Europe/Berlin", "2027-03-27T00:00:00Z"), ("Europe/Berlin", "2027-10-30T00:00:00Z"),
            ("Australia/Lord_Howe", "2026-10-02T12:00:00Z"), ("Australia/Lord_Howe", "2026-04-03T12:00:00Z"),
            ("America/Sao_Paulo", "2018-11-03T00:00:00Z"), ("America/Sao_Paulo", "2019-02-16T00:00:00Z"),
            ("Africa/Casablanca", "2026-02-14T00:00:00Z"), ("Europe/Dublin", "2026-10-24T00:00:00Z"),
            ("Asia/Kathmandu", "1985-12-31T00:00:00Z"), ("UTC", "2028-02-28T00:00:00Z"),
        ]
        var random = RandomCron(generator: SeededGenerator(7))
        var compared = 0
        for (zone, start) in changes {
            let start = Int(try Date.utc(start).timeIntervalSince1970)
            let end = start + 3 * 86_400
            for _ in 0..<6 {
                var text = random.next(seconds: false)
                // Most random days are not these ones.
                if random.generator.chance(0.8) {
                    text = text.split(separator: " ").prefix(2).joined(separator: " ") + " * * *"
                }
                guard let schedule = try? CronSchedule(text, timeZone: zone) else { continue }
                let expected = CronOracle(schedule).ticks(from: start, to: end)
                #expect(forwards(schedule, start, end) == expected, "\(text) in \(zone), forwards")
                #expect(backwards(schedule, start, end) == expected, "\(text) in \(zone), backwards")
                compared += expected.count
            }
        }
        #expect(compared > 500)
    }

    @Test func `seconds equal a scan too`() throws {
        var random = RandomCron(generator: SeededGenerator(11))
        let start = Int(try Date.utc("2026-10-24T23:50:00Z").timeIntervalSince1970)
        for _ in 0..<12 {
            let text =
                random.next(seconds: true).split(separator: " ").prefix(2).joined(separator: " ") + " 1,2,* * * *"
            let schedule = try CronSchedule(text, timeZone: "Europe/Berlin")
            let expected = CronOracle(schedule).ticks(from: start, to: start + 1500, step: 1)
            #expect(forwards(schedule, start, start + 1500) == expected, "\(text)")
            #expect(backwards(schedule, start, start + 1500) == expected, "\(text)")
        }
    }

    @Test func `next and previous are each other's inverse over years`() throws {
        var random = RandomCron(generator: SeededGenerator(13))
        let zones = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"]
        for round in 0..<400 {
            let text = random.next(seconds: round % 3 == 0)
            guard let schedule = try? CronSchedule(text, timeZone: zones[round % zones.count]) else { continue }
            let start = Date(timeIntervalSince1970: Double(random.generator.int(0...3_000_000_000)) + 0.25)
            let next = try #require(schedule.next(after: start), "\(text)")
            let previous = try #require(schedule.previous(before: start), "\(text)")
            #expect(previous < start && start < next)
            #expect(schedule.next(after: previous) == next, "\(text) around \(start)")
            #expect(schedule.previous(before: next) == previous, "\(text) around \(start)")
        }
    }

    @Test func `years ahead are found, leap days over a century without one`() throws {
        #expect(try ticks("0 0 29 2 *", "UTC", after: "2096-03-01T00:00:00Z", count: 1) == ["2104-02-29T00:00:00Z"])
        // The 1st or 29th, and a Monday: the star makes both day fields count.
        #expect(try ticks("0 0 */28 2 MON", "UTC", after: "2026-01-01T00:00:00Z", count: 1) == ["2027-02-01T00:00:00Z"])
        let schedule = try CronSchedule("0 0 29 2 *", timeZone: "America/New_York")
        #expect(
            schedule.previous(before: try Date.utc("1904-01-01T00:00:00Z")) == (try Date.utc("1896-02-29T05:00:00Z")))
        #expect(schedule.next(after: .distantFuture) != nil)
        #expect(schedule.next(after: Date(timeIntervalSince1970: .infinity)) == nil)
        #expect(schedule.next(after: Date(timeIntervalSince1970: .nan)) == nil)
    }

    @Test func `an unknown time zone is named`() {
        #expect {
            try CronSchedule("@daily", timeZone: "Europe/Berlim")
        } throws: { "\($0)".contains("Europe/Berlim") }
    }

    private func forwards(_ schedule: CronSchedule, _ start: Int, _ end: Int) -> [Int] {
        var ticks: [Int] = []
        var date = Date(timeIntervalSince1970: Double(start) - 1)
        while let next = schedule.next(after: date), Int(next.timeIntervalSince1970) < end {
            ticks.append(Int(next.timeIntervalSince1970))
            date = next
        }
        return ticks
    }

    private func backwards(_ schedule: CronSchedule, _ start: Int, _ end: Int) -> [Int] {
        var ticks: [Int] = []
        var date = Date(timeIntervalSince1970: Double(end))
        while let previous = schedule.previous(before: date), Int(previous.timeIntervalSince1970) >= start {
            ticks.append(Int(previous.timeIntervalSince1970))
            date = previous
        }
        return ticks.reversed()
    }
}
