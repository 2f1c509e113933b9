public import Foundation
public import Logging

/// A job as its handler gets it.
///
/// ```swift
/// worker.register("media.transcode", KindOptions(cores: 2)) { (job: Job<Transcode>) in
///     let source = try await job.step("download") { try await download(job.payload.source) }
///     job.progress(0.5, phase: "encode")
///     return try await encode(source)
/// }
/// ```
public struct Job<Payload: Sendable>: RunningJob {
    /// What was enqueued with it.
    public let payload: Payload
    /// The job without its payload's type.
    public let context: JobContext

    /// What it is known by.
    public var id: UUID { context.id }
    /// The kind that its handler is registered for.
    public var kind: String { context.kindName }
    /// The queue it came from.
    public var queue: String { context.queue }
    /// Which attempt it is; the first is 1.
    public var attempt: Int { context.attempt }
    /// How many attempts there are in all.
    public var maxAttempts: Int { context.maxAttempts }
    /// The workflow that it is part of.
    public var workflow: UUID? { context.workflow }
    /// Its last lines are kept with an attempt that fails.
    public var logger: Logger { context.logger }
}

/// What a handler may do while its job runs. Calls that write throw `leaseLost` once the job is somebody else's.
public protocol RunningJob: Sendable {
    /// The job, and the worker that runs it.
    var context: JobContext { get }
}
