import Testing

@testable import Transfer

@Suite struct PartQueueTests {
    private func part(_ number: Int) -> PartQueue.Part { PartQueue.Part(number: number, bytes: [UInt8(number)]) }
    private func sent(_ number: Int) -> UploadedPart {
        UploadedPart(number: number, etag: ETag(rawValue: "\"\(number)\""), size: 1)
    }

    @Test func `a writer waits once so many parts are on their way`() throws {
        var queue = PartQueue(limit: 2)
        #expect(try queue.offer(part(2)) == .taken)
        #expect(try queue.next() == .part(part(2)))
        #expect(try queue.offer(part(3)) == .taken)
        #expect(try queue.offer(part(4)) == .full)
        #expect(try queue.next() == .part(part(3)))
        // They count until the store has them.
        #expect(try queue.offer(part(4)) == .full)
        queue.finished(sent(3))
        #expect(try queue.offer(part(4)) == .taken)
        #expect(queue.onTheirWay == 2)
    }

    @Test func `the end comes after the last`() throws {
        var queue = PartQueue(limit: 4)
        #expect(try queue.next() == .none)
        #expect(queue.isIdle)
        _ = try queue.offer(part(2))
        queue.close()
        #expect(try queue.next() == .part(part(2)))
        #expect(try queue.next() == .end)
    }

    @Test func `parts are listed in order, whenever they arrived`() {
        var queue = PartQueue(limit: 4)
        for number in [3, 2, 4, 1] { queue.finished(sent(number)) }
        #expect(queue.inOrder.map(\.number) == [1, 2, 3, 4])
    }

    @Test func `the first failure is everybody's`() throws {
        var queue = PartQueue(limit: 4)
        _ = try queue.offer(part(2))
        queue.fail(TransferError(.accessDenied, "first"))
        queue.fail(TransferError(.cancelled, "second"))
        for attempt in 0..<2 {
            let error = #expect(throws: TransferError.self) {
                if attempt == 0 { _ = try queue.offer(part(3)) } else { _ = try queue.next() }
            }
            #expect(error?.code == .accessDenied)
        }
        #expect(!queue.isIdle)
    }
}
