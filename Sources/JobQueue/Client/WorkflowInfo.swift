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
