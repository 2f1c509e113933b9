import Foundation

/// When to talk to the database, and about what.
extension WorkerState {
    /// Extra jobs that haven't started after this long are handed back: others may have room.
    static let extraPatience = Duration.milliseconds(500)
    /// How long a result waits for a lock while somebody is known to hold some.
    static let lockPatience = Duration.milliseconds(50)

    mutating func next(at now: Duration) -> Step {
        if phase == .lost { return running.isEmpty ? .finished : .wait(until: nil) }
        guard phase == .working else { return nextOfDrain(at: now) }
        // One round trip at a time, but for claims and results that need not wait for each other.
        let isPipelined = ahead.isPipelined(slots: admission.slots)
        let isLooking = now >= lostClaims.nextLook
        if !isPipelined || sleepsNext || isLooking, isClaiming || batch.isWriting { return .wait(until: nil) }
        if isLooking { return .lookForLost }
        if sleepsNext {
            sleepsNext = false
            return .sleep
        }
        pacing.capacity(isAhead ? admission.slots : admission.allowance.jobs, at: now)
        // What was claimed in advance is about to be done: its results go together.
        let isBacklogged = batch.waitingCount < 96 && held.values.contains(where: \.isExtra)
        let write =
            isBacklogged && now < backlogUntil
            ? .wait(until: backlogUntil) : batch.decide(at: now, othersRunning: running.count)
        switch write {
        case .retry(let item): return .retry(item)
        case .flush(let items):
            if isPipelined { return .trip(flush: items, claim: nil) }
            pacing.tripPlanned()
            switch pacing.decide(at: now) {
            case .claim(let most): return .trip(flush: items, claim: claim(most))
            case .markAsleep: sleepsNext = true
            case .wait: break
            }
            return .trip(flush: items, claim: nil)
        case .wait(let untilWrite):
            switch pacing.decide(at: now) {
            case .claim(let most):
                return .trip(flush: isPipelined ? [] : batch.takeAlong(at: now), claim: claim(most))
            case .markAsleep:
                guard batch.isWriting else { return .sleep }
                sleepsNext = true
                return .wait(until: nil)
            case .wait(let until):
                let extras = held.values.lazy.filter(\.isExtra).map { $0.since + Self.extraPatience }.min()
                return .wait(until: [until, untilWrite, extras, lostClaims.nextLook].compactMap { $0 }.min())
            }
        }
    }

    private mutating func nextOfDrain(at now: Duration) -> Step {
        if !hasAnnouncedDrain {
            hasAnnouncedDrain = true
            return .announceDrain
        }
        switch batch.decide(at: now, othersRunning: running.count) {
        case .flush(let items): return .trip(flush: items, claim: nil)
        case .retry(let item): return .retry(item)
        case .wait(let until):
            let isOver = running.isEmpty && held.isEmpty && batch.isEmpty && !isClaiming
            return isOver ? .finished : .wait(until: until)
        }
    }

    /// Whether the next jobs may be claimed while some of an earlier claim wait for their start.
    private var isAhead: Bool {
        ahead.isPipelined(slots: admission.slots) && !held.isEmpty
            && held.count <= ahead.reserve(slots: admission.slots) && held.values.allSatisfy(\.isExtra)
    }

    private mutating func claim(_ most: Int) -> Claim {
        cancelledEarly = [:]
        let isAhead = isAhead
        var allowance = admission.allowance
        if isAhead { (allowance.cores, allowance.memory) = (admission.total.cores, admission.total.memory) }
        let extra = ahead.count(slots: admission.slots)
        let factor = Double(most + extra) / Double(max(most, 1))
        return Claim(
            most: most, extra: extra, allowance: queues.map { room.allowance($0, most: most + extra) },
            free: JobWeight(cores: allowance.cores * factor, memory: allowance.memory), isIdle: allowance.isIdle,
            isAhead: isAhead)
    }

    /// Hands back what was claimed in advance and did not start soon enough. Before `next`.
    mutating func releaseExtras(make: (ClaimedJob) -> JobContext, at now: Duration) -> Effects {
        var effects = Effects()
        for entry in held.values where entry.isExtra && now >= entry.since + Self.extraPatience {
            // What stood behind it in line may have started.
            guard held[entry.job.id] != nil else { continue }
            giveBack(entry.job, "claimed in advance, and not started soon enough", at: now)
            apply(admission.finished(entry.job.id), &effects, make, at: now)
        }
        return effects
    }

    // MARK: What came of it

    /// A claim failed, or an answer could not be read: it may have taken place all the same.
    mutating func claimFailed(at now: Duration) {
        var generator = SystemRandomNumberGenerator()
        cancelledEarly = nil
        ahead.claimFailed()
        pacing.failed(at: now, using: &generator)
        lostClaims.claimFailed(at: now)
    }

    /// A trip had to wait too long for a lock, or may have: for a while nothing does again.
    mutating func heldUp(at now: Duration) { impatientUntil = now + .seconds(60) }

    /// How long a statement may wait for a lock now; nil: as long as it may take.
    func lockLimit(at now: Duration) -> Duration? { now < impatientUntil ? Self.lockPatience : nil }

    /// The batch was written, but for what is at `stuck`; see `CompletionBatch.flushed`.
    mutating func flushed(
        _ items: [FinishedAttempt], rejected: [Int], stuck: Set<Int>, at now: Duration
    ) -> [CompletionBatch<FinishedAttempt>.Rejection] {
        for (index, item) in items.enumerated() where !stuck.contains(index) { writing.remove(item.job.token) }
        return batch.flushed(rejected: rejected, stuck: stuck.sorted(), at: now)
    }

    /// What `worker_sleep` said.
    mutating func markedAsleep(_ isAsleep: Bool, nextDueIn: Duration?, at now: Duration) {
        if isAsleep {
            pacing.markedAsleep(nextDueIn: nextDueIn, at: now)
        } else {
            // Something is there that another claim holds just now: soon again.
            var generator = SystemRandomNumberGenerator()
            pacing.failed(at: now, using: &generator)
        }
    }
}
