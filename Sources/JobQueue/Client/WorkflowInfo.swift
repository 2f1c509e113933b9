public import Foundation

/// A workflow and how far it has come.
public struct WorkflowInfo: Sendable, Hashable, Codable, Identifiable {
    /// What it is known by.
    public var id: UUID
    /// As it was enqueued under.
    public var name: String
    /// `running`, `cancelling`, `succeeded`, `failed` or `cancelled`.
    public var status: String
    /// How many jobs it has, those that others spawned into it included.
    public var total: Int
    /// How many have succeeded.
    public var succeeded: Int
    /// How many are dead.
    public var dead: Int
    /// How many were cancelled.
    public var cancelled: Int
    /// How many are none of these.
    public var unfinished: Int
    /// When it was enqueued.
    public var createdAt: Date
    /// The role that enqueued it.
    public var createdBy: String
    /// When its last job ended; nil while one is unfinished.
    public var finishedAt: Date?
    /// When somebody cancelled it.
    public var cancelRequestedAt: Date?
    /// Why.
    public var cancelReason: String?
    /// Who.
    public var cancelBy: String?
    /// What was said about it when it was enqueued.
    public var metadata: JSONValue?

    /// Whether every job of it is over.
    public var isFinished: Bool { status != "running" && status != "cancelling" }
}

/// A job of a workflow.
public struct WorkflowNode: Sendable, Hashable, Codable {
    /// Its name; nil for one that another job spawned without a name.
    public var node: String?
    /// What the job itself is known by.
    public var job: JobID
    /// What it is: the name that its handler is registered under.
    public var kind: String
    /// The queue it is in: its kind's name unless another was given.
    public var queue: String
    /// Where it stands.
    public var state: JobState
    /// Attempts begun that count against `maxAttempts`.
    public var attempt: Int
    /// How many attempts there are in all.
    public var maxAttempts: Int
    /// When it may run, or might have.
    public var runAt: Date
    /// When its handler began, where that was later than the claim; once the job is over, when it was claimed last.
    public var startedAt: Date?
    /// When it succeeded, died or was cancelled; nil while it is unfinished.
    public var finishedAt: Date?
    /// How long the last attempt took, once it has finished.
    public var seconds: Double?
    /// 0 to 1.
    public var progress: Double?
    /// Why it is in its state.
    public var reason: String?
    /// The message of the last attempt that did not succeed.
    public var error: String?
    /// What it waits for, or has waited for: names, and ids of jobs that have none in the workflow.
    public var after: [String]
}

/// A workflow that was waited for has failed or was cancelled.
public struct WorkflowFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The workflow as it ended.
    public var workflow: WorkflowInfo

    /// - Parameter workflow: one that did not succeed.
    public init(workflow: WorkflowInfo) { self.workflow = workflow }

    public var description: String {
        let reason = workflow.cancelReason.map { ": \($0)" } ?? ""
        return """
            workflow \(workflow.id.uuidString.lowercased()) (\(workflow.name)) is \(workflow.status): \
            \(workflow.succeeded) of \(workflow.total) jobs succeeded, \(workflow.dead) are dead, \
            \(workflow.cancelled) cancelled\(reason)
            """
    }
}

/// A workflow that has been enqueued.
public struct EnqueuedWorkflow: Sendable, Hashable, Codable {
    /// What the workflow is known by.
    public var id: UUID
    /// The jobs' ids by their names.
    public var jobs: [String: JobID]
}

/// A schedule.
public struct ScheduleInfo: Sendable, Hashable, Codable {
    /// Unique.
    public var name: String
    /// When it fires; see ``CronExpression``.
    public var cron: String
    /// The zone of the clock that it goes by, such as `Europe/Berlin`.
    public var timezone: String
    /// The kind of the jobs that it makes.
    public var kind: String
    /// Their payload.
    public var payload: JSONValue
    /// Their options, as `enqueue_many` takes them.
    public var options: JSONValue
    /// What becomes of ticks that passed while no worker was there.
    public var missed: MissedTicks
    /// Whether it fires nothing until it is resumed.
    public var paused: Bool
    /// The last moment it fired for.
    public var lastTick: Date?
    /// The job that was made then.
    public var lastJob: JobID?
    /// When it fires next; nil while it is paused.
    public var nextTick: Date?
    /// The role that made it, in whose name its jobs are enqueued.
    public var createdBy: String
    /// When it was made.
    public var createdAt: Date
    /// When it was changed last.
    public var changedAt: Date
}
