import Testing

@testable import JobQueue

struct ProgressThrottleTests {
    private func text(_ items: [(id: String, value: Int)]) -> [String] { items.map { "\($0.id)=\($0.value)" } }

    @Test func `the first report is written at once, then the last of each second`() {
        var throttle = ProgressThrottle<String, Int>()
        #expect(throttle.nextDue == nil)
        throttle.update("a", 1)
        #expect(text(throttle.takeDue(at: .seconds(5))) == ["a=1"])
        for value in 2...9 { throttle.update("a", value) }
        throttle.update("b", 1)
        #expect(text(throttle.takeDue(at: .seconds(5.5))) == ["b=1"])
        #expect(throttle.nextDue == .seconds(6))
        #expect(text(throttle.takeDue(at: .seconds(5.9))) == [])
        #expect(text(throttle.takeDue(at: .seconds(6))) == ["a=9"])
        #expect(throttle.isEmpty)
    }

    @Test func `reports of several jobs go together, in the order they came, the newest of each`() {
        var throttle = ProgressThrottle<String, Int>()
        for id in ["c", "a", "b"] { throttle.update(id, 1) }
        throttle.update("c", 2)
        #expect(text(throttle.takeDue(at: .seconds(1))) == ["c=2", "a=1", "b=1"])
    }

    @Test func `the last report goes out when the job ends`() {
        var throttle = ProgressThrottle<String, Int>()
        throttle.update("a", 1)
        _ = throttle.takeDue(at: .zero)
        #expect(throttle.finish("a") == nil)
        throttle.update("a", 2)
        #expect(throttle.finish("a") == 2)
        #expect(throttle.isEmpty)
    }

    @Test func `what a failed trip carried waits again, unless it is outdated`() {
        var throttle = ProgressThrottle<String, Int>()
        for id in ["old", "kept", "ended"] { throttle.update(id, 1) }
        let taken = throttle.takeDue(at: .zero)
        throttle.update("old", 2)
        _ = throttle.finish("ended")
        throttle.writeFailed(taken)
        #expect(text(throttle.takeDue(at: .seconds(0.5))) == [])
        #expect(Set(text(throttle.takeDue(at: .seconds(1)))) == ["old=2", "kept=1"])
    }
}
