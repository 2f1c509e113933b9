public import Foundation

/// A job as the queue knows it.
public struct JobInfo: Sendable, Hashable, Codable, Identifiable {
    /// What it is known by.
    public var id: JobID
    /// What it is: the name that its handler is registered under.
    public var kind: String
    /// The queue it is in: its kind's name unless another was given.
    public var queue: String
    /// Where it stands.
    public var state: JobState
    /// Higher runs first.
    public var priority: Int
    /// When it may run, or might have.
    public var runAt: Date
    /// Attempts begun that count against `maxAttempts`.
    public var attempt: Int
    /// How many attempts there are in all.
    public var maxAttempts: Int
    /// How long an attempt may take, in seconds; nil: no limit.
    public var timeoutSeconds: Double?
    /// CPU cores that it takes while it runs.
    public var cores: Double
    /// Bytes.
    public var memory: Int64
    /// What it takes turns by, such as a tenant.
    public var concurrencyKey: String?
    /// The key that it was made unique with.
    public var uniqueKey: String?
    /// The workflow that it is part of.
    public var workflow: UUID?
    /// Its name in the workflow.
    public var node: String?
    /// The jobs that it depends on.
    public var parents: [JobID]?
    /// The worker that has it, or had it last.
    public var worker: UUID?
    /// When that worker took it.
    public var claimedAt: Date?
    /// When its handler began, where that was later than the claim.
    public var startedAt: Date?
    /// When it succeeded, died or was cancelled; nil while it is unfinished.
    public var finishedAt: Date?
    /// How long the last attempt took, once it has finished.
    public var seconds: Double?
    /// How often its worker died while nothing else could have been the cause.
    public var crashes: Int
    /// When somebody asked for it to be cancelled while it ran.
    public var cancelRequestedAt: Date?
    /// Why.
    public var cancelReason: String?
    /// When it was enqueued.
    public var createdAt: Date
    /// The role that enqueued it.
    public var createdBy: String
    /// When it came into its state.
    public var changedAt: Date?
    /// Who brought it into its state, and why.
    public var changedBy: String?
    /// Why it is in its state.
    public var reason: String?
    /// The attempts that did not succeed, the newest 25, oldest first.
    public var errors: [AttemptInfo]?
    /// How far it has come, if its handler has told; from `job(_:)` alone.
    public var progress: ProgressInfo?
    /// Its durable steps in the order in which they first began; from `job(_:)` alone.
    public var steps: [StepInfo]?
    /// What its handler is given; from `job(_:)` alone.
    public var payload: RawJSON?
    /// What its handler returned, once it has succeeded; `null` if that was nothing.
    public var result: RawJSON?
    /// What was said about it when it was enqueued; from `job(_:)` alone.
    public var metadata: RawJSON?
}

/// An attempt that did not succeed.
public struct AttemptInfo: Sendable, Hashable, Codable {
    /// Which attempt it was; the first is 1.
    public var attempt: Int?
    /// `failed`, `permanent`, `cancelled`, `worker_lost`, `dead` and others.
    public var outcome: String?
    /// The worker's name.
    public var worker: String?
    /// When it began.
    public var startedAt: Date?
    /// How long it took.
    public var seconds: Double?
    /// An object with `code`, `message` and whatever else is known.
    public var error: JSONValue?
    /// Its last log lines.
    public var log: JSONValue?

    /// The error's code, such as `error`, `timeout`, `payload` or `worker_lost`.
    public var code: String? { error?["code"]?.string }
    /// What went wrong, for people.
    public var message: String? { error?["message"]?.string }
}

/// How far a job has come. Written about once a second.
public struct ProgressInfo: Sendable, Hashable, Codable {
    /// 0 to 1.
    public var fraction: Double?
    /// What it is doing, in a word of the handler's.
    public var phase: String?
    /// The same for people, in a sentence.
    public var message: String?
    /// Whatever else the handler had to say.
    public var details: JSONValue?
    /// What the next attempt is handed.
    public var checkpoint: JSONValue?
    /// When that was written.
    public var updatedAt: Date
}

/// A durable step of a job.
public struct StepInfo: Sendable, Hashable, Codable {
    /// Unique within the job.
    public var name: String
    /// Its place among the job's steps; the first is 1.
    public var seq: Int
    /// `running`, `succeeded` or `failed`.
    public var status: String
    /// The attempt that ran it last.
    public var attempt: Int
    /// When it began, last.
    public var startedAt: Date
    /// When it succeeded or failed; nil while it runs.
    public var finishedAt: Date?
    /// What it returned, once it has succeeded, unless that lies elsewhere.
    public var result: JSONValue?
    /// Where a result that is too large for the row lies.
    public var artifact: String?
    /// Why it failed: an object with `code` and `message`.
    public var error: JSONValue?
    /// What was said about it when it began.
    public var metadata: JSONValue?
}

/// Which jobs to list.
public struct JobFilter: Sendable, Hashable {
    /// Empty: any.
    public var states: Set<JobState>
    /// Of this kind alone.
    public var kind: String?
    /// In this queue alone.
    public var queue: String?
    /// Of this workflow alone.
    public var workflow: UUID?
    /// Older than this one alone: the last of the page before.
    public var before: JobID?
    /// The newest so many, at most 10,000.
    public var limit: Int

    /// By default the newest 100 of all.
    public init(
        states: Set<JobState> = [], kind: String? = nil, queue: String? = nil, workflow: UUID? = nil,
        before: JobID? = nil, limit: Int = 100
    ) {
        self.states = states
        self.kind = kind
        self.queue = queue
        self.workflow = workflow
        self.before = before
        self.limit = limit
    }
}

/// What a request to cancel has come to.
public enum CancelOutcome: Sendable, Hashable {
    /// It waited, and is cancelled; or had been before.
    case cancelled
    /// It runs, and its worker has been told.
    case cancelling
    /// It was over before.
    case finished(JobState)
}

/// A job that was waited for has ended dead or cancelled.
public struct JobFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The job as it ended.
    public var job: JobInfo

    /// - Parameter job: one that is dead or cancelled.
    public init(job: JobInfo) { self.job = job }

    /// The last attempt that did not succeed.
    public var lastAttempt: AttemptInfo? { job.errors?.last }
    /// What went wrong: the last error's message, or why it was cancelled.
    public var message: String {
        (job.state == .dead ? lastAttempt?.message : nil) ?? job.reason ?? "no reason is known"
    }

    public var description: String { "job \(job.id.uuidString.lowercased()) (\(job.kind)) is \(job.state): \(message)" }
}
