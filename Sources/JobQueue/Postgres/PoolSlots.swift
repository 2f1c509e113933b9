import Locking

/// A counting semaphore that serves in order, whose waits end at a deadline or when their task is cancelled.
final class PoolSlots: Sendable {
    private enum Outcome: Error {
        case deadline
        case cancelled
        case closed
    }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
        /// What befell those who take part but do not wait yet.
        var early: [UInt64: Outcome] = [:]
        var arriving: Set<UInt64> = []
        var isClosed = false
        var whenDrained: [CheckedContinuation<Void, Never>] = []
    }

    let size: Int
    private let state: Locked<State>

    init(size: Int) {
        self.size = size
        state = Locked(State(free: size))
    }

    /// Takes a slot, waiting for one if need be.
    ///
    /// - Throws: `poolExhausted`, `cancelled`, `closed`.
    func take(within timeout: Duration) async throws {
        let (id, isTaken) = try state.withLock { state -> (UInt64, Bool) in
            if state.isClosed { throw Self.closed }
            state.nextID += 1
            guard state.free > 0 else {
                state.arriving.insert(state.nextID)
                return (state.nextID, false)
            }
            state.free -= 1
            return (state.nextID, true)
        }
        if isTaken { return }
        let alarm = Task {
            try await Task.sleep(for: timeout)
            dismiss(id, .deadline)
        }
        defer { alarm.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in wait(id, continuation) }
            } onCancel: {
                dismiss(id, .cancelled)
            }
        } catch Outcome.deadline {
            throw QueueError(
                .poolExhausted,
                "all \(size) connections of the pool stayed busy for \(timeout)",
                hint: "make the pool larger, or hold connections for a shorter time")
        } catch Outcome.cancelled {
            throw QueueError(.cancelled, "the task that waited for a connection was cancelled")
        } catch Outcome.closed {
            throw Self.closed
        }
    }

    /// Gives a slot back, to the one who has waited longest.
    func give() {
        let (next, drained) = state.withLock { state -> (Waiter?, [CheckedContinuation<Void, Never>]) in
            if !state.waiters.isEmpty { return (state.waiters.removeFirst(), []) }
            state.free += 1
            guard state.isClosed, state.free == size else { return (nil, []) }
            defer { state.whenDrained = [] }
            return (nil, state.whenDrained)
        }
        next?.continuation.resume()
        for continuation in drained { continuation.resume() }
    }

    /// Refuses all who wait and come, and returns when every slot has been given back.
    func close() async {
        let refused = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in refused { waiter.continuation.resume(throwing: Outcome.closed) }
        await withCheckedContinuation { continuation in
            let isDrained = state.withLock { state in
                if state.free < size { state.whenDrained.append(continuation) }
                return state.free == size
            }
            if isDrained { continuation.resume() }
        }
    }

    private static let closed = QueueError(.closed, "the pool of connections was closed")

    private func wait(_ id: UInt64, _ continuation: CheckedContinuation<Void, any Error>) {
        let outcome = state.withLock { state -> Result<Void, any Error>? in
            state.arriving.remove(id)
            if let outcome = state.early.removeValue(forKey: id) { return .failure(outcome) }
            if state.isClosed { return .failure(Outcome.closed) }
            // A slot may have come free since.
            if state.free > 0, state.waiters.isEmpty {
                state.free -= 1
                return .success(())
            }
            state.waiters.append(Waiter(id: id, continuation: continuation))
            return nil
        }
        if let outcome { continuation.resume(with: outcome) }
    }

    private func dismiss(_ id: UInt64, _ outcome: Outcome) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                if state.arriving.contains(id) { state.early[id] = outcome }
                return nil
            }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: outcome)
    }
}
