import Foundation
import Locking
import Logging
import Metrics

/// A worker under one id: from its registration until it leaves or loses its lease.
///
/// Thread-safe: what changes is behind one lock, and nothing is called with it held.
final class WorkerSession: Sendable {
    let id: UUID
    let options: WorkerOptions
    let statements: WorkerStatements
    let pool: PostgresPool
    let logger: Logger
    let kinds: [String: RegisteredKind]
    let middlewares: [any JobMiddleware]
    let events: WorkerEvents
    let metrics: WorkerMetrics
    let signal = AsyncSignal()
    let keeper: LeaseKeeper
    private let start = ContinuousClock.now
    let state: Locked<WorkerState>

    init(_ setup: WorkerSetup, pool: PostgresPool) throws {
        id = UUID()
        options = setup.options
        statements = WorkerStatements(worker: id, schema: setup.schema)
        self.pool = pool
        var logger = setup.logger
        logger[metadataKey: "worker"] = "\(id.uuidString.lowercased())"
        self.logger = logger
        kinds = setup.kinds
        middlewares = setup.middlewares
        events = setup.events
        metrics = setup.metrics
        state = Locked(
            WorkerState(
                options: setup.options, queues: setup.queues, limits: setup.limits, pollInterval: setup.pollInterval))
        keeper = try LeaseKeeper(
            settings: pool.settings, statements: statements, lease: setup.options.lease, pollsSignals: setup.polls,
            logger: logger)
    }

    /// Since the session was made.
    var now: Duration { start.duration(to: .now) }
    var beginning: ContinuousClock.Instant { start }

    func make(_ job: ClaimedJob) -> JobContext {
        JobContext(job, session: self, kind: kinds[job.kind] ?? .unknown)
    }

    /// Runs a statement that may run twice, and again while the database is away.
    func query(_ statement: PostgresStatement) async throws -> PostgresRows {
        try await pool.retrying { try await pool.withConnection { try await $0.query(statement) } }
    }

    // MARK: Effects

    func perform(_ effects: WorkerState.Effects) {
        for task in effects.cancel { task.cancel() }
        for (raise, answer) in effects.answer { raise.resume(with: answer) }
        for (context, alone, announce) in effects.start {
            metrics.running.increment()
            let task = Task.detached { [self] in await run(context, alone: alone, announce: announce) }
            let isLate = state.withLock { state -> Bool in
                guard state.runs(context) else { return false }
                state.running[context.id]?.task = task
                return state.running[context.id]?.stoppedAt != nil
            }
            if isLate { task.cancel() }
        }
        for context in effects.abandoned { abandon(context) }
        if effects.wakesDriver { signal.raise() }
        if effects.wakesWatch { keeper.wakeWatch() }
    }

    // MARK: Signs from outside

    /// There may be work.
    func notified() {
        state.withLock { $0.pacing.notified() }
        signal.raise()
    }

    /// A job comes due in so long.
    func due(in time: Duration) {
        state.withLock { $0.pacing.due(at: now + time) }
        signal.raise()
    }

    func cancel(_ job: UUID, reason: String?) {
        perform(state.withLock { $0.cancel(job, reason: reason ?? "cancelled by request", make: make, at: now) })
    }

    func drain(grace: Duration) {
        perform(state.withLock { $0.drain(until: now + grace, make: make, at: now) })
    }

    /// Called on the thread that watches the lease.
    func lose(_ reason: LeaseClock.Reason) {
        let (effects, dropped) = state.withLock { $0.lose(at: now) }
        perform(effects)
        metrics.leasesLost.increment()
        let text =
            switch reason {
            case .expired(let failures): "it could not be renewed in time (\(failures) tries failed)"
            case .refused: "the database has given it up"
            }
        logger.error(
            "the lease was lost: \(text); all handlers were told to stop", metadata: ["dropped": "\(dropped)"])
        events.send(.leaseLost(worker: id, reason: text))
    }

    /// Called on the thread that watches the lease.
    func tick() -> Duration? {
        let (effects, next) = state.withLock { $0.tick(at: now) }
        perform(effects)
        return next
    }

    // MARK: Progress

    func progressed(_ context: JobContext, _ report: JobProgress) {
        let wakes = state.withLock { state -> Bool in
            guard state.runs(context) else { return false }
            let wasEmpty = state.throttle.isEmpty
            state.throttle.update(context.id, (context, report))
            return wasEmpty
        }
        if wakes { keeper.wake() }
        events.send(.progressed(context.job.event, report))
    }

    /// When progress may be written next; nil when none waits.
    var progressDue: Duration? { state.withLock { $0.throttle.nextDue } }

    typealias Report = (id: UUID, value: (context: JobContext, report: JobProgress))

    func takeProgress() -> [Report] { state.withLock { $0.throttle.takeDue(at: now) } }

    func returnProgress(_ reports: [Report]) {
        state.withLock { $0.throttle.writeFailed(reports) }
    }

    // MARK: Weights

    /// What a job takes of the worker.
    func weight(of context: JobContext) -> JobWeight {
        state.withLock { $0.weight(of: context, cores: nil, memory: nil) }
    }

    func raise(_ context: JobContext, cores: Double?, memory: Int64?) async throws {
        let weight = state.withLock { $0.weight(of: context, cores: cores, memory: memory) }
        // First, so that a job that is too big for this worker is not claimed by it again.
        let rows = try await query(statements.weigh(context.job, weight))
        guard let row = rows.first, try row.decode(0, as: Bool.self) else { throw context.fenced }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                perform(state.withLock { $0.raise(context, to: weight, continuation, make: make, at: now) })
                // Cancelled before there was something to withdraw.
                if Task.isCancelled { withdrawRaise(context) }
            }
        } onCancel: {
            withdrawRaise(context)
        }
    }

    private func withdrawRaise(_ context: JobContext) {
        perform(state.withLock { $0.withdrawRaise(context, make: make, at: now) })
    }
}

/// Thrown by `raise` when there is no room: the job goes back to the queue at no cost.
struct JobHandedBack: Error, CustomStringConvertible {
    var description: String { "the worker has no room for what the job asked for; it is handed back" }
}

extension RegisteredKind {
    /// Stands for a kind that nobody registered here.
    static let unknown = RegisteredKind(name: "", options: KindOptions()) { job in
        job.logger.warning("no handler for kind \(job.kindName.debugDescription): the job is put off for 30 s")
        throw JobError.snooze(until: Date(timeIntervalSinceNow: 30))
    }
}
