import Locking
import Synchronization

/// What may end an operation from outside while it runs: its deadline, and its task being cancelled.
final class OperationControl: Sendable {
    let deadline: ContinuousClock.Instant?
    /// The time limit behind the deadline, for messages.
    let timeout: Duration?
    private let cancelled = Atomic<Bool>(false)

    init(timeout: Duration?) {
        self.timeout = timeout
        deadline = timeout.map { ContinuousClock.now + $0 }
    }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    func cancel() { cancelled.store(true, ordering: .releasing) }

    /// Why the operation must stop now, if it must.
    var interruption: Interruption? {
        if isCancelled { return .cancelled }
        if let deadline, ContinuousClock.now >= deadline { return .deadline(timeout ?? .zero) }
        return nil
    }
}

enum Interruption: Error {
    case cancelled
    case deadline(Duration)

    func error(statement: String?) -> QueueError {
        switch self {
        case .cancelled:
            QueueError(.cancelled, "the task that waited for the database was cancelled", statement: statement)
        case .deadline(let timeout):
            QueueError(
                .deadline, "the database did not answer within \(timeout)",
                hint: "see whether it is reachable and what the statement waits for (pg_stat_activity, pg_locks)",
                statement: statement)
        }
    }
}

/// One piece of work for a connection's thread. Exactly one of the closures is called, once.
struct PostgresOperation: Sendable {
    let control: OperationControl
    let run: @Sendable (PostgresSession) -> Void
    let refuse: @Sendable (QueueError) -> Void
}

/// The work that waits for a connection's thread, and its state as others may see it.
final class PostgresInbox: Sendable {
    enum Next {
        case operation(PostgresOperation)
        case idle
        case stop
    }

    private struct State {
        var operations: [PostgresOperation] = []
        var isStopping = false
        var whenStopped: [CheckedContinuation<Void, Never>] = []
        var hasStopped = false
        var failure: QueueError?
        var isIdleInSession = true
        var isPoolerSuspected = false
    }

    let wake: WakeSignal
    private let state = Locked(State())

    init(wake: WakeSignal) { self.wake = wake }

    func submit(_ operation: PostgresOperation) {
        let refused = state.withLock { state -> QueueError? in
            if state.isStopping {
                return state.failure ?? QueueError(.closed, "the connection to the database was closed")
            }
            state.operations.append(operation)
            return nil
        }
        if let refused { operation.refuse(refused) } else { wake.raise() }
    }

    func next() -> Next {
        state.withLock { state in
            if !state.operations.isEmpty { return .operation(state.operations.removeFirst()) }
            return state.isStopping ? .stop : .idle
        }
    }

    /// Takes no more work; what was submitted before still runs.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake.raise()
    }

    func waitUntilStopped() async {
        await withCheckedContinuation { continuation in
            let done = state.withLock { state in
                if !state.hasStopped { state.whenStopped.append(continuation) }
                return state.hasStopped
            }
            if done { continuation.resume() }
        }
    }

    func stopped() {
        let waiting = state.withLock { state in
            state.hasStopped = true
            defer { state.whenStopped = [] }
            return state.whenStopped
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Why the connection can no longer be used, if it can't.
    var failure: QueueError? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = $0.failure ?? newValue } }
    }

    /// Whether no transaction is open in it.
    var isIdleInSession: Bool {
        get { state.withLock { $0.isIdleInSession } }
        set { state.withLock { $0.isIdleInSession = newValue } }
    }

    var isPoolerSuspected: Bool {
        get { state.withLock { $0.isPoolerSuspected } }
        set { state.withLock { $0.isPoolerSuspected = newValue } }
    }
}
