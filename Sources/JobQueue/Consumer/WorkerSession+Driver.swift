import Foundation
import Logging
import Metrics
import Synchronization

/// The loop that talks to the database: results go out, then jobs come in.
extension WorkerSession {
    /// Returns when everything is written and nothing runs any more, or the lease is lost and nothing runs.
    func drive() async {
        while true {
            let now = now
            if keeper.isOver { await loseLease() }
            switch state.withLock({ $0.next(at: now) }) {
            case .trip(let flush, let claim):
                await reconcileIfNeeded()
                await trip(flush, claim)
            case .sleep: await sleep()
            case .announceDrain:
                _ = try? await pool.withConnection { try await $0.query(self.statements.drain, timeout: .seconds(2)) }
            case .wait(let until): await signal.wait(for: until.map { $0 - self.now })
            case .finished: return
            }
        }
    }

    /// The lease's time is over, and the thread that watches it is about to say so: nothing is written from here on.
    private func loseLease() async {
        while state.withLock({ $0.phase != .lost }) {
            keeper.wakeWatch()
            await signal.wait(for: .milliseconds(10))
        }
    }

    /// Two transactions, though one would do with a round trip less: finishing waits for the rows of queues and keys
    /// that have limits, and so does claiming, in another order. Together they could wait for each other's.
    private func trip(_ flush: [FinishedAttempt], _ claim: WorkerState.Claim?) async {
        if !flush.isEmpty {
            let plan = TripPlan(flush, statements)
            do {
                let rows = try await pool.withConnection { [list = plan.list] in
                    try await $0.pipeline(list, timeout: self.options.lease)
                }
                written(flush, try plan.answers(in: rows))
            } catch {
                return await failed(error, flush, claim: claim)
            }
        }
        guard let claim else { return }
        let began = ContinuousClock.now
        let statement = statements.claim(
            queues: state.withLock { $0.queues }, allowance: claim.allowance, most: claim.most + claim.extra,
            free: claim.free, total: options.capacity, isIdle: claim.isIdle)
        do {
            let rows = try await pool.withConnection { try await $0.query(statement, timeout: self.options.lease) }
            arrived(try rows.map { try ClaimedJob($0) }, claim)
            metrics.claim.recordNanoseconds(Int64(began.duration(to: .now) / .nanoseconds(1)))
        } catch {
            await failed(error, [], claim: claim)
        }
    }

    private func arrived(_ jobs: [ClaimedJob], _ claim: WorkerState.Claim) {
        let (effects, running) = state.withLock { state in
            (state.arrived(jobs, of: claim, make: make, at: now), state.running.count)
        }
        metrics.running.record(running)
        perform(effects)
    }

    private func failed(_ error: any Error, _ flush: [FinishedAttempt], claim: WorkerState.Claim?) async {
        let known = error as? QueueError
        if known?.code == .leaseLost {
            keeper.refused()
            if !flush.isEmpty { state.withLock { $0.batch.flushFailed(at: now) } }
            await loseLease()
            return
        }
        let isPassing = known.map { $0.isTransient || $0.code == .deadline } ?? false
        logger.warning("claims or results could not be written, trying again: \(error)")
        var generator = SystemRandomNumberGenerator()
        state.withLock { state in
            if claim != nil {
                state.pacing.failed(at: now, using: &generator)
                // The claim may have taken place all the same.
                state.reconcileUntil = now + max(.seconds(30), options.lease * 3)
            }
            if isPassing, !flush.isEmpty { state.batch.flushFailed(at: now) }
        }
        if !isPassing, !flush.isEmpty { await writeOneByOne(flush) }
    }

    /// Writes results that the database refuses as a batch, so that one which cannot be stored spoils no other.
    private func writeOneByOne(_ flush: [FinishedAttempt]) async {
        var answers: [Bool] = []
        for item in flush {
            var plan = TripPlan([item], statements, withProgress: false)
            do {
                answers.append(try await write(plan))
            } catch let error as QueueError where !error.isTransient && error.code != .deadline {
                logger.error("an outcome cannot be stored: \(error)", metadata: ["job": "\(item.job.id)"])
                var substitute = item
                substitute.write = .fail(
                    error: attemptErrorJSON(code: "unstorable", message: "its outcome cannot be stored: \(error)"),
                    message: error.message, log: [], delay: .zero, permanent: true)
                plan = TripPlan([substitute], statements, withProgress: false)
                answers.append((try? await write(plan)) ?? false)
            } catch {
                // The rest is written again, and what was written already is then refused.
                state.withLock { $0.batch.flushFailed(at: now) }
                return
            }
        }
        written(flush, answers.map { WriteAnswer(isAccepted: $0) })
    }

