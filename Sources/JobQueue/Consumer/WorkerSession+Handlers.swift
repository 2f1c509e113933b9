import Foundation
import Locking
import Logging
import Metrics

/// Running handlers, and what becomes of their jobs.
extension WorkerSession {
    func run(_ context: JobContext, alone: Bool, announce: Bool) async {
        if announce {
            do {
                // Says that a job that was held begins now; no row if it is no longer this worker's.
                guard try await !query(statements.start(context.job, alone: alone)).isEmpty else {
                    conclude(context) { _, _ in nil }
                    return
                }
            } catch {
                logger.warning("a job's start could not be written, it is handed back: \(error)", of: context.job)
                conclude(context) { entry, _ in
                    entry.cancelReason.map { .cancelled(reason: $0, log: []) }
                        ?? .release(reason: "its start could not be written")
                }
                return
            }
        }
        events.send(.started(context.job.event))
        do {
            let result = try await invoke(context)
            finish(context, .returned, result)
        } catch {
            finish(context, .threw(error), nil)
        }
    }

    private func invoke(_ context: JobContext) async throws -> Data? {
        var next: @Sendable () async throws -> Data? = { try await context.kind.handler(context) }
        for middleware in middlewares.reversed() {
            let inner = next
            next = { try await middleware.handle(context, next: inner) }
        }
        return try await next()
    }

    /// A handler that was told to stop did not: its job goes on without it.
    func abandon(_ context: JobContext) {
        logger.error(
            "a handler ignored its cancellation for \(options.cancellationGrace) and is left to itself",
            of: context.job)
        context.kind.metrics.abandoned.increment()
        events.send(.abandoned(context.job.event))
        finish(context, .ignoredCancellation, nil)
    }

    private func finish(_ context: JobContext, _ end: AttemptEnd, _ result: Data?) {
        conclude(context) { entry, phase in write(context, entry, end, result, phase) }
    }

    /// - Parameter outcome: what to write about the job; nil for nothing, as it is somebody else's by now.
    private func conclude(
        _ context: JobContext, _ outcome: (WorkerState.Running, WorkerState.Phase) -> FinishedAttempt.Write?
    ) {
        let job = context.job
        let (ended, phase) = state.withLock { ($0.ended(context, at: now), $0.phase) }
        guard let entry = ended else {
            logger.warning("a handler that had been left to itself has ended; its result is dropped", of: job)
            return
        }
        let seconds = (now - entry.startedAt) / .seconds(1)
        context.kind.metrics.seconds.recordSeconds(seconds)
        let write = outcome(entry, phase).map { FinishedAttempt(job: job, write: $0, seconds: seconds) }
        perform(state.withLock { $0.settle(job.id, write, make: make, at: now) })
        metrics.running.decrement()
    }

    private func write(
        _ context: JobContext, _ entry: WorkerState.Running, _ end: AttemptEnd, _ result: Data?,
        _ phase: WorkerState.Phase
    ) -> FinishedAttempt.Write? {
        let job = context.job
        if case .threw = end, entry.isReleased, phase != .lost, entry.cancelReason == nil {
            return .release(reason: "its worker has no room for what it asked for")
        }
        let attempt = AttemptContext(
            attempt: job.attempt, maxAttempts: job.maxAttempts, policy: context.kind.options.retry,
            cancelReason: entry.cancelReason, timedOutAfter: entry.timedOut ? context.timeout : nil,
            leaseLost: phase == .lost, draining: phase == .stopping && entry.stoppedAt != nil)
        var thrown: (any Error)?
        var end = end
        if case .threw(let error) = end {
            thrown = error
            if error is PayloadError { end = .threw(JobError.permanent("\(error)")) }
        }
        func failure(_ failure: AttemptFailure, delay: Duration, permanent: Bool) -> FinishedAttempt.Write {
            let code = thrown is PayloadError ? "payload" : failure.code
            let error = attemptErrorJSON(
                code: code, message: failure.message, type: thrown.map { "\(Swift.type(of: $0))" })
            return .fail(
                error: error, message: failure.message, log: context.log.lines, delay: delay, permanent: permanent)
        }
        var generator = SystemRandomNumberGenerator()
        switch AttemptOutcome(of: end, in: attempt, using: &generator) {
        case .success: return .complete(result.map { PostgresJSON($0) })
        case .retry(let after, let reason): return failure(reason, delay: after, permanent: false)
        // Without attempts left it is the database that says so: somebody may have granted more meanwhile.
        case .dead(let reason): return failure(reason, delay: .zero, permanent: reason.code == "permanent")
        case .cancelled(let reason): return .cancelled(reason: reason, log: context.log.lines)
        case .snooze(let until):
            let reason = kinds[job.kind] == nil ? "no handler for its kind at this worker" : nil
            return .snooze(until: until, reason: reason)
        case .release: return .release(reason: "its worker shuts down")
        case .abandon: return nil
        }
    }
}

extension Logger {
    func warning(_ message: Message, of job: ClaimedJob) { warning(message, metadata: job.logMetadata) }
    func error(_ message: Message, of job: ClaimedJob) { error(message, metadata: job.logMetadata) }
}
