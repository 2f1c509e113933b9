public import Foundation

/// What may be said about a job besides its kind and payload. What is left out is the kind's default, then the
/// queue's own.
public struct EnqueueOptions: Sendable {
    /// By default the kind's queue, else one of the kind's name.
    public var queue: String?
    /// Higher runs first; 0 by default.
    public var priority: Int?
    /// Not before this moment; by default as soon as possible.
    public var runAt: Date?
    /// 1 to 10,000; 1 is never tried again.
    public var maxAttempts: Int?
    /// How long one attempt may take.
    public var timeout: Duration?
    /// A key that no other job of the kind may have at the same time; nil: none.
    public var unique: Unique?
    /// Jobs of one key, a tenant for example, take turns with those of others, and the queue may limit how many run.
    public var concurrencyKey: String?
    /// Jobs that must have finished before.
    public var dependsOn: [JobID]
    /// What becomes of the job when one of those fails; `cancel` by default.
    public var onParentFailure: ParentFailure?
    /// A workflow that the job joins.
    public var workflow: UUID?
    /// Its weight: cores, more than 0; a fraction is fine.
    public var cores: Double?
    /// Its weight: bytes of memory.
    public var memory: Int64?
    /// Anything, for people and programs to find it by; handlers can read it.
    public var metadata: JSONValue?

    /// All is optional: `EnqueueOptions(priority: 10, timeout: .seconds(60))`. Nothing is checked before `enqueue`.
    public init(
        queue: String? = nil, priority: Int? = nil, runAt: Date? = nil, maxAttempts: Int? = nil,
        timeout: Duration? = nil, unique: Unique? = nil, concurrencyKey: String? = nil, dependsOn: [JobID] = [],
        onParentFailure: ParentFailure? = nil, workflow: UUID? = nil, cores: Double? = nil, memory: Int64? = nil,
        metadata: JSONValue? = nil
    ) {
        self.queue = queue
        self.priority = priority
        self.runAt = runAt
        self.maxAttempts = maxAttempts
        self.timeout = timeout
        self.unique = unique
        self.concurrencyKey = concurrencyKey
        self.dependsOn = dependsOn
        self.onParentFailure = onParentFailure
        self.workflow = workflow
        self.cores = cores
        self.memory = memory
        self.metadata = metadata
    }
}

/// Makes a job the only one of its kind with that key.
public struct Unique: Sendable, Hashable {
    /// How long the key is taken.
    public enum Scope: Sendable, Hashable {
        /// Until a worker has the job.
        case waiting
        /// Until the job is over.
        case unfinished
        /// For so long from now on, whatever becomes of the job.
        case period(Duration)
    }

    /// What happens when the key is taken.
    public enum OnDuplicate: String, Sendable, Hashable, Codable, CaseIterable {
        /// Nothing; the id of the job that has it is returned.
        case keep
        /// That job, while it waits, is given the new payload, time and priority.
        case replace
    }

    /// 1 to 1000 bytes.
    public var key: String
    /// For how long no other job may have the key.
    public var scope: Scope
    /// What an enqueue does that finds the key taken.
    public var onDuplicate: OnDuplicate

    /// By default the key is free again once the job is over, and a second job is not made.
    public init(_ key: String, scope: Scope = .unfinished, onDuplicate: OnDuplicate = .keep) {
        self.key = key
        self.scope = scope
        self.onDuplicate = onDuplicate
    }
}

extension Unique {
    var scopeName: String {
        switch scope {
        case .waiting: "waiting"
        case .unfinished: "unfinished"
        case .period: "period"
        }
    }

    var period: Duration? {
        guard case .period(let period) = scope else { return nil }
        return period
    }
}
