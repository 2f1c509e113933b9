import Testing

@testable import JobQueue

struct QueueRoomTests {
    @Test func `a queue with a limit here is claimed from up to it`() {
        var room = QueueRoom(limits: ["mail": 2])
        #expect(room.allowance("mail", most: 10) == 2)
        #expect(room.allowance("other", most: 10) == 10)
        for queue in ["mail", "mail", "mail", "other"] { room.take(queue) }
        #expect(room.allowance("mail", most: 10) == 0)
        room.give("mail")
        room.give("mail")
        #expect(room.allowance("mail", most: 10) == 1)
        for _ in 0..<5 { room.give("mail") }
        #expect(room.allowance("mail", most: 10) == 2)
    }
}
