import Foundation

/// How jobs come, start and end.
extension WorkerState {
    /// What a claim brought.
    mutating func arrived(
        _ jobs: [ClaimedJob], of claim: Claim, make: (ClaimedJob) -> JobContext, at now: Duration
    ) -> Effects {
        var effects = Effects()
        let cancelled = cancelledEarly ?? [:]
        cancelledEarly = nil
        ahead.claimed(jobs.count, of: claim.most + claim.extra)
        backlogUntil = now + .milliseconds(20)
        pacing.claimed(min(jobs.count, claim.most), of: claim.most, at: now)
        for (index, job) in jobs.enumerated() {
            room.take(job.queue)
            let alone = job.isAlone || job.isSolo
            held[job.id] = Held(
                job: job, since: now, isExtra: (claim.isAhead || index >= claim.most) && !job.isHeld && !alone,
                alone: alone)
            if let reason = cancelled[job.id] {
                discard(job, .cancelled(reason: reason, log: []), at: now)
            } else if phase != .working {
                giveBack(job, "its worker shuts down", at: now)
            } else {
                apply(admission.arrived(job.id, weight: job.weight, alone: alone), &effects, make, at: now)
            }
        }
        pacing.capacity(admission.allowance.jobs, at: now)
        return effects
    }

    /// A handler has ended; nil if nobody waits for it any more.
    mutating func ended(_ context: JobContext, at now: Duration) -> Running? {
        guard let entry = running[context.id], entry.context === context, !entry.isEnding else { return nil }
        running[context.id]?.isEnding = true
        running[context.id]?.deadline = nil
        ahead.ended(after: (now - entry.startedAt) / .seconds(1))
        return entry
    }

    /// After `ended`: writes down what became of it, and starts what has room now.
    mutating func settle(
        _ id: UUID, _ write: FinishedAttempt?, make: (ClaimedJob) -> JobContext, at now: Duration
    ) -> Effects {
        var effects = Effects()
        let progress = throttle.finish(id)
        if let entry = running.removeValue(forKey: id) {
            room.give(entry.context.job.queue)
            // Its handler was left to itself in the middle of waiting.
            if let raise = entry.raise { effects.answer.append((raise.continuation, .failure(CancellationError()))) }
        }
        if var write, phase != .lost {
            write.progress = progress?.report
            add(write, at: now)
        }
        apply(admission.finished(id), &effects, make, at: now)
        let free = admission.slots - running.count
        // Not for every job: the driver waits for a batch anyway.
        effects.wakesDriver =
            effects.wakesDriver || running.isEmpty || batch.waitingCount == 1 || held.isEmpty && free == share
            || batch.waitingCount.isMultiple(of: batch.enough)
            || held.count == ahead.reserve(slots: admission.slots)
        return effects
    }

    /// Does what admission decided.
    mutating func apply(
        _ actions: [Admission<UUID>.Action], _ effects: inout Effects, _ make: (ClaimedJob) -> JobContext,
        at now: Duration
    ) {
        for action in actions {
            switch action {
            case .start(let id, let alone):
                guard let entry = held.removeValue(forKey: id) else { continue }
                let context = make(entry.job)
                let deadline = context.timeout.map { now + $0 }
                running[id] = Running(context: context, startedAt: now, weight: entry.job.weight, deadline: deadline)
                if let deadline, watchAt.map({ deadline < $0 }) ?? true {
                    watchAt = deadline
                    effects.wakesWatch = true
                }
                let announce = entry.job.isHeld || alone && !entry.job.isAlone
                effects.start.append((context, alone, announce))
            case .granted(let id):
                if let raise = running[id]?.raise { running[id]?.weight = raise.weight }
                answerRaise(of: id, .success(()), &effects)
            case .release(let id):
                if let entry = held[id] {
                    giveBack(entry.job, "its worker has no room for it", at: now)
                    effects.wakesDriver = true
                } else {
                    running[id]?.isReleased = true
                    answerRaise(of: id, .failure(JobHandedBack()), &effects)
                }
            }
        }
    }

    /// Hands back a job that has not started.
    mutating func giveBack(_ job: ClaimedJob, _ reason: String, at now: Duration) {
        discard(job, .release(reason: reason), at: now)
    }

    /// Writes down the end of a job that has not started.
    mutating func discard(_ job: ClaimedJob, _ write: FinishedAttempt.Write, at now: Duration) {
        held[job.id] = nil
        room.give(job.queue)
        add(FinishedAttempt(job: job, write: write, seconds: 0), at: now)
    }

    private mutating func add(_ item: FinishedAttempt, at now: Duration) {
        writing.insert(item.job.token)
        batch.add(item, at: now)
    }

    // MARK: Weights

    /// What a running job will weigh: the parts that are nil stay.
    func weight(of context: JobContext, cores: Double?, memory: Int64?) -> JobWeight {
        let weight = runs(context) ? running[context.id]?.weight : nil
        let known = weight ?? context.job.weight
        return JobWeight(cores: cores ?? known.cores, memory: memory ?? known.memory)
    }

    /// A handler wants another weight, and waits for it.
    mutating func raise(
        _ context: JobContext, to weight: JobWeight, _ continuation: CheckedContinuation<Void, any Error>,
        make: (ClaimedJob) -> JobContext, at now: Duration
    ) -> Effects {
        var effects = Effects()
        guard runs(context), let entry = running[context.id], entry.stoppedAt == nil, !entry.isEnding else {
            effects.answer.append((continuation, .failure(JobHandedBack())))
            return effects
        }
        guard entry.raise == nil else {
            let error = QueueError(
                .badRequest, "the job waits for another weight already", hint: "call raise again when it has returned")
            effects.answer.append((continuation, .failure(error)))
            return effects
        }
        running[context.id]?.raise = (continuation, weight)
        apply(admission.reweigh(context.id, to: weight), &effects, make, at: now)
        effects.wakesDriver = true
        return effects
    }

    /// The task that waits for another weight was cancelled.
    mutating func withdrawRaise(
        _ context: JobContext, make: (ClaimedJob) -> JobContext, at now: Duration
    ) -> Effects {
        var effects = Effects()
        guard runs(context), running[context.id]?.raise != nil else { return effects }
        answerRaise(of: context.id, .failure(CancellationError()), &effects)
        apply(admission.withdraw(context.id), &effects, make, at: now)
        effects.wakesDriver = true
        return effects
    }

    mutating func answerRaise(of id: UUID, _ answer: Result<Void, any Error>, _ effects: inout Effects) {
        guard let raise = running[id]?.raise else { return }
        running[id]?.raise = nil
        effects.answer.append((raise.continuation, answer))
    }
}
