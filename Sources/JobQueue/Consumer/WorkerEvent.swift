public import Foundation
import Synchronization

/// Something that happened in a worker.
public enum WorkerEvent: Sendable {
    /// The worker announced itself to the database, under this id.
    case registered(worker: UUID)
    case started(Attempt)
    case progressed(Attempt, JobProgress)
    /// Its result is in the database.
    case succeeded(Attempt, seconds: Double)
    /// The attempt failed, and the job will run again at that time.
    case failed(Attempt, error: String, retryAt: Date?)
    case dead(Attempt, error: String)
    case cancelled(Attempt, reason: String)
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
        public var job: UUID
        public var kind: String
        public var queue: String
        /// The first is 1.
        public var attempt: Int
    }
}

/// Hands events to whoever listens; without listeners they are not even made.
final class WorkerEvents: Sendable {
    private let isUsed = Atomic<Bool>(false)
    private let listeners = Mutex<[Int: AsyncStream<WorkerEvent>.Continuation]>([:])
    private let count = Atomic<Int>(0)

    func send(_ event: @autoclosure () -> WorkerEvent) {
        guard isUsed.load(ordering: .relaxed) else { return }
        let event = event()
        for listener in listeners.withLock({ Array($0.values) }) { listener.yield(event) }
    }

    func stream() -> AsyncStream<WorkerEvent> {
        let (stream, continuation) = AsyncStream<WorkerEvent>.makeStream(bufferingPolicy: .bufferingNewest(4096))
        let number = count.add(1, ordering: .relaxed).newValue
        listeners.withLock { $0[number] = continuation }
        isUsed.store(true, ordering: .relaxed)
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            let isEmpty = listeners.withLock { listeners in
                listeners[number] = nil
                return listeners.isEmpty
            }
            if isEmpty { isUsed.store(false, ordering: .relaxed) }
        }
        return stream
    }
}
