public import Foundation
import Locking
public import Logging

/// A job that runs, without its payload's type: what middleware sees, and what ``Job`` is built on. Thread-safe.
public final class JobContext: RunningJob, Sendable {
    private struct State {
        var logger: Logger?
        var progress: JobProgress?
    }

    let job: ClaimedJob
    let session: WorkerSession
    let kind: RegisteredKind
    let log = AttemptLog()
    private let state = Locked(State())

    init(_ job: ClaimedJob, session: WorkerSession, kind: RegisteredKind) {
        self.job = job
        self.session = session
        self.kind = kind
    }

    public var context: JobContext { self }
    /// What it is known by.
    public var id: UUID { job.id }
    /// The token of its claim; see the fence in docs/queue.md.
    package var token: Int64 { job.token }
    /// The kind that its handler is registered for.
    public var kindName: String { job.kind }
    /// The queue it came from.
    public var queue: String { job.queue }
    /// Higher runs first.
    public var priority: Int { job.priority }
    /// Which attempt it is; the first is 1.
    public var attempt: Int { job.attempt }
    /// How many attempts there are in all.
    public var maxAttempts: Int { job.maxAttempts }
    /// How long an attempt may take: the job's own limit, or its kind's at this worker.
    public var timeout: Duration? { job.timeout ?? kind.options.timeout }
    /// The workflow that it is part of.
    public var workflow: UUID? { job.workflow }
    /// Its name in its workflow.
    public var node: String? { job.node }
    /// When it was to run at the earliest.
    public var runAt: Date { job.runAt }
    /// When it was enqueued.
    public var createdAt: Date { job.createdAt }
    /// The database role that enqueued it.
    public var createdBy: String { job.createdBy }
    /// CPU cores that it has of its worker, as it was claimed with or as it has raised them.
    public var cores: Double { session.weight(of: self).cores }
    /// Bytes of memory that it has of its worker, likewise.
    public var memory: Int64 { session.weight(of: self).memory }
    /// The JSON of its payload.
    public var payloadJSON: Data { job.payload.bytes }
    /// The JSON of its metadata.
    public var metadataJSON: Data? { job.metadata?.bytes }

    /// Carries the job's id, kind and attempt. Its last lines are kept with an attempt that fails.
    public var logger: Logger {
        state.withLock { state in
            if let logger = state.logger { return logger }
            var logger = session.logger
            logger[metadataKey: "job"] = "\(job.id.uuidString.lowercased())"
            logger[metadataKey: "kind"] = "\(job.kind)"
            logger[metadataKey: "attempt"] = "\(job.attempt)"
            logger.handler = AttemptLogHandler(base: logger.handler, log: log)
            state.logger = logger
            return logger
        }
    }

    /// The last that was reported.
    var lastProgress: JobProgress? { state.withLock { $0.progress } }

    func report(_ progress: JobProgress) {
        state.withLock { $0.progress = progress }
        session.progressed(self, progress)
    }

    /// What every write is refused with once the job is somebody else's.
    var fenced: QueueError {
        QueueError(
            .leaseLost, "job \(id.uuidString.lowercased()) is no longer this worker's",
            hint: "stop: another worker may run it by now")
    }
}
