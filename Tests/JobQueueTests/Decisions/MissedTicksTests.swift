import Foundation
import Testing

@testable import JobQueue

struct MissedTicksTests {
    private let hourly: CronSchedule
    private let midnight: Date

    init() throws {
        hourly = try CronSchedule("0 * * * *", timeZone: "UTC")
        midnight = try Date.utc("2026-05-01T00:00:00Z")
    }

    private func due(_ missed: MissedTicks, after last: Double, now: Double, cap: Int = 1000) -> DueTicks {
        DueTicks(of: hourly, after: midnight + last * 3600, now: midnight + now * 3600, missed: missed, cap: cap)
    }

    @Test(arguments: MissedTicks.allCases)
    func `a tick that is due fires once under every policy`(missed: MissedTicks) {
        let due = due(missed, after: 0, now: 1.005)
        #expect(due.fire == [midnight + 3600])
        #expect(due.lastTick == midnight + 3600)
        #expect(due.nextTick == midnight + 7200)
        // To the very second.
        #expect(self.due(missed, after: 0, now: 1).fire == [midnight + 3600])
        #expect(self.due(missed, after: 1, now: 1.005).fire == [])
        #expect(self.due(missed, after: 1, now: 1.005).lastTick == midnight + 3600)
    }

    @Test func `after a downtime none, the newest or all of the missed ticks fire`() {
        #expect(due(.skip, after: 0, now: 4.5).fire == [])
        #expect(due(.last, after: 0, now: 4.5).fire == [midnight + 4 * 3600])
        #expect(due(.all, after: 0, now: 4.5).fire == (1...4).map { midnight + Double($0) * 3600 })
        for missed in MissedTicks.allCases {
            #expect(due(missed, after: 0, now: 4.5).lastTick == midnight + 4 * 3600)
            #expect(due(missed, after: 0, now: 4.5).nextTick == midnight + 5 * 3600)
        }
        // The newest is just due, the ones before are missed.
        #expect(due(.skip, after: 0, now: 4.001).fire == [midnight + 4 * 3600])
    }

    @Test(arguments: MissedTicks.allCases)
    func `ticks closer together than the tolerance all fire when somebody looks a little late`(
        missed: MissedTicks
    ) throws {
        let often = try CronSchedule("*/5 * * * * *", timeZone: "UTC")
        let due = DueTicks(of: often, after: midnight, now: midnight + 16, missed: missed)
        #expect(due.fire == [midnight + 5, midnight + 10, midnight + 15])
    }

    @Test func `more missed ticks than the cap: the newest fire, and it says so`() throws {
        let capped = due(.all, after: 0, now: 1000.5, cap: 3)
        #expect(capped.fire == [998, 999, 1000].map { midnight + $0 * 3600 })
        #expect(capped.isCapped)
        #expect(!due(.all, after: 0, now: 3.5, cap: 3).isCapped)
        // Years of seconds.
        let everySecond = try CronSchedule("* * * * * *", timeZone: "UTC")
        let due = DueTicks(of: everySecond, after: .distantPast, now: midnight, missed: .all, cap: 2)
        #expect(due.fire == [midnight - 1, midnight])
    }

    @Test func `a clock that went backwards fires nothing twice`() {
        for missed in MissedTicks.allCases {
            let due = due(missed, after: 5, now: 3.2)
            #expect(due.fire == [])
            #expect(due.lastTick == midnight + 5 * 3600)
            #expect(due.nextTick == midnight + 6 * 3600)
        }
    }
}
