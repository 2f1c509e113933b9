import Locking
import Testing

@testable import Transfer

@Suite struct ResponseFlowTests {
    private static let head = ResponseFlow.Head(status: 200, version: .http1_1, headers: [:])
    private static let lost = TransferError(.connectionLost, "lost")

    private func receive(_ flow: inout ResponseFlow, _ bytes: [UInt8], is expected: ResponseFlow.Receipt) {
        let receipt = bytes.withUnsafeBytes { flow.receive($0) }
        #expect(receipt == expected)
    }

    /// What the next reader gets, who comes now.
    private func read(_ flow: inout ResponseFlow) async throws -> (chunk: [UInt8]?, resumesSender: Bool) {
        var copy = flow
        var resumesSender = false
        let chunk = try await withCheckedThrowingContinuation { waiter in
            let (wakeup, resumes) = copy.wait(forChunk: waiter)
            resumesSender = resumes
            wakeup.perform()
        }
        flow = copy
        return (chunk, resumesSender)
    }

    private func read(_ flow: inout ResponseFlow, is expected: [UInt8]?) async throws {
        let chunk = try await read(&flow).chunk
        #expect(chunk == expected)
    }

    @Test func `what arrived is read in one piece, then the end`() async throws {
        var flow = ResponseFlow()
        flow.receive(Self.head).perform()
        receive(&flow, [1, 2], is: .taken)
        receive(&flow, [3], is: .taken)
        flow.end(.success(())).perform()
        try await read(&flow, is: [1, 2, 3])
        try await read(&flow, is: nil)
        try await read(&flow, is: nil)
    }

    @Test func `what arrived before a failure can still be read`() async throws {
        var flow = ResponseFlow()
        receive(&flow, [1], is: .taken)
        flow.end(.failure(Self.lost)).perform()
        // The first reason stays.
        flow.end(.success(())).perform()
        try await read(&flow, is: [1])
        let error = await transferError { [flow] in
            var flow = flow
            _ = try await read(&flow)
        }
        #expect(error?.code == .connectionLost)
    }

    @Test func `but not if the reader gave up`() async throws {
        var flow = ResponseFlow()
        receive(&flow, [1], is: .taken)
        flow.end(.failure(Self.lost), discardingPending: true).perform()
        receive(&flow, [2], is: .unwanted)
        let error = await transferError { [flow] in
            var flow = flow
            _ = try await read(&flow)
        }
        #expect(error?.code == .connectionLost)
    }

    @Test func `a full buffer stops the sender until the reader comes`() async throws {
        var flow = ResponseFlow()
        let piece = [UInt8](repeating: 1, count: ResponseFlow.highWater)
        receive(&flow, piece, is: .taken)
        receive(&flow, [2], is: .full)
        #expect(flow.isPaused)
        let first = try await read(&flow)
        #expect(first.chunk == piece)
        #expect(first.resumesSender)
        receive(&flow, [2], is: .taken)
        let second = try await read(&flow)
        #expect(second.chunk == [2])
        #expect(!second.resumesSender)
    }

    @Test func `a reader who waits already lets the sender go on, too`() async throws {
        let flow = Locked(ResponseFlow())
        let piece = [UInt8](repeating: 1, count: ResponseFlow.highWater)
        let chunk = try await withCheckedThrowingContinuation { waiter in
            flow.withLock { flow in
                _ = flow.wait(forChunk: waiter)
                #expect(flow.awaitedSince != nil)
                receive(&flow, piece, is: .taken)
                receive(&flow, [2], is: .full)
            }
            let (wakeup, resumesSender) = flow.withLock { $0.flush() }
            #expect(resumesSender)
            wakeup.perform()
        }
        #expect(chunk == piece)
        let (isPaused, awaitedSince) = flow.withLock { ($0.isPaused, $0.awaitedSince) }
        #expect(!isPaused && awaitedSince == nil)
    }

    @Test func `one reader at a time`() async throws {
        let flow = Locked(ResponseFlow())
        // The first waits; it is let go by the end.
        let first = Task {
            try await withCheckedThrowingContinuation { waiter in
                flow.withLock { _ = $0.wait(forChunk: waiter) }
            }
        }
        while flow.withLock({ $0.awaitedSince == nil }) { await Task.yield() }
        let error = await transferError {
            _ = try await withCheckedThrowingContinuation { waiter in
                flow.withLock { $0.wait(forChunk: waiter) }.wakeup.perform()
            }
        }
        #expect(error?.code == .internal)
        flow.withLock { $0.end(.success(())) }.perform()
        #expect(try await first.value == nil)
    }

    @Test func `an end without a head is an error`() async {
        var flow = ResponseFlow()
        flow.end(.success(())).perform()
        let ended = flow
        let error = await transferError {
            var flow = ended
            _ = try await withCheckedThrowingContinuation { waiter in flow.wait(forHead: waiter).perform() }
        }
        #expect(error?.code == .badResponse)
    }
}
