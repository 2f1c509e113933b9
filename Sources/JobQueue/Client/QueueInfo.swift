public import Foundation

/// A queue: its limits, and how many jobs of it are in each state. Those that have finished are counted from the
/// beginning.
public struct QueueInfo: Sendable, Hashable, Codable {
    /// Its name.
    public var queue: String
    /// Whether nothing of it is claimed until it is resumed.
    public var paused: Bool
    /// Jobs that wait for their parents.
    public var blocked: Int
    /// Jobs that wait for their time.
    public var scheduled: Int
    /// Jobs that a worker may take.
    public var ready: Int
    /// Jobs that workers have.
    public var running: Int
    /// Jobs that wait for their next attempt.
    public var failed: Int
    /// Jobs that have succeeded since the beginning.
    public var succeeded: Int
    /// Jobs that were cancelled since the beginning.
    public var cancelled: Int
    /// Jobs that have died since the beginning, less those that were retried.
    public var dead: Int
    /// How many may run at a time, in all workers together; nil: no limit.
    public var concurrency: Int?
    /// How many may run at a time in one worker; nil: no limit.
    public var workerConcurrency: Int?
    /// How many of one concurrency key may run at a time; nil: no limit.
    public var keyConcurrency: Int?
    /// How many may start in `rateIntervalSeconds`; nil: no limit.
    public var rateLimit: Int?
    /// Seconds.
    public var rateIntervalSeconds: Double?
    /// When its limits were set or it was paused.
    public var changedAt: Date?
    /// The role that did.
    public var changedBy: String?
}

/// The limits of a queue; nil is none.
public struct QueueLimits: Sendable, Hashable {
    /// Starts in any stretch of time of that length.
    public struct Rate: Sendable, Hashable {
        /// How many may start; at least 1.
        public var limit: Int
        /// The length of time.
        public var interval: Duration

        /// `Rate(20, per: .seconds(1))`.
        public init(_ limit: Int, per interval: Duration) {
            self.limit = limit
            self.interval = interval
        }
    }

    /// Jobs that run at a time, in all workers together.
    public var concurrency: Int?
    /// In each worker.
    public var workerConcurrency: Int?
    /// Of each concurrency key.
    public var keyConcurrency: Int?
    /// How many may start in a stretch of time.
    public var rate: Rate?

    /// What is left out is not limited.
    public init(
        concurrency: Int? = nil, workerConcurrency: Int? = nil, keyConcurrency: Int? = nil, rate: Rate? = nil
    ) {
        self.concurrency = concurrency
        self.workerConcurrency = workerConcurrency
        self.keyConcurrency = keyConcurrency
        self.rate = rate
    }
}

/// A worker, alive or lately so.
public struct WorkerInfo: Sendable, Hashable, Codable, Identifiable {
    /// New each time that it registers.
    public var id: UUID
    /// What people see of it; host and process by default.
    public var name: String
    /// The machine or container that it runs on.
    public var host: String?
    /// Its process there.
    public var pid: Int?
    /// The version of its library.
    public var version: String?
    /// The queues that it serves.
    public var queues: [String]
    /// The kinds that it has handlers for.
    public var kinds: [String]
    /// CPU cores that its jobs may take together.
    public var cores: Double?
    /// Bytes.
    public var memory: Int64?
    /// How many handlers it runs at a time.
    public var slots: Int?
    /// `alive`, `draining`, `gone` (it said goodbye), `expired` (it does not renew) or `dead` (its jobs were rescued).
    public var state: String
    /// Whether it has found nothing to do, and wants to be notified.
    public var asleep: Bool
    /// Jobs that it has.
    public var running: Int
    /// When it registered.
    public var startedAt: Date
    /// When it last showed that it is alive.
    public var renewedAt: Date
    /// When its lease ends unless it does so again.
    public var expiresAt: Date
    /// When it left, or was given up.
    public var stoppedAt: Date?
    /// Jobs that were taken back from it.
    public var rescued: Int
    /// What else it said of itself.
    public var details: JSONValue?
}

/// What the queue as a whole is like.
public struct HealthInfo: Sendable, Hashable, Codable {
    /// Jobs that a worker may take.
    public var ready: Int
    /// Jobs that workers have.
    public var running: Int
    /// Jobs that have died since the beginning, less those that were retried.
    public var dead: Int
    /// How long the longest-waiting job at the head of a queue has been ready.
    public var oldestReadySeconds: Double?
    /// Workers whose lease is good.
    public var workersAlive: Int
    /// Workers whose lease has ended and whose jobs are yet to be taken back.
    public var workersExpired: Int
    /// Transactions since the oldest snapshot: what died since cannot be vacuumed.
    public var horizonAge: Int?
    /// How long the oldest open transaction has been going on.
    public var oldestTransactionSeconds: Double?
    /// Rows of the table of unfinished jobs.
    public var deadRows: Int
    /// Jobs that are unfinished, about.
    public var liveRows: Int
    /// When that table was last vacuumed by the server itself.
    public var lastAutovacuum: Date?
    /// Its size on disk.
    public var tableBytes: Int64
    /// The size of its indexes.
    public var indexBytes: Int64
}
