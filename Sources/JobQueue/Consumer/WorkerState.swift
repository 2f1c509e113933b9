import Foundation

/// Everything that a session decides on, behind one lock. Its methods change it and return what to do; whoever calls
/// does that after letting go of the lock.
///
/// What it decides: `+Trips` when to talk to the database and about what, `+Attempts` how jobs come, start and end,
/// `+Stops` what makes handlers stop.
///
/// Times are durations since the session's beginning.
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

    /// A job whose handler runs.
    struct Running: Sendable {
        let context: JobContext
        let startedAt: Duration
        /// What it takes of the worker; its handler may change it.
        var weight: JobWeight
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
        /// What its handler waits for, and the weight that it has asked for.
        var raise: (continuation: CheckedContinuation<Void, any Error>, weight: JobWeight)?
    }

    /// A job that is claimed and not started.
    struct Held: Sendable {
        let job: ClaimedJob
        let since: Duration
        /// Claimed beyond the free slots, to save round trips.
        let isExtra: Bool
        var alone: Bool
    }

    var phase = Phase.working
    var admission: Admission<UUID>
    var pacing: FetchPacing
    var batch = CompletionBatch<FinishedAttempt>()
    var throttle = ProgressThrottle<UUID, (context: JobContext, report: JobProgress)>()
    var lostClaims: LostClaims
    var ahead = ClaimAhead()
    var room: QueueRoom
    var running: [UUID: Running] = [:]
    var held: [UUID: Held] = [:]
    let queues: [String]
    let cancellationGrace: Duration
    let share: Int
    var hasAnnouncedDrain = false
    /// The tokens of jobs whose outcome is in the batch.
    var writing: Set<Int64> = []
    /// Jobs that somebody cancelled before the answer to their claim came; nil while no claim is under way.
    var cancelledEarly: [UUID: String]?
    var isClaiming: Bool { cancelledEarly != nil }
    /// Until then somebody may be holding rows that results need: nothing waits long for a lock.
    var impatientUntil = Duration.zero
    /// Until then the results of jobs claimed in advance wait for each other.
    var backlogUntil = Duration.zero
    /// The worker is to be marked asleep as soon as the results are written.
    var sleepsNext = false
    /// When the thread that watches looks again; nil: not before it is woken.
    var watchAt: Duration?

    init(options: WorkerOptions, queues: [String], limits: [String: Int], pollInterval: Duration) {
        admission = Admission(slots: options.slots, cores: options.capacity.cores, memory: options.memory)
        var settings = FetchPacing.Settings()
        settings.pollInterval = pollInterval
        settings.backoff = Backoff(base: .milliseconds(20), cap: .seconds(5), jitter: .equal)
        pacing = FetchPacing(slots: options.slots, settings: settings)
        lostClaims = LostClaims(lease: options.lease)
        room = QueueRoom(limits: limits)
        self.queues = queues
        cancellationGrace = options.cancellationGrace
        share = max(1, options.slots / 2)
    }

    /// Whether this attempt runs, rather than an earlier one of the same job that was left to itself.
    func runs(_ context: JobContext) -> Bool { running[context.id]?.context === context }

    /// Whether the claim of that token is one of a job that is held, runs or is being written.
    func knows(_ id: UUID, token: Int64) -> Bool {
        held[id]?.job.token == token || running[id]?.context.job.token == token || writing.contains(token)
    }
}
