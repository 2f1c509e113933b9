import Foundation

/// What makes handlers stop: cancels, timeouts, a shutdown, the end of the lease.
extension WorkerState {
    /// Somebody wants the job to be cancelled.
    mutating func cancel(
        _ id: UUID, reason: String, make: (ClaimedJob) -> JobContext, at now: Duration
    ) -> Effects {
        var effects = Effects()
        if let entry = held[id] {
            discard(entry.job, .cancelled(reason: reason, log: []), at: now)
            apply(admission.finished(id), &effects, make, at: now)
            effects.wakesDriver = true
        } else if let entry = running[id] {
            guard entry.cancelReason == nil else { return effects }
            running[id]?.cancelReason = reason
            stop(id, &effects, at: now)
        } else {
            // The notification may overtake the answer to its claim.
            cancelledEarly?[id] = reason
        }
        return effects
    }

    private mutating func stop(_ id: UUID, _ effects: inout Effects, at now: Duration) {
        guard let entry = running[id] else { return }
        effects.wakesWatch = true
        if entry.stoppedAt == nil { running[id]?.stoppedAt = now }
        if let task = entry.task { effects.cancel.append(task) }
    }

    /// Begins to drain, or shortens the time for it.
    mutating func drain(until limit: Duration, make: (ClaimedJob) -> JobContext, at now: Duration) -> Effects {
        var effects = Effects(wakesDriver: true, wakesWatch: true)
        switch phase {
        case .working:
            phase = .draining(until: limit)
            apply(admission.drain(), &effects, make, at: now)
            batch.close()
        case .draining(let until): phase = .draining(until: min(until, limit))
        case .stopping, .lost: break
        }
        return effects
    }

    /// The lease is gone: everything stops, nothing is written.
    ///
    /// - Returns: also how many outcomes are dropped.
    mutating func lose(at now: Duration) -> (effects: Effects, dropped: Int) {
        var effects = Effects(wakesDriver: true, wakesWatch: true)
        guard phase != .lost else { return (effects, 0) }
        phase = .lost
        for id in Array(running.keys) {
            stop(id, &effects, at: now)
            answerRaise(of: id, .failure(JobHandedBack()), &effects)
        }
        held = [:]
        return (effects, batch.abandon().count)
    }

    /// What time alone brings about: timeouts, the end of a drain's grace, handlers that do not stop.
    ///
    /// - Returns: also when to look again.
    mutating func tick(at now: Duration) -> (effects: Effects, next: Duration?) {
        var effects = Effects()
        var next: Duration?
        func look(_ at: Duration) { next = min(next ?? at, at) }
        if case .draining(let until) = phase {
            if now >= until {
                phase = .stopping
                for id in Array(running.keys) { stop(id, &effects, at: now) }
            } else {
                look(until)
            }
        }
        for (id, entry) in running where !entry.isEnding {
            if let deadline = entry.deadline, !entry.timedOut {
                if now >= deadline {
                    running[id]?.timedOut = true
                    stop(id, &effects, at: now)
                } else {
                    look(deadline)
                }
            }
            if let stoppedAt = running[id]?.stoppedAt {
                let limit = stoppedAt + cancellationGrace
                if now >= limit { effects.abandoned.append(entry.context) } else { look(limit) }
            }
        }
        watchAt = next
        return (effects, next)
    }
}
