import Locking

/// The body of a request between the task that writes it and the thread that sends it. Holds one piece.
final class UploadFlow: Sendable {
    /// What the sender gets.
    enum Supply {
        case bytes(Int)
        /// Nothing now: hold on until more is written.
        case starved
        case end
        case failed
    }

    private struct State {
        var piece: [UInt8] = []
        var offset = 0
        var written: Int64 = 0
        var isFinished = false
        var isStarved = false
        var failure: (any Error)?
        var waiters: [CheckedContinuation<Void, Never>] = []

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { waiters = [] }
            return waiters
        }
    }

    /// In bytes; `nil` if it is not known before the end.
    let length: Int64?
    private let state = Locked(State())
    /// Tells the sender, who was told to hold on, to go on.
    private let resumeSender: @Sendable () -> Void

    init(length: Int64?, resumeSender: @escaping @Sendable () -> Void) {
        self.length = length
        self.resumeSender = resumeSender
    }

    // MARK: From the task

    /// Waits until there is room, and hands `bytes` over.
    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        while true {
            enum Step { case done, wait, resume }
            let step = try state.withLock { state throws -> Step in
                if let failure = state.failure { throw failure }
                guard state.piece.isEmpty else { return .wait }
                let total = state.written + Int64(bytes.count)
                if let length, total > length {
                    let error = Self.wrongLength("longer than the \(length) bytes that were announced")
                    state.failure = error
                    throw error
                }
                state.written = total
                state.piece = bytes
                state.offset = 0
                defer { state.isStarved = false }
                return state.isStarved ? .resume : .done
            }
            switch step {
            case .done: return
            case .resume: return resumeSender()
            case .wait: await waitForRoom()
            }
        }
    }

    private func waitForRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    let isReady = state.piece.isEmpty || state.failure != nil
                    if !isReady { state.waiters.append(continuation) }
                    return isReady
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            fail(CancellationError())
        }
    }

    /// The body is complete.
    func finish() {
        let resumes = state.withLock { state in
            if state.failure == nil, let length, state.written < length {
                state.failure = Self.wrongLength("\(state.written) bytes, but \(length) were announced")
            }
            state.isFinished = true
            defer { state.isStarved = false }
            return state.isStarved
        }
        if resumes { resumeSender() }
    }

    // MARK: From both

    /// Ends it early: the request with the body, or the body with the request. The first reason stays.
    func fail(_ error: any Error) {
        let (waiters, resumes) = state.withLock { state in
            state.failure = state.failure ?? error
            defer { state.isStarved = false }
            return (state.takeWaiters(), state.isStarved)
        }
        for waiter in waiters { waiter.resume() }
        if resumes { resumeSender() }
    }

    /// Why it ended early, if it did.
    var failure: (any Error)? { state.withLock { $0.failure } }

    // MARK: From the thread

    /// Copies what there is into `buffer`.
    func supply(_ buffer: UnsafeMutableRawBufferPointer) -> Supply {
        let (supply, waiters) = state.withLock { state -> (Supply, [CheckedContinuation<Void, Never>]) in
            if state.failure != nil { return (.failed, []) }
            guard !state.piece.isEmpty else {
                if state.isFinished { return (.end, []) }
                state.isStarved = true
                return (.starved, [])
            }
            let count = min(buffer.count, state.piece.count - state.offset)
            state.piece.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[state.offset..<state.offset + count]))
            }
            state.offset += count
            guard state.offset == state.piece.count else { return (.bytes(count), []) }
            state.piece = []
            return (.bytes(count), state.takeWaiters())
        }
        for waiter in waiters { waiter.resume() }
        return supply
    }

    private static func wrongLength(_ what: String) -> TransferError {
        TransferError(.badRequest, "the request's body is \(what)", isRetryable: false)
    }
}
