/// A job that is to be enqueued.
public struct NewJob: Sendable {
    /// What it is: the name that its handler is registered under.
    public var kind: String
    /// What its handler is given: anything that can be JSON; a ``RawJSON`` is taken as it is.
    public var payload: any Encodable & Sendable
    /// Everything else.
    public var options: EnqueueOptions

    /// Nothing is checked before it is enqueued.
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
    /// For people; workflows may share a name.
    public var name: String
    /// 1 to 10,000, by names of 1 to 200 bytes.
    public var jobs: [String: WorkflowJob]
    /// Anything, for people and programs to find it by.
    public var metadata: JSONValue?

    /// Nothing is checked before it is enqueued.
    public init(_ name: String, jobs: [String: WorkflowJob], metadata: JSONValue? = nil) {
        self.name = name
        self.jobs = jobs
        self.metadata = metadata
    }
}

/// A job of a workflow.
public struct WorkflowJob: Sendable {
    /// Its kind, payload and options.
    public var job: NewJob
    /// Those of the same workflow that must finish before; `job.options.dependsOn` names others.
    public var after: [WorkflowParent]

    /// - Parameter after: names of jobs in the same workflow.
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
    /// Its name in the workflow.
    public var name: String
    /// By default what the job's own options say, else `cancel`.
    public var onFailure: ParentFailure?

    /// - Parameter onFailure: what becomes of the job that waits when this one ends dead or cancelled.
    public init(_ name: String, onFailure: ParentFailure? = nil) {
        self.name = name
        self.onFailure = onFailure
    }

    public init(stringLiteral value: String) { self.init(value) }
}
