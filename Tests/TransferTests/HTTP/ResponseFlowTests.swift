import Testing

@testable import Transfer

@Suite struct ResponseFlowTests {
    private static let head = ResponseFlow.Head(status: 200, version: .http1_1, headers: [:])
    private static let lost = TransferError(.connectionLost, "lost")

    private func receive(_ flow: inout ResponseFlow, _ bytes: [UInt8]) -> ResponseFlow.Receipt {
        bytes.withUnsafeBytes { flow.receive($0) }
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

    @Test func `what arrived is read in one piece, then the end`() async throws {
        var flow = ResponseFlow()
        flow.receive(Self.head).perform()
        #expect(receive(&flow, [1, 2]) == .taken)
        #expect(receive(&flow, [3]) == .taken)
        flow.end(.success(())).perform()
        #expect(try await read(&flow).chunk == [1, 2, 3])
        #expect(try await read(&flow).chunk == nil)
        #expect(try await read(&flow).chunk == nil)
    }

    @Test func `what arrived before a failure can still be read`() async throws {
        var flow = ResponseFlow()
        #expect(receive(&flow, [1]) == .taken)
        flow.end(.failure(Self.lost)).perform()
        // The first reason stays.
        flow.end(.success(())).perform()
        #expect(try await read(&flow).chunk == [1])
        await #expect(throws: TransferError.self) { [flow] in
            var flow = flow
            _ = try await read(&flow)
        }
    }

    @Test func `but not if the reader gave up`() async throws {
        var flow = ResponseFlow()
        #expect(receive(&flow, [1]) == .taken)
        flow.end(.failure(Self.lost), discardingPending: true).perform()
        #expect(receive(&flow, [2]) == .unwanted)
        await #expect(throws: TransferError.self) { [flow] in
            var flow = flow
            _ = try await read(&flow)
        }
    }

    @Test func `a full buffer stops the sender until the reader comes`() async throws {
        var flow = ResponseFlow()
        let piece = [UInt8](repeating: 1, count: ResponseFlow.highWater)
        #expect(receive(&flow, piece) == .taken)
        #expect(receive(&flow, [2]) == .full)
        #expect(flow.isPaused)
        let first = try await read(&flow)
        #expect(first.chunk == piece)
        #expect(first.resumesSender)
        #expect(receive(&flow, [2]) == .taken)
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
                #expect(receive(&flow, piece) == .taken)
                #expect(receive(&flow, [2]) == .full)
            }
            let (wakeup, resumesSender) = flow.withLock { $0.flush() }
            #expect(resumesSender)
            wakeup.perform()
        }
        #expect(chunk == piece)
        #expect(flow.withLock { !$0.isPaused && $0.awaitedSince == nil })
    }

    @Test func `one reader at a time`() async throws {
        let flow = Locked(ResponseFlow())
        await #expect(throws: TransferError.self) {
            // The first waits for ever; it is let go by the end.
            let first = Task {
                try await withCheckedThrowingContinuation { waiter in
                    flow.withLock { _ = $0.wait(forChunk: waiter) }
                }
            }
            while flow.withLock({ $0.awaitedSince == nil }) { await Task.yield() }
            defer {
                flow.withLock { $0.end(.success(())) }.perform()
                first.cancel()
            }
            _ = try await withCheckedThrowingContinuation { waiter in
                flow.withLock { $0.wait(forChunk: waiter) }.wakeup.perform()
            }
        }
    }

    @Test func `an end without a head is an error`() async {
        var flow = ResponseFlow()
        flow.end(.success(())).perform()
        let ended = flow
        await #expect(throws: TransferError.self) {
            var flow = ended
            _ = try await withCheckedThrowingContinuation { waiter in flow.wait(forHead: waiter).perform() }
        }
    }
}
