import Foundation
import Locking
import Logging
import Metrics

/// The loop that talks to the database: claims and results, in one round trip where both are due, or side by side where
/// jobs are over sooner than a round trip.
extension WorkerSession {
    /// Returns when everything is written and nothing runs any more, or the lease is lost and nothing runs.
    func drive() async {
        await withDiscardingTaskGroup { group in
            while true {
                let now = now
                if keeper.isOver { await loseLease() }
                let (effects, step) = state.withLock { ($0.releaseExtras(make: make, at: now), $0.next(at: now)) }
                perform(effects)
                switch step {
                case .trip(let flush, let claim):
                    group.addTask {
                        await self.trip(flush, claim)
                        self.signal.raise()
                    }
                case .retry(let item): await writeOneByOne([item])
                case .lookForLost: await lookForLost()
                case .sleep: await sleep()
                case .announceDrain: await announceDrain()
                case .wait(let until): await signal.wait(for: until.map { $0 - self.now })
                case .finished: return
                }
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

    /// Results and claim are one transaction, where there are both: finishing waits for no row that a claim holds, so two
    /// workers cannot wait for each other.
    private func trip(_ flush: [FinishedAttempt], _ claim: WorkerState.Claim?) async {
        let began = ContinuousClock.now
        let lockLimit = state.withLock { $0.lockLimit(at: now) }
        var plan = TripPlan(flush, statements, lockLimit: lockLimit)
        if let claim {
            plan.claimAt = plan.list.count
            plan.list.append(
                statements.claim(
                    queues: state.withLock { $0.queues }, allowance: claim.allowance, most: claim.most + claim.extra,
                    free: claim.free, total: options.capacity, isIdle: claim.isIdle))
        }
        let list = plan.list
        let rows: [PostgresRows]
        do {
            rows = try await pool.withConnection { try await $0.pipeline(list, timeout: self.options.lease) }
        } catch {
            await failed(error, flush, claim)
            return
        }
        if !flush.isEmpty { written(flush, plan.readAnswers(in: rows, logger)) }
        if let claim, let index = plan.claimAt {
            arrived(rows[index], claim)
            metrics.claim.recordNanoseconds(Int64(began.duration(to: .now) / .nanoseconds(1)))
        }
    }

    private func arrived(_ rows: PostgresRows, _ claim: WorkerState.Claim) {
        var jobs: [ClaimedJob] = []
        for row in rows {
            do {
                jobs.append(try ClaimedJob(row))
            } catch {
                logger.error("a job that was claimed cannot be read, and is handed back: \(error)")
            }
        }
        let isPartial = jobs.count < rows.count
        perform(
            state.withLock { state in
                let effects = state.arrived(jobs, of: claim, make: make, at: now)
                if isPartial { state.lostClaims.claimFailed(at: now) }
                return effects
            })
    }

    private func failed(_ error: any Error, _ flush: [FinishedAttempt], _ claim: WorkerState.Claim?) async {
        let known = error as? QueueError
        if known?.code == .leaseLost {
            // The loop sees it before it does anything else.
            keeper.refused()
            if !flush.isEmpty { state.withLock { $0.batch.flushFailed(at: now) } }
            return
        }
        logger.warning("claims or results could not be written, trying again: \(error)")
        let isHeldUp = known.map { $0.code == .deadline || $0.isLockTimeout } ?? false
        state.withLock { state in
            if claim != nil { state.claimFailed(at: now) }
            if isHeldUp { state.heldUp(at: now) }
        }
        guard !flush.isEmpty else { return }
        if isHeldUp || known?.mayBeOfItsData ?? false {
            state.withLock { $0.batch.outcomeUnknown() }
            await writeOneByOne(flush)
        } else {
            state.withLock { $0.batch.flushFailed(at: now) }
        }
    }

    private func sleep() async {
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
            var generator = SystemRandomNumberGenerator()
            state.withLock { $0.pacing.failed(at: now, using: &generator) }
        }
    }

    private func announceDrain() async {
        do {
            _ = try await pool.withConnection { try await $0.query(self.statements.drain, timeout: .seconds(2)) }
        } catch {
            logger.warning("the worker drains, but could not say so: people see it as alive: \(error)")
        }
    }

    /// Hands back jobs of claims whose answer was lost: the database takes them for this worker's for as long as it
    /// lives.
    private func lookForLost() async {
        do {
            let held = statements.held
            let rows = try await pool.withConnection { try await $0.query(held, timeout: self.options.lease) }
            var ids: [UUID] = []
            var tokens: [Int64] = []
            for row in rows {
                let (id, token): (UUID, Int64) = (try row.decode(0), try row.decode(1))
                guard !state.withLock({ $0.knows(id, token: token) }) else { continue }
                ids.append(id)
                tokens.append(token)
            }
            if !ids.isEmpty {
                logger.warning("\(ids.count) jobs of a claim whose answer was lost are handed back")
                let release = statements.release(ids: ids, tokens: tokens, reason: "the answer to its claim was lost")
                _ = try await pool.withConnection { try await $0.query(release, timeout: self.options.lease) }
                notified()
            }
            state.withLock { $0.lostClaims.looked(at: now) }
        } catch {
            logger.warning("jobs of claims whose answers were lost could not be looked for, trying again: \(error)")
            state.withLock { $0.lostClaims.lookFailed(at: now) }
        }
    }
}
