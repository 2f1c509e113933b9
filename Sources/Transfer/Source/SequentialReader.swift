import Locking

/// The part of ``RangeSource`` that reads a server without ranges: one stream from the start, of which a bounded piece
/// is kept. One that breaks is begun again and read up to where it broke, if it is sure to be the same.
///
/// Thread-safe.
final class SequentialReader: Sendable {
    private struct State {
        var replay: SequentialReplay
        var task: Task<Void, Never>?
        var waiters: [ThreadWait<Void>] = []
        var room: CheckedContinuation<Void, Never>?
        /// Whether the stream was read to its end.
        var isComplete = false
        /// Why nothing more comes.
        var failure: (any Error)?
        /// Why nobody may read any more.
        var end: TransferError?

        mutating func takeWaiters() -> [ThreadWait<Void>] {
            defer { waiters = [] }
            return waiters
        }

        mutating func takeRoom() -> CheckedContinuation<Void, Never>? {
            defer { room = nil }
            return room
        }
    }

    private let object: any RangedObject
    private let info: RangedObjectInfo
    private let state: Locked<State>

    init(_ object: any RangedObject, _ info: RangedObjectInfo, options: RangeSourceOptions) {
        self.object = object
        self.info = info
        let replay = SequentialReplay(
            replayBytes: Int64(options.replayBytes), aheadBytes: Int64(options.blockSize))
        state = Locked(State(replay: replay))
    }

    var held: Int64 { state.withLock { $0.replay.held } }
    /// Bytes of the object that arrived, those that were skipped not counted.
    var bytesFetched: Int64 { state.withLock { $0.replay.end } }

    // MARK: From the reader's thread

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard offset >= 0, !buffer.isEmpty, offset < info.size ?? .max else { return 0 }
        while true {
            enum Step { case copied(Int), wait(ThreadWait<Void>) }
            let (step, room) = try state.withLock { state throws -> (Step, CheckedContinuation<Void, Never>?) in
                if let end = state.end { throw end }
                if state.task == nil { state.task = Task { [self] in await stream() } }
                let result: Step
                switch state.replay.read(at: offset, into: buffer) {
                case .copied(let count): result = .copied(count)
                case .gone:
                    throw TransferError(
                        .notSeekable,
                        "cannot go back to byte \(offset) of \(object.name): its server has no ranges, "
                            + "and only the last \(state.replay.replayBytes) bytes are kept",
                        hint: "copy it to a store that has ranges")
                case .wait:
                    if let failure = state.failure { throw failure }
                    if state.isComplete { return (.copied(0), nil) }
                    let wait = ThreadWait<Void>()
                    state.waiters.append(wait)
                    result = .wait(wait)
                }
                return (result, state.replay.hasRoom ? state.takeRoom() : nil)
            }
            room?.resume()
            switch step {
            case .copied(let count): return count
            case .wait(let wait): try wait.wait()
            }
        }
    }

    /// From any thread.
    func stop(_ error: TransferError) {
        state.withLock { $0.end = $0.end ?? error }
        end(with: error)?.cancel()
    }

    /// - Returns: the task that streams.
    @discardableResult
    private func end(with error: any Error) -> Task<Void, Never>? {
        let (task, waits, room) = state.withLock { state in
            state.failure = state.failure ?? error
            return (state.task, state.takeWaiters(), state.takeRoom())
        }
        for wait in waits { wait.resolve(.failure(error)) }
        room?.resume()
        return task
    }

    // MARK: From the task

    private func stream() async {
        var resumption = Resumption()
        var generator = SystemRandomNumberGenerator()
        while true {
            let before = state.withLock { $0.replay.end }
            do {
                let position = Locked<Int64>(0)
                try await object.read(range: nil, ifMatch: info.etag) { chunk in
                    let start = position.withLock { position in
                        defer { position += Int64(chunk.count) }
                        return position
                    }
                    let skipped = min(Int64(chunk.count), max(0, before - start))
                    if skipped < Int64(chunk.count) {
                        try await self.append(skipped == 0 ? chunk : Array(chunk[Int(skipped)...]))
                    }
                }
                let end = state.withLock { $0.replay.end }
                guard end == info.size ?? end, position.withLock({ $0 }) == end else {
                    throw TransferError(.connectionLost, "the answer for \(object.name) ended early")
                }
                return complete()
            } catch {
                let received = state.withLock { $0.replay.end } - before
                guard !Task.isCancelled, info.isPinned || before + received == 0,
                    let delay = resumption.delay(after: error, received: received, using: &generator)
                else {
                    end(with: error)
                    return
                }
                try? await Task.sleep(for: delay)
            }
        }
    }

    private func complete() {
        let waits = state.withLock { state in
            state.isComplete = true
            return state.takeWaiters()
        }
        for wait in waits { wait.resolve(.success(())) }
    }

    /// Waits until there is room.
    private func append(_ chunk: [UInt8]) async throws {
        let waits = try state.withLock { state throws -> [ThreadWait<Void>] in
            if let failure = state.failure { throw failure }
            state.replay.append(chunk)
            return state.takeWaiters()
        }
        for wait in waits { wait.resolve(.success(())) }
        // Whoever cancels the task, sets the failure and resumes this, too.
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.replay.hasRoom || state.failure != nil { return true }
                state.room = continuation
                return false
            }
            if isFree { continuation.resume() }
        }
    }
}
