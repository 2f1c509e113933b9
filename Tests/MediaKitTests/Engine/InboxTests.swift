import Testing
import Synchronization

@testable import MediaKit

@Suite("The queue in front of a stage")
struct InboxTests {
    private func inbox(pads: Int = 1, items: Int = 2, bytes: Int = 100, total: Int = 1000) -> Inbox<Int> {
        Inbox(pads: pads, items: items, bytes: bytes, totalBytes: total)
    }

    private func value(_ event: Inbox<Int>.Event?) -> Int? {
        if case .item(let item) = event { item } else { nil }
    }

    @Test("gives items in the order they came, then says that it is finished")
    func order() {
        let inbox = inbox()
        #expect(inbox.send(1, bytes: 1, pad: 0) && inbox.send(2, bytes: 1, pad: 0))
        inbox.finish(pad: 0)
        #expect(value(inbox.receive(pad: 0)) == 1)
        #expect(value(inbox.receive(pad: 0)) == 2)
        guard case .finished = inbox.receive(pad: 0) else {
            Issue.record("expected the end")
            return
        }
        #expect(!inbox.send(3, bytes: 1, pad: 0), "nothing goes in after the end")
    }

    @Test("keeps its order over many items", arguments: [1, 2, 7])
    func manyItems(capacity: Int) throws {
        let inbox = inbox(items: capacity)
        let sender = try EngineThread(name: "sender") {
            for number in 0..<5000 { _ = inbox.send(number, bytes: 1, pad: 0) }
            inbox.finish(pad: 0)
        }
        var expected = 0
        while let number = value(inbox.receive(pad: 0)) {
            #expect(number == expected)
            expected += 1
        }
        #expect(expected == 5000)
        sender.join()
    }

    @Test("makes a sender wait while a pad is full, by count and by bytes", arguments: [(1, 1), (100, 60)])
    func full(items: Int, bytes: Int) throws {
        let inbox = inbox(items: items, bytes: 100)
        let sent = Sent()
        let sender = try EngineThread(name: "sender") {
            for number in 0..<10 {
                _ = inbox.send(number, bytes: bytes, pad: 0)
                sent.count.wrappingAdd(1, ordering: .releasing)
            }
        }
        for number in 0..<10 {
            // What was sent beyond what was taken can only be what the pad holds.
            #expect(sent.count.load(ordering: .acquiring) <= number + (items == 1 ? 1 : 2))
            #expect(value(inbox.receive(pad: 0)) == number)
        }
        sender.join()
        #expect(sent.count.load(ordering: .acquiring) == 10)
    }

    private final class Sent: Sendable {
        let count = Atomic<Int>(0)
    }

    @Test("takes one item of any size, or nothing large could pass")
    func oversized() {
        let inbox = inbox(bytes: 10, total: 20)
        #expect(inbox.send(1, bytes: 1_000_000, pad: 0))
        #expect(value(inbox.receive(pad: 0)) == 1)
    }

    @Test("lets one pad go beyond its share while another is awaited")
    func starving() throws {
        // The sender fills pad 0 before it ever reaches pad 1, as a badly interleaved file does.
        let inbox = inbox(pads: 2, items: 2)
        let sender = try EngineThread(name: "sender") {
            for number in 0..<50 { _ = inbox.send(number, bytes: 1, pad: 0) }
            _ = inbox.send(1000, bytes: 1, pad: 1)
            inbox.finish(pad: 0)
            inbox.finish(pad: 1)
        }
        #expect(value(inbox.receive(pad: 1)) == 1000)
        for number in 0..<50 { #expect(value(inbox.receive(pad: 0)) == number) }
        sender.join()
    }

    @Test("says that it is pressed when the others hold all that may be held")
    func pressed() throws {
        let inbox = inbox(pads: 2, items: 2, bytes: 100, total: 300)
        let sender = try EngineThread(name: "sender") {
            while inbox.send(1, bytes: 50, pad: 0) {}
        }
        guard case .pressed = inbox.receive(pad: 1) else {
            Issue.record("expected to be told")
            return
        }
        inbox.close()
        sender.join()
    }

    @Test("wakes senders and receivers when it is closed")
    func close() throws {
        let inbox = inbox(items: 1)
        _ = inbox.send(1, bytes: 1, pad: 0)
        let sender = try EngineThread(name: "sender") {
            if inbox.send(2, bytes: 1, pad: 0) { Issue.record("nobody can have taken it") }
        }
        inbox.close()
        sender.join()
        guard case .closed = inbox.receive(pad: 0) else {
            Issue.record("expected closed")
            return
        }
        #expect(!inbox.send(3, bytes: 1, pad: 0))
    }

    @Test("releases what it holds when it is closed")
    func releases() {
        final class Probe: Sendable {}
        let inbox = Inbox<Probe>(pads: 1, items: 2, bytes: 10, totalBytes: 10)
        weak var seen: Probe?
        do {
            let probe = Probe()
            seen = probe
            _ = inbox.send(probe, bytes: 1, pad: 0)
        }
        #expect(seen != nil)
        inbox.close()
        #expect(seen == nil)
    }

    @Test("polls without waiting")
    func poll() {
        let inbox = inbox()
        #expect(inbox.poll(pad: 0) == nil)
        _ = inbox.send(5, bytes: 1, pad: 0)
        #expect(value(inbox.poll(pad: 0)) == 5)
        inbox.finish(pad: 0)
        guard case .finished? = inbox.poll(pad: 0) else {
            Issue.record("expected the end")
            return
        }
    }
}
