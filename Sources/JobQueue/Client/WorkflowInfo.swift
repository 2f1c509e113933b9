public import Foundation

/// A workflow and how far it has come.
public struct WorkflowInfo: Sendable, Hashable, Codable, Identifiable {
    public var id: UUID
    public var name: String
    /// `running`, `cancelling`, `succeeded`, `failed` or `cancelled`.
    public var status: String
    public var total: Int
    public var succeeded: Int
    public var dead: Int
    public var cancelled: Int
    public var unfinished: Int
    public var createdAt: Date
    public var createdBy: String
    public var finishedAt: Date?
    public var cancelRequestedAt: Date?
    public var cancelReason: String?
    public var cancelBy: String?
    public var metadata: JSONValue?

    /// Whether every job of it is over.
    public var isFinished: Bool { status != "running" && status != "cancelling" }
}

/// A job of a workflow.
public struct WorkflowNode: Sendable, Hashable, Codable {
    /// Its name; nil for one that another job spawned without a name.
    public var node: String?
    public var job: JobID
    public var kind: String
    public var queue: String
    public var state: JobState
    public var attempt: Int
    public var maxAttempts: Int
    /// When it may run, or might have.
    public var runAt: Date
    public var startedAt: Date?
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
    public var workflow: WorkflowInfo

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
    public var id: UUID
    /// The jobs' ids by their names.
    public var jobs: [String: JobID]
}

/// A schedule.
public struct ScheduleInfo: Sendable, Hashable, Codable {
    public var name: String
    public var cron: String
    public var timezone: String
    public var kind: String
    public var payload: JSONValue
    public var options: JSONValue
    public var missed: MissedTicks
    public var paused: Bool
    /// The last moment it fired for.
    public var lastTick: Date?
    public var lastJob: JobID?
    /// When it fires next; nil while it is paused.
    public var nextTick: Date?
    public var createdBy: String
    public var createdAt: Date
    public var changedAt: Date
}
