/// A job that is to be enqueued.
public struct NewJob: Sendable {
    public var kind: String
    public var payload: any Encodable & Sendable
    public var options: EnqueueOptions

    public init(
        _ kind: String, _ payload: any Encodable & Sendable = JSONValue.object([:]),
        _ options: EnqueueOptions = EnqueueOptions()
    ) {
        self.kind = kind
        self.payload = payload
        self.options = options
    }
}

/// A workflow that is to be enqueued: jobs by name, each with the names of those that must finish before it.
///
/// ```swift
/// WorkflowRequest("publish", jobs: [
///     "encode": WorkflowJob("media.transcode", source),
///     "notify": WorkflowJob("mail", letter, after: ["encode"]),
/// ])
/// ```
public struct WorkflowRequest: Sendable {
    public var name: String
    /// 1 to 10,000, by names of 1 to 200 bytes.
    public var jobs: [String: WorkflowJob]
    public var metadata: JSONValue?

    public init(_ name: String, jobs: [String: WorkflowJob], metadata: JSONValue? = nil) {
        self.name = name
        self.jobs = jobs
        self.metadata = metadata
    }
}

/// A job of a workflow.
public struct WorkflowJob: Sendable {
    public var job: NewJob
    /// Those of the same workflow that must finish before; `job.options.dependsOn` names others.
    public var after: [WorkflowParent]

    public init(
        _ kind: String, _ payload: any Encodable & Sendable = JSONValue.object([:]), after: [WorkflowParent] = [],
        _ options: EnqueueOptions = EnqueueOptions()
    ) {
        job = NewJob(kind, payload, options)
        self.after = after
    }
}

/// A job of a workflow that another waits for: its name, and what its failure means.
public struct WorkflowParent: Sendable, Hashable, ExpressibleByStringLiteral {
    public var name: String
    /// By default what the job's own options say, else `cancel`.
    public var onFailure: ParentFailure?

    public init(_ name: String, onFailure: ParentFailure? = nil) {
        self.name = name
        self.onFailure = onFailure
    }

    public init(stringLiteral value: String) { self.init(value) }
}
