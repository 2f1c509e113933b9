import Foundation
import Testing

@testable import JobQueue

struct WaitScheduleTests {
    private func ms(_ value: Int) -> Duration { .milliseconds(value) }

    @Test func `of what is new it asks at once and twice more, then once a second, for all together`() {
        var schedule = WaitSchedule()
        schedule.listening(true, at: .zero)
        let (a, b) = (UUID(), UUID())
        _ = schedule.enter(a, at: ms(100))
        #expect(schedule.next == ms(100))
        #expect(schedule.due(at: ms(100)).look == [a])
        #expect(schedule.next == ms(110))
        #expect(schedule.due(at: ms(105)).look == [])
        #expect(schedule.due(at: ms(110)).look == [a])
        #expect(schedule.next == ms(210))
        _ = schedule.enter(b, at: ms(150))
        #expect(schedule.due(at: ms(150)).look == [b])
        #expect(schedule.due(at: ms(210)).look.count == 2)
        #expect(schedule.due(at: ms(310)).look == [b])
        #expect(schedule.next == ms(1000))
        #expect(Set(schedule.due(at: ms(1000)).look) == [a, b])
        #expect(schedule.next == ms(2000))
    }

    @Test func `while nobody listens it asks more often, and all anew when somebody does`() {
        var schedule = WaitSchedule()
        let id = UUID()
        _ = schedule.enter(id, at: .zero)
        var looks = 0
        var now = Duration.zero
        while now < .seconds(1) {
            looks += schedule.due(at: now).look.count
            now = schedule.next ?? .seconds(1)
        }
        #expect((8...12).contains(looks))
        #expect(schedule.due(at: .seconds(10)).look == [id])
        schedule.listening(true, at: .seconds(10) + ms(1))
        #expect(schedule.next == .seconds(10) + ms(1), "what ended before told nobody")
    }

    @Test func `what the last has left is taken back, once`() {
        var schedule = WaitSchedule()
        let id = UUID()
        let (first, second) = (schedule.enter(id, at: .zero), schedule.enter(id, at: .zero))
        _ = schedule.due(at: .zero)
        schedule.leave(id, first)
        #expect(schedule.due(at: ms(50)).left == [])
        schedule.leave(id, second)
        #expect(schedule.isEmpty)
        let due = schedule.due(at: ms(60))
        #expect(due.look == [] && due.left == [id])
        #expect(schedule.due(at: ms(70)).left == [])
        let third = schedule.enter(id, at: ms(80))
        schedule.leave(id, third)
        _ = schedule.enter(id, at: ms(80))
        let back = schedule.due(at: ms(80))
        #expect(back.look == [id] && back.left == [])
    }
}
