import Foundation
import JobQueue
import Testing

@testable import Worker

@Suite struct QueueArgumentTests {
    @Test func `Lengths of time are read`() {
        for (text, seconds) in [
            ("90", 90), ("90s", 90), ("1h30m", 5400), ("500ms", 0.5), ("2d", 172_800), ("1.5min", 90),
        ] {
            #expect(Span(argument: text)?.seconds == seconds, "\(text)")
        }
        for text in ["", "s", "1x", "-5s", "1h30", "1 h", "1..5s", "99999999999999d"] {
            #expect(Span(argument: text) == nil, "\(text)")
        }
        #expect(RateArgument(argument: "100/1m")?.value == .init(100, per: .seconds(60)))
        #expect(RateArgument(argument: "5/s")?.value == .init(5, per: .seconds(1)))
        for text in ["5", "5/", "/s", "5/s/s", "x/1m"] { #expect(RateArgument(argument: text) == nil, "\(text)") }
        #expect(Moment(argument: "2026-03-01T12:00Z")?.value == Date(timeIntervalSince1970: 1_772_366_400))
        #expect(Moment(argument: "2026-03-01 12:00:00.5+02:00")?.value == Date(timeIntervalSince1970: 1_772_359_200.5))
        for text in ["2026-03-01T12:00", "tomorrow", "2026-13-01T12:00Z"] {
            #expect(Moment(argument: text) == nil, "\(text)")
        }
    }

    @Test func `Ages are told as people tell them`() {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        for (seconds, text) in [
            (0.3, "now"), (4.25, "4.3 s ago"), (45, "45 s ago"), (180, "3 min ago"), (7200, "2 h ago"),
            (3 * 86_400, "3 d ago"), (-300, "in 5 min"), (-5400, "in 90 min"),
        ] {
            #expect(QueueText.age(now.addingTimeInterval(-seconds), now: now) == text)
        }
        #expect(QueueText.age(nil) == "")
        #expect(QueueText.age(.distantFuture) == "never")
    }
}
