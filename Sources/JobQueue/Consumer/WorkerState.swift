import Foundation

/// Everything that a session decides on, behind one lock. Its methods change it and return what to do; whoever calls
/// does that after letting go of the lock.
struct WorkerState: Sendable {
    enum Phase: Sendable, Hashable {
        case working
        /// No new jobs; handlers may go on until then.
        case draining(until: Duration)
        /// Handlers have been told to stop, and their jobs are handed back.
        case stopping
        /// Nothing may be written any more.
        case lost
    }

    struct Running: Sendable {
        let context: JobContext
        let startedAt: Duration
        var deadline: Duration?
        var task: Task<Void, Never>?
        /// When its task was cancelled; what is not over after a grace time is left to itself.
        var stoppedAt: Duration?
        var cancelReason: String?
        var timedOut = false
        /// Admission wants it to be handed back.
        var isReleased = false
        /// Its end is being written down.
        var isEnding = false
        var raise: CheckedContinuation<Void, any Error>?
    }

    struct Held: Sendable {
        let job: ClaimedJob
        let since: Duration
        /// Claimed beyond the free slots, to save round trips.
        let isExtra: Bool
        var alone: Bool
    }

    /// What is to be done without the lock.
    struct Effects: Sendable {
        var start: [(context: JobContext, alone: Bool, announce: Bool)] = []
        var cancel: [Task<Void, Never>] = []
        var granted: [CheckedContinuation<Void, any Error>] = []
        var refused: [CheckedContinuation<Void, any Error>] = []
        var abandoned: [JobContext] = []
        var wakesDriver = false
        var wakesWatch = false
    }

    enum Step: Sendable {
        /// One round trip; either may be nothing.
        case trip(flush: [FinishedAttempt], claim: Claim?)
        case sleep
        case announceDrain
        case wait(until: Duration?)
        case finished
    }

    struct Claim: Sendable {
        /// How many are to start at once.
        var most: Int
        /// How many more to take in advance.
        var extra: Int
        var allowance: [Int]
        var free: JobWeight
        var isIdle: Bool
    }

    var phase = Phase.working
    var admission: Admission<UUID>
    var pacing: FetchPacing
    var batch = CompletionBatch<FinishedAttempt>()
    var throttle = ProgressThrottle<UUID, (context: JobContext, report: JobProgress)>()
    var running: [UUID: Running] = [:]
    var held: [UUID: Held] = [:]
    /// Of queues with a limit in this worker, how many are claimed.
    var claimed: [String: Int] = [:]
    let limits: [String: Int]
    let queues: [String]
    let cancellationGrace: Duration
    /// Mean time of handlers, in seconds, newer ones counting more.
    var meanSeconds = Double.infinity
    var hasAnnouncedDrain = false
    /// Until then, jobs that the database takes for ours and we don't know are looked for.
    var reconcileUntil = Duration.zero
    var reconcileAt = Duration.zero
    /// Jobs whose outcome is in the batch.
    private var writing: Set<UUID> = []
    /// Until then the results of jobs claimed in advance wait for each other.
    private var backlogUntil = Duration.zero
    /// The worker is to be marked asleep as soon as the results are written.
    private var sleepsNext = false
    /// When the thread that watches looks again; nil: not before it is woken.
    private var watchAt: Duration?
    private let share: Int

    /// Extra jobs that haven't started after this long are handed back: others may have room.
    static let extraPatience = Duration.milliseconds(500)

    init(options: WorkerOptions, queues: [String], limits: [String: Int], pollInterval: Duration) {
        admission = Admission(slots: options.slots, cores: options.capacity.cores, memory: options.memory)
        var settings = FetchPacing.Settings()
        settings.pollInterval = pollInterval
        settings.backoff = Backoff(base: .milliseconds(20), cap: .seconds(5), jitter: .equal)
        pacing = FetchPacing(slots: options.slots, settings: settings)
        self.queues = queues
        self.limits = limits
        cancellationGrace = options.cancellationGrace
        share = max(1, options.slots / 2)
    }

    // MARK: The driver

