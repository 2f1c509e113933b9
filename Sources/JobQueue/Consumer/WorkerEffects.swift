extension WorkerState {
    /// What is to be done without the lock.
    struct Effects: Sendable {
        var start: [(context: JobContext, alone: Bool, announce: Bool)] = []
        var cancel: [Task<Void, Never>] = []
        /// Handlers that wait for a heavier weight, and what they are told.
        var answer: [(raise: CheckedContinuation<Void, any Error>, with: Result<Void, any Error>)] = []
        var abandoned: [JobContext] = []
        var wakesDriver = false
        var wakesWatch = false
    }

    /// What the driver does next.
    enum Step: Sendable {
        /// One round trip; either may be nothing.
        case trip(flush: [FinishedAttempt], claim: Claim?)
        /// Write an outcome whose row somebody was holding.
        case retry(FinishedAttempt)
        /// Look for jobs of claims whose answer was lost.
        case lookForLost
        case sleep
        case announceDrain
        case wait(until: Duration?)
        case finished
    }

    /// What to ask for.
    struct Claim: Sendable {
        /// How many are to start at once.
        var most: Int
        /// How many more to take in advance.
        var extra: Int
        /// How many of each queue, in the order of the queues.
        var allowance: [Int]
        var free: JobWeight
        /// The worker runs nothing, so that it may be given a job that must run alone.
        var isIdle: Bool
        /// Jobs of an earlier claim still wait for their start.
        var isAhead: Bool
    }
}
