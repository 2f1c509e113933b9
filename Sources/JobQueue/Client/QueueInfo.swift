public import Foundation

/// A queue: its limits, and how many jobs of it are in each state. Those that have finished are counted from the
/// beginning.
public struct QueueInfo: Sendable, Hashable, Codable {
    public var queue: String
    public var paused: Bool
    public var blocked: Int
    public var scheduled: Int
    public var ready: Int
    public var running: Int
    public var failed: Int
    public var succeeded: Int
    public var cancelled: Int
    public var dead: Int
    public var concurrency: Int?
    public var workerConcurrency: Int?
    public var keyConcurrency: Int?
    public var rateLimit: Int?
    public var rateIntervalSeconds: Double?
    public var changedAt: Date?
    public var changedBy: String?
}

/// The limits of a queue; nil is none.
public struct QueueLimits: Sendable, Hashable {
    /// Starts in any stretch of time of that length.
    public struct Rate: Sendable, Hashable {
        public var limit: Int
        public var interval: Duration

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
    public var rate: Rate?

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
    public var id: UUID
    public var name: String
    public var host: String?
    public var pid: Int?
    public var version: String?
    public var queues: [String]
    public var kinds: [String]
    public var cores: Double?
    /// Bytes.
    public var memory: Int64?
    public var slots: Int?
    /// `alive`, `draining`, `gone` (it said goodbye), `expired` (it does not renew) or `dead` (its jobs were rescued).
    public var state: String
    public var asleep: Bool
    /// Jobs that it has.
    public var running: Int
    public var startedAt: Date
    public var renewedAt: Date
    public var expiresAt: Date
    public var stoppedAt: Date?
    /// Jobs that were taken back from it.
    public var rescued: Int
    public var details: JSONValue?
}

/// What the queue as a whole is like.
public struct HealthInfo: Sendable, Hashable, Codable {
    public var ready: Int
    public var running: Int
    public var dead: Int
    /// How long the longest-waiting job at the head of a queue has been ready.
    public var oldestReadySeconds: Double?
    public var workersAlive: Int
    public var workersExpired: Int
    /// Transactions since the oldest snapshot: what died since cannot be vacuumed.
    public var horizonAge: Int?
    public var oldestTransactionSeconds: Double?
    /// Rows of the table of unfinished jobs.
    public var deadRows: Int
    public var liveRows: Int
    public var lastAutovacuum: Date?
    public var tableBytes: Int64
    public var indexBytes: Int64
}