    mutating func next(at now: Duration) -> Step {
        if phase == .lost { return running.isEmpty ? .finished : .wait(until: nil) }
        releaseExtras(at: now)
        if phase != .working {
            if !hasAnnouncedDrain {
                hasAnnouncedDrain = true
                return .announceDrain
            }
            switch batch.decide(at: now, othersRunning: running.count) {
            case .flush(let items): return .trip(flush: items, claim: nil)
            case .wait(let until):
                return running.isEmpty && held.isEmpty && batch.isEmpty ? .finished : .wait(until: until)
            }
        }
        if sleepsNext {
            sleepsNext = false
            return .sleep
        }
        pacing.capacity(admission.allowance.jobs, at: now)
        // What was claimed in advance is about to be done: its results go together.
        let isBacklogged = batch.waitingCount < 96 && held.values.contains(where: \.isExtra)
        let flush =
            isBacklogged && now < backlogUntil
            ? .wait(until: backlogUntil) : batch.decide(at: now, othersRunning: running.count)
        if case .flush(let items) = flush {
            pacing.tripPlanned()
            switch pacing.decide(at: now) {
            case .claim(let most): return .trip(flush: items, claim: claim(most))
            case .markAsleep: sleepsNext = true
            case .wait: break
            }
            return .trip(flush: items, claim: nil)
        }
        switch pacing.decide(at: now) {
        case .claim(let most):
            if case .flush(let items) = batch.decide(at: now, othersRunning: 0) {
                return .trip(flush: items, claim: claim(most))
            }
            return .trip(flush: [], claim: claim(most))
        case .markAsleep: return .sleep
        case .wait(let until):
            var limits = [until]
            if case .wait(let until) = flush { limits.append(until) }
            if let first = held.values.lazy.filter(\.isExtra).map(\.since).min() {
                limits.append(first + Self.extraPatience)
            }
            return .wait(until: limits.compactMap { $0 }.min())
        }
    }

    private func claim(_ most: Int) -> Claim {
        let allowance = admission.allowance
        // Round trips that would outlast the jobs carry more of them: about 20 ms' worth.
        let extra = meanSeconds > 0.02 ? 0 : min(112, Int(Double(admission.slots) * 0.02 / max(meanSeconds, 0.001)))
        let factor = Double(most + extra) / Double(max(most, 1))
        return Claim(
            most: most, extra: extra,
            allowance: queues.map { queue in
                limits[queue].map { max(0, $0 - (claimed[queue] ?? 0)) } ?? most + extra
            },
            free: JobWeight(cores: allowance.cores * factor, memory: allowance.memory), isIdle: allowance.isIdle)
    }

    private mutating func releaseExtras(at now: Duration) {
        for (id, entry) in held where entry.isExtra && now >= entry.since + Self.extraPatience {
            _ = admission.finished(id)
            giveBack(entry.job, "claimed in advance, and not started soon enough", at: now)
        }
    }

    // MARK: Jobs come and go

    /// What a claim brought.
    mutating func arrived(_ jobs: [ClaimedJob], of claim: Claim, make: (ClaimedJob) -> JobContext, at now: Duration)
        -> Effects
    {
        var effects = Effects()
        backlogUntil = now + .milliseconds(20)
        pacing.claimed(min(jobs.count, claim.most), of: claim.most, at: now)
        for (index, job) in jobs.enumerated() {
            if limits[job.queue] != nil { claimed[job.queue, default: 0] += 1 }
            let alone = job.isAlone || job.isSolo
            held[job.id] = Held(
                job: job, since: now, isExtra: index >= claim.most && !job.isHeld && !alone, alone: alone)
            guard phase == .working else {
                giveBack(job, "its worker shuts down", at: now)
                continue
            }
            apply(admission.arrived(job.id, weight: job.weight, alone: alone), &effects, make, at: now)
        }
        pacing.capacity(admission.allowance.jobs, at: now)
        return effects
    }

    /// A handler has ended; nil if nobody waits for it any more.
    mutating func ended(_ id: UUID, at now: Duration) -> Running? {
        guard let entry = running[id], !entry.isEnding else { return nil }
        running[id]?.isEnding = true
        running[id]?.deadline = nil
        let seconds = (now - entry.startedAt) / .seconds(1)
        meanSeconds = meanSeconds.isFinite ? meanSeconds * 0.9 + seconds * 0.1 : seconds
        return entry
    }

