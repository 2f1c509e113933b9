public import Foundation

/// What a job is known by: a UUID of version 7, so ids sort by the time they were made.
public typealias JobID = UUID

/// Where a job stands.
public enum JobState: String, Sendable, Hashable, Codable, CaseIterable {
    /// Waits for its parents.
    case blocked
    /// Waits for its time.
    case scheduled
    /// May be claimed by a worker.
    case ready
    /// A worker has it.
    case running
    /// An attempt failed, and it waits for the next.
    case failed
    /// Its handler returned, and the result is stored.
    case succeeded
    /// Somebody cancelled it, its handler did, or the failure of a parent.
    case cancelled
    /// It has failed for good.
    case dead

    /// Whether it is over: succeeded, cancelled or dead.
    public var isFinished: Bool { self == .succeeded || self == .cancelled || self == .dead }
}

/// What becomes of a job when a parent of it ends dead or cancelled.
public enum ParentFailure: String, Sendable, Hashable, Codable, CaseIterable {
    /// It is cancelled as well, and its own children in turn.
    case cancel
    /// It runs, as if the parent were done.
    case run
    /// It is cancelled, and with it all that is unfinished of the workflow.
    case failWorkflow = "fail_workflow"
}
