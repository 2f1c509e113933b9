public import Foundation
import Locking
import Synchronization

/// Something that happened in a worker.
public enum WorkerEvent: Sendable {
    /// The worker announced itself to the database, under this id.
    case registered(worker: UUID)
    /// Its handler begins.
    case started(Attempt)
    /// Its handler told how far it is. Not yet in the database.
    case progressed(Attempt, JobProgress)
    /// Its result is in the database.
    case succeeded(Attempt, seconds: Double)
    /// The attempt failed, and the job will run again at that time.
    case failed(Attempt, error: String, retryAt: Date?)
    /// The attempt failed, and there is no other: the job is among the dead letters.
    case dead(Attempt, error: String)
    /// It was cancelled, by request or by its handler.
    case cancelled(Attempt, reason: String)
    /// Its handler put it off until that time.
    case snoozed(Attempt, until: Date)
    /// Handed back at no cost.
    case released(Attempt)
    /// Its handler ignored cancellation, and was left to itself.
    case abandoned(Attempt)
    /// A result came after the job had gone to somebody else, and was refused.
    case refused(Attempt)
    /// Jobs of workers that had died were put back.
    case rescued(count: Int)
    /// The lease ended: all handlers were told to stop.
    case leaseLost(worker: UUID, reason: String)

    /// One run of a job.
    public struct Attempt: Sendable, Hashable {
        /// Its id.
        public var job: UUID
        /// Its kind.
        public var kind: String
        /// Its queue.
        public var queue: String
        /// The first is 1.
        public var attempt: Int
    }
}

/// Hands events to whoever listens; without listeners they are not even made.
final class WorkerEvents: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<WorkerEvent>.Continuation] = [:]
        var count = 0
        var isFinished = false
    }

    private let state = Locked(State())
    /// Written with the lock held, so that it never contradicts the list for long.
    private let isUsed = Atomic<Bool>(false)

    func send(_ event: @autoclosure () -> WorkerEvent) {
        guard isUsed.load(ordering: .relaxed) else { return }
        let event = event()
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield(event) }
    }

    func stream() -> AsyncStream<WorkerEvent> {
        let (stream, continuation) = AsyncStream<WorkerEvent>.makeStream(bufferingPolicy: .bufferingNewest(4096))
        let number = state.withLock { state -> Int? in
            guard !state.isFinished else { return nil }
            state.count += 1
            state.listeners[state.count] = continuation
            isUsed.store(true, ordering: .relaxed)
            return state.count
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            state.withLock { state in
                state.listeners[number] = nil
                isUsed.store(!state.listeners.isEmpty, ordering: .relaxed)
            }
        }
        return stream
    }

    /// Ends all streams, also those that are asked for later.
    func finish() {
        let listeners = state.withLock { state in
            state.isFinished = true
            return Array(state.listeners.values)
        }
        // Outside of the lock, which `onTermination` takes.
        for listener in listeners { listener.finish() }
    }
}