    /// After `ended`: writes down what became of it, and starts what has room now.
    mutating func settle(
        _ id: UUID, _ write: FinishedAttempt?, make: (ClaimedJob) -> JobContext, at now: Duration
    ) -> Effects {
        var effects = Effects()
        let progress = throttle.finish(id)
        if let entry = running.removeValue(forKey: id) { release(entry.context.job) }
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
        return effects
    }

    mutating func apply(
        _ actions: [Admission<UUID>.Action], _ effects: inout Effects, _ make: (ClaimedJob) -> JobContext,
        at now: Duration
    ) {
        for action in actions {
            switch action {
            case .start(let id, let alone):
                guard let entry = held.removeValue(forKey: id) else { continue }
                let context = make(entry.job)
                running[id] = Running(
                    context: context, startedAt: now, deadline: context.timeout.map { now + $0 })
                if let deadline = running[id]?.deadline, watchAt.map({ deadline < $0 }) ?? true {
                    watchAt = deadline
                    effects.wakesWatch = true
                }
                let announce = entry.job.isHeld || alone && !entry.job.isAlone
                effects.start.append((context, alone, announce))
            case .granted(let id):
                if let raise = running[id]?.raise {
                    running[id]?.raise = nil
                    effects.granted.append(raise)
                }
            case .release(let id):
                if let entry = held[id] {
                    giveBack(entry.job, "its worker has no room for it", at: now)
                    effects.wakesDriver = true
                } else {
                    running[id]?.isReleased = true
                    if let raise = running[id]?.raise {
                        running[id]?.raise = nil
                        effects.refused.append(raise)
                    }
                }
            }
        }
    }

    private mutating func giveBack(_ job: ClaimedJob, _ reason: String, at now: Duration) {
        held[job.id] = nil
        release(job)
        add(FinishedAttempt(job: job, write: .release(reason: reason), seconds: 0), at: now)
    }

    private mutating func add(_ item: FinishedAttempt, at now: Duration) {
        writing.insert(item.job.id)
        batch.add(item, at: now)
    }

    /// The batch was written; see `CompletionBatch.flushed`.
    mutating func flushed(_ items: [FinishedAttempt], rejected: [Int])
        -> [CompletionBatch<FinishedAttempt>.Rejection]
    {
        for item in items { writing.remove(item.job.id) }
        return batch.flushed(rejected: rejected)
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

    private mutating func release(_ job: ClaimedJob) {
        if let count = claimed[job.queue] { claimed[job.queue] = max(0, count - 1) }
    }

    /// Whether the job is one of those that are held, run or being written.
    func knows(_ id: UUID) -> Bool {
        held[id] != nil || running[id] != nil || writing.contains(id)
    }

    // MARK: Stopping

    /// Somebody wants the job to be cancelled.
    mutating func cancel(_ id: UUID, reason: String, at now: Duration) -> Effects {
        var effects = Effects()
        if let entry = held[id] {
            _ = admission.finished(id)
            held[id] = nil
            release(entry.job)
            add(FinishedAttempt(job: entry.job, write: .cancelled(reason: reason, log: []), seconds: 0), at: now)
            effects.wakesDriver = true
        } else if running[id]?.cancelReason == nil, running[id] != nil {
            running[id]?.cancelReason = reason
            stop(id, &effects, at: now)
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
    mutating func lose(at now: Duration) -> (effects: Effects, dropped: Int) {
        var effects = Effects(wakesDriver: true, wakesWatch: true)
        guard phase != .lost else { return (effects, 0) }
        phase = .lost
        for id in running.keys { stop(id, &effects, at: now) }
        effects.refused += running.values.compactMap(\.raise)
        for id in running.keys { running[id]?.raise = nil }
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
                for id in running.keys { stop(id, &effects, at: now) }
            } else {
                look(until)
            }
        }
        for (id, entry) in running {
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
                if entry.isEnding { continue }
                if now >= limit { effects.abandoned.append(entry.context) } else { look(limit) }
            }
        }
        watchAt = next
        return (effects, next)
    }
}
