public import Foundation

/// A job as the queue knows it.
public struct JobInfo: Sendable, Hashable, Codable, Identifiable {
    public var id: JobID
    public var kind: String
    public var queue: String
    public var state: JobState
    public var priority: Int
    /// When it may run, or might have.
    public var runAt: Date
    /// Attempts begun that count against `maxAttempts`.
    public var attempt: Int
    public var maxAttempts: Int
    public var timeoutSeconds: Double?
    public var cores: Double
    /// Bytes.
    public var memory: Int64
    public var concurrencyKey: String?
    public var uniqueKey: String?
    public var workflow: UUID?
    /// Its name in the workflow.
    public var node: String?
    public var parents: [JobID]?
    public var worker: UUID?
    public var claimedAt: Date?
    public var startedAt: Date?
    public var finishedAt: Date?
    /// How long the last attempt took, once it has finished.
    public var seconds: Double?
    /// How often its worker died while nothing else could have been the cause.
    public var crashes: Int
    public var cancelRequestedAt: Date?
    public var cancelReason: String?
    public var createdAt: Date
    /// The role that enqueued it.
    public var createdBy: String
    public var changedAt: Date?
    /// Who brought it into its state, and why.
    public var changedBy: String?
    public var reason: String?
    /// The attempts that did not succeed, the newest 25, oldest first.
    public var errors: [AttemptInfo]?
    public var progress: ProgressInfo?
    public var steps: [StepInfo]?
    public var payload: RawJSON?
    /// What its handler returned, once it has succeeded; `null` if that was nothing.
    public var result: RawJSON?
    public var metadata: RawJSON?
}

/// An attempt that did not succeed.
public struct AttemptInfo: Sendable, Hashable, Codable {
    public var attempt: Int?
    /// `failed`, `permanent`, `cancelled`, `worker_lost`, `dead` and others.
    public var outcome: String?
    /// The worker's name.
    public var worker: String?
    public var startedAt: Date?
    public var seconds: Double?
    /// An object with `code`, `message` and whatever else is known.
    public var error: JSONValue?
    /// Its last log lines.
    public var log: JSONValue?

    public var code: String? { error?["code"]?.string }
    public var message: String? { error?["message"]?.string }
}

/// How far a job has come, as of its worker's last renewal.
public struct ProgressInfo: Sendable, Hashable, Codable {
    /// 0 to 1.
    public var fraction: Double?
    public var phase: String?
    public var message: String?
    public var details: JSONValue?
    /// What the next attempt is handed.
    public var checkpoint: JSONValue?
    public var updatedAt: Date
}

/// A durable step of a job.
public struct StepInfo: Sendable, Hashable, Codable {
    public var name: String
    public var seq: Int
    /// `running`, `succeeded` or `failed`.
    public var status: String
    public var attempt: Int
    public var startedAt: Date
    public var finishedAt: Date?
    public var result: JSONValue?
    /// Where a result that is too large for the row lies.
    public var artifact: String?
    public var error: JSONValue?
    public var metadata: JSONValue?
}

/// Which jobs to list.
public struct JobFilter: Sendable, Hashable {
    /// Empty: any.
    public var states: Set<JobState>
    public var kind: String?
    public var queue: String?
    public var workflow: UUID?
    /// The newest so many, at most 10,000.
    public var limit: Int

    public init(
        states: Set<JobState> = [], kind: String? = nil, queue: String? = nil, workflow: UUID? = nil, limit: Int = 100
    ) {
        self.states = states
        self.kind = kind
        self.queue = queue
        self.workflow = workflow
        self.limit = limit
    }
}

/// What a request to cancel has come to.
public enum CancelOutcome: Sendable, Hashable {
    case cancelled
    /// It runs, and its worker has been told.
    case cancelling
    /// It was over before.
    case finished(JobState)
}

/// A job that was waited for has ended dead or cancelled.
public struct JobFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public var job: JobInfo

    public init(job: JobInfo) { self.job = job }

    /// The last attempt that did not succeed.
    public var lastAttempt: AttemptInfo? { job.errors?.last }
    /// What went wrong: the last error's message, or why it was cancelled.
    public var message: String {
        (job.state == .dead ? lastAttempt?.message : nil) ?? job.reason ?? "no reason is known"
    }

    public var description: String { "job \(job.id.uuidString.lowercased()) (\(job.kind)) is \(job.state): \(message)" }
}
