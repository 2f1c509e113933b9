import Foundation
import Locking
import Logging
import Metrics

/// Writing down how attempts ended, and telling of it.
extension WorkerSession {
    /// Writes results one after another: so that one which cannot be stored, or whose row somebody holds, spoils no
    /// other.
    func writeOneByOne(_ flush: [FinishedAttempt]) async {
        var answers: [WriteAnswer?] = []
        for item in flush {
            do {
                answers.append(try await write(item))
            } catch let error as QueueError where error.isLockTimeout {
                logger.warning(
                    "an outcome waits for whoever holds its job, perhaps a transaction that cancelled it and is open",
                    of: item.job)
                answers.append(nil)
            } catch {
                logger.warning("results could not be written, trying again: \(error)")
                // The rest is written again, and what was written already is then refused.
                state.withLock { $0.batch.flushFailed(at: now) }
                return
            }
        }
        if answers.contains(where: { $0 == nil }) { state.withLock { $0.heldUp(at: now) } }
        written(flush, answers)
    }

    /// - Returns: nil if it cannot be written now, for a reason that concerns it alone.
    /// - Throws: also a lock's time limit, `isLockTimeout`.
    private func write(_ item: FinishedAttempt) async throws -> WriteAnswer? {
        do {
            return try await answer(to: item)
        } catch let error as QueueError where error.mayBeOfItsData {
            logger.error("an outcome cannot be stored, the job is given up: \(error)", of: item.job)
            var substitute = item
            substitute.write = .fail(
                error: attemptErrorJSON(code: "unstorable", message: "its outcome cannot be stored: \(error)"),
                message: error.message, log: [], delay: .zero, permanent: true)
            do {
                return try await answer(to: substitute)
            } catch let error as QueueError where error.mayBeOfItsData {
                logger.error("nor can it be given up, trying again: \(error)", of: item.job)
                return nil
            }
        }
    }

    private func answer(to item: FinishedAttempt) async throws -> WriteAnswer? {
        let plan = TripPlan([item], statements, lockLimit: WorkerState.lockPatience, withProgress: false)
        let rows = try await pool.withConnection { try await $0.pipeline(plan.list, timeout: self.options.lease) }
        return plan.readAnswers(in: rows, logger).first ?? nil
    }

    /// - Parameter answers: nil for what could not be written yet.
    func written(_ flush: [FinishedAttempt], _ answers: [WriteAnswer?]) {
        let rejected = answers.indices.filter { answers[$0]?.isAccepted == false }
        let stuck = Set(answers.indices.filter { answers[$0] == nil })
        let rejections = state.withLock { $0.flushed(flush, rejected: rejected, stuck: stuck, at: now) }
        // What may have been written by an earlier try counts as written.
        let refused = Set(rejections.filter { !$0.mayBeWritten }.map(\.item.job.token))
        for (item, answer) in zip(flush, answers) {
            guard let answer else { continue }
            if refused.contains(item.job.token) {
                kinds[item.job.kind]?.metrics.refused.increment()
                logger.warning("an outcome was refused: the job is no longer this worker's", of: item.job)
                events.send(.refused(item.job.event))
            } else {
                tell(item, answer)
            }
        }
    }

    private func tell(_ item: FinishedAttempt, _ answer: WriteAnswer) {
        let metrics = kinds[item.job.kind]?.metrics
        let event = item.job.event
        switch item.write {
        case .complete:
            metrics?.succeeded.increment()
            events.send(.succeeded(event, seconds: item.seconds))
        case .fail(_, let message, _, _, let permanent):
            switch answer.state ?? (permanent ? "dead" : "failed") {
            case "dead":
                metrics?.dead.increment()
                events.send(.dead(event, error: message))
            case "cancelled":
                metrics?.cancelled.increment()
                events.send(.cancelled(event, reason: message))
            default:
                metrics?.failed.increment()
                events.send(.failed(event, error: message, retryAt: answer.runAt))
            }
        case .cancelled(let reason, _):
            metrics?.cancelled.increment()
            events.send(.cancelled(event, reason: reason))
        case .snooze(let until, _):
            metrics?.snoozed.increment()
            events.send(.snoozed(event, until: until))
        case .release:
            metrics?.released.increment()
            events.send(.released(event))
        }
    }
}

/// What the database said to an outcome.
struct WriteAnswer: Sendable {
    var isAccepted: Bool
    /// Of a failure: what the job is now.
    var state: String?
    var runAt: Date?
}

/// The statements of a round trip, and where in it each outcome's answer comes.
struct TripPlan: Sendable {
    var list: [PostgresStatement] = []
    var claimAt: Int?
    private let items: [FinishedAttempt]
    private var completeAt: Int?
    private var at: [Int: Int] = [:]

    /// - Parameter lockLimit: how long the trip may wait for a lock before it fails.
    init(
        _ items: [FinishedAttempt], _ statements: WorkerStatements, lockLimit: Duration?, withProgress: Bool = true
    ) {
        self.items = items
        if let lockLimit { list.append(statements.limitLocks(to: lockLimit)) }
        let progress = withProgress ? items.compactMap { item in item.progress.map { $0.json(of: item.job) } } : []
        if !progress.isEmpty { list.append(statements.progress(progress)) }
        let complete = items.filter(\.isComplete)
        if !complete.isEmpty {
            completeAt = list.count
            list.append(statements.complete(complete))
        }
        for (index, item) in items.enumerated() where !item.isComplete {
            at[index] = list.count
            list.append(statements.write(item))
        }
    }

    /// The answers in the order of the items. One that cannot be read, as the schema is of another version, counts as
    /// accepted: it is committed.
    func readAnswers(in rows: [PostgresRows], _ logger: Logger) -> [WriteAnswer?] {
        do {
            return try answers(in: rows)
        } catch {
            logger.error("the answers to results that were written cannot be read: \(error)")
            return items.map { _ in WriteAnswer(isAccepted: true) }
        }
    }

    private func answers(in rows: [PostgresRows]) throws -> [WriteAnswer] {
        var accepted: [UUID: Bool] = [:]
        if let completeAt {
            for row in rows[completeAt] { accepted[try row.decode(0)] = try row.decode(1, as: Bool.self) }
        }
        return try items.enumerated().map { index, item in
            guard let place = at[index] else { return WriteAnswer(isAccepted: accepted[item.job.id] ?? false) }
            guard let row = rows[place].first else { return WriteAnswer(isAccepted: false) }
            switch item.write {
            case .fail:
                return WriteAnswer(
                    isAccepted: try row.decode(0), state: try row.decode(1), runAt: try row.decode(2))
            case .release: return WriteAnswer(isAccepted: try row.decode(1))
            default: return WriteAnswer(isAccepted: try row.decode(0))
            }
        }
    }
}
