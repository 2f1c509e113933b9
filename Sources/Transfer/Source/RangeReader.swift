import Locking

/// The part of ``RangeSource`` that reads by ranges: what ``ReadAhead`` and ``BlockCache`` decide, it does.
///
/// A block is fetched by a task of its own, as each must be cancelled by itself; a task that nobody wants any more ends
/// soon, and none holds on to the source. Thread-safe.
final class RangeReader: Sendable {
    private struct Waiter {
        var offset: Int64
        var wait: ThreadWait<Void>
    }

    private struct State {
        var cache: BlockCache
        var ahead: ReadAhead
        var tasks: [Int: Task<Void, Never>] = [:]
        var waiters: [Waiter] = []
        /// Whether nothing is fetched ahead, as the last request failed: a server in trouble gets only those requests
        /// that somebody waits for.
        var isHesitant = false
        var bytesFetched: Int64 = 0
        var requests = 0
        /// Why it is over.
        var end: TransferError?

        mutating func takeWaiters(at range: Range<Int64>) -> [ThreadWait<Void>] {
            let taken = waiters.filter { range.contains($0.offset) }.map(\.wait)
            if !taken.isEmpty { waiters.removeAll { range.contains($0.offset) } }
            return taken
        }
    }

    private let object: any RangedObject
    private let etag: ETag?
    let length: Int64
    private let state: Locked<State>

    init(_ object: any RangedObject, _ info: RangedObjectInfo, length: Int64, options: RangeSourceOptions) {
        self.object = object
        self.length = length
        etag = info.etag
        var cache = BlockCache(length: length, options: options)
        cache.insert(info.head, at: 0)
        var initial = State(cache: cache, ahead: ReadAhead(length: length, options: options))
        initial.bytesFetched = Int64(info.head.count)
        initial.requests = info.head.isEmpty ? 0 : 1
        state = Locked(initial)
    }

    var bytesFetched: Int64 { state.withLock { $0.bytesFetched } }
    var requests: Int { state.withLock { $0.requests } }
    /// Bytes that blocks take or will take, and how many are on their way.
    var held: (bytes: Int64, loading: Int) { state.withLock { ($0.cache.reserved, $0.cache.loading) } }

    func follow(_ plan: RangePlan?, isScattered: Bool = false) {
        state.withLock { state in
            state.ahead.plan = plan
            state.ahead.isScattered = isScattered
        }
    }

    // MARK: From the reader's thread

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard offset >= 0, offset < length, !buffer.isEmpty else { return 0 }
        var isFirst = true
        while true {
            enum Step { case copied(Int), wait(ThreadWait<Void>) }
            let (step, cancelled) = try state.withLock { state throws(TransferError) -> (Step, [Task<Void, Never>]) in
                if let end = state.end { throw end }
                if isFirst { state.ahead.move(to: offset) }
                let count = state.cache.copy(at: offset, into: buffer)
                state.ahead.advance(by: count)
                let cancelled = look(&state, waitingAt: count > 0 ? nil : offset, reading: buffer.count)
                if count > 0 { return (.copied(count), cancelled) }
                let wait = ThreadWait<Void>()
                state.waiters.append(Waiter(offset: offset, wait: wait))
                return (.wait(wait), cancelled)
            }
            for task in cancelled { task.cancel() }
            switch step {
            case .copied(let count): return count
            case .wait(let wait): try wait.wait()
            }
            isFirst = false
        }
    }

    /// Starts what is to be fetched now.
    ///
    /// - Parameter offset: where a reader waits for `count` bytes, if one does.
    /// - Returns: tasks to cancel, with the lock released.
    private func look(_ state: inout State, waitingAt offset: Int64?, reading count: Int) -> [Task<Void, Never>] {
        var wishes = state.ahead.wishes(waitingFor: offset == nil ? 0 : count, in: state.cache)
        if state.isHesitant { wishes.fetch.removeAll { range in !(offset.map(range.contains) ?? false) } }
        let changes = state.cache.apply(wishes, waitingAt: offset)
        for (id, range) in changes.fetch {
            state.requests += 1
            state.tasks[id] = Task { [self] in await fetch(id, range) }
        }
        if !changes.cancel.isEmpty {
            // Whoever waits for what was just cancelled, looks again.
            for waiter in state.waiters { waiter.wait.resolve(.success(())) }
            state.waiters = []
        }
        return changes.cancel.compactMap { state.tasks.removeValue(forKey: $0) }
    }

    /// From any thread.
    func stop(_ error: TransferError) {
        let (tasks, waits) = state.withLock { state in
            state.end = state.end ?? error
            defer {
                state.tasks = [:]
                state.waiters = []
            }
            return (Array(state.tasks.values), state.waiters.map(\.wait))
        }
        for wait in waits { wait.resolve(.failure(error)) }
        for task in tasks { task.cancel() }
    }

    // MARK: From the tasks

    private func fetch(_ id: Int, _ range: Range<Int64>) async {
        var resumption = Resumption()
        var generator = SystemRandomNumberGenerator()
        var position = range.lowerBound
        while true {
            let before = position
            do {
                try await object.read(range: position..<range.upperBound, ifMatch: etag) { chunk in
                    try self.receive(chunk, for: id)
                }
                guard let filled = filled(id) else { return }
                position = filled
                guard position == range.upperBound else {
                    throw TransferError(.connectionLost, "the answer for \(object.name) ended early")
                }
                return stopped(id, nil)
            } catch {
                // Nobody wants it any more.
                guard let filled = filled(id) else { return }
                position = filled
                if position == range.upperBound { return stopped(id, nil) }
                guard
                    let delay = resumption.delay(after: error, received: position - before, using: &generator)
                else { return stopped(id, error) }
                // A cancelled task finds out right after.
                try? await Task.sleep(for: delay)
            }
        }
    }

    private func filled(_ id: Int) -> Int64? { state.withLock { $0.end == nil ? $0.cache.filled(id) : nil } }

    private func receive(_ chunk: [UInt8], for id: Int) throws {
        let waits = try state.withLock { state throws -> [ThreadWait<Void>] in
            guard state.end == nil, let range = try state.cache.receive(chunk, for: id) else {
                throw CancellationError()
            }
            state.bytesFetched += Int64(chunk.count)
            return state.takeWaiters(at: range)
        }
        for wait in waits { wait.resolve(.success(())) }
    }

    private func stopped(_ id: Int, _ error: (any Error)?) {
        let waits = state.withLock { state in
            state.isHesitant = error != nil
            state.tasks[id] = nil
            return state.cache.stop(id).map { state.takeWaiters(at: $0) } ?? []
        }
        for wait in waits { wait.resolve(.failure(error ?? CancellationError())) }
    }
}