    private func write(_ plan: TripPlan) async throws -> Bool {
        let rows = try await pool.withConnection { try await $0.pipeline(plan.list) }
        return try plan.answers(in: rows).first?.isAccepted ?? false
    }

    private func written(_ flush: [FinishedAttempt], _ answers: [WriteAnswer]) {
        let rejected = answers.indices.filter { !answers[$0].isAccepted }
        let rejections = state.withLock { $0.flushed(flush, rejected: rejected) }
        // What may have been written by an earlier try counts as written.
        let refused = Set(rejections.filter { !$0.mayBeWritten }.map(\.item.job.id))
        for (item, answer) in zip(flush, answers) {
            if refused.contains(item.job.id) {
                kinds[item.job.kind]?.metrics.refused.increment()
                logger.warning(
                    "an outcome was refused: the job is no longer this worker's",
                    metadata: ["job": "\(item.job.id.uuidString.lowercased())", "kind": "\(item.job.kind)"])
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

    private func sleep() async {
        var generator = SystemRandomNumberGenerator()
        do {
            let statement = statements.sleep(totalMemory: options.memory)
            let rows = try await pool.withConnection { try await $0.query(statement, timeout: self.options.lease) }
            guard let row = rows.first else { throw QueueError(.internal, "worker_sleep returned nothing") }
            let isAsleep: Bool = try row.decode(0)
            let due: Double? = try row.decode(1)
            state.withLock { $0.markedAsleep(isAsleep, nextDueIn: due.map { .seconds($0) }, at: now) }
        } catch {
            if (error as? QueueError)?.code == .leaseLost {
                // A draining worker is refused as well, and has no need to sleep.
                if state.withLock({ $0.phase == .working }) {
                    keeper.refused()
                    await loseLease()
                }
                return
            }
            logger.warning("the worker could not be marked asleep, trying again: \(error)")
            state.withLock { $0.pacing.failed(at: now, using: &generator) }
        }
    }

    /// Hands back jobs of claims whose answer was lost: the database takes them for this worker's for as long as it
    /// lives. Looks again for a while, as a claim may still be under way there.
    private func reconcileIfNeeded() async {
        let now = now
        let isDue = state.withLock { state -> Bool in
            guard now < state.reconcileUntil, now >= state.reconcileAt else { return false }
            state.reconcileAt = now + options.lease / 2
            return true
        }
        guard isDue else { return }
        do {
            let held = statements.held
            let rows = try await pool.withConnection { try await $0.query(held) }
            var ids: [UUID] = []
            var tokens: [Int64] = []
            for row in rows {
                let id: UUID = try row.decode(0)
                guard !state.withLock({ $0.knows(id) }) else { continue }
                ids.append(id)
                tokens.append(try row.decode(1))
            }
            guard !ids.isEmpty else { return }
            logger.warning("\(ids.count) jobs of a claim whose answer was lost are handed back")
            let release = statements.release(ids: ids, tokens: tokens, reason: "the answer to its claim was lost")
            _ = try await pool.withConnection { try await $0.query(release) }
        } catch {
            logger.debug("claims whose answers were lost could not be looked for: \(error)")
            state.withLock { $0.reconcileAt = now + .seconds(1) }
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

/// The statements that write outcomes, and where each outcome's answer comes.
struct TripPlan: Sendable {
    private(set) var list: [PostgresStatement] = []
    private let items: [FinishedAttempt]
    private var completeAt: Int?
    private var at: [Int: Int] = [:]

    init(_ items: [FinishedAttempt], _ statements: WorkerStatements, withProgress: Bool = true) {
        self.items = items
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

    /// The answers in the order of the items.
    func answers(in rows: [PostgresRows]) throws -> [WriteAnswer] {
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
