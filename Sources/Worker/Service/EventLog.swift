import FoundationEssentials
import JobQueue
import Logging

/// Writes down what happens to jobs, a line each, for whoever reads the worker's log.
struct EventLog: Sendable {
    let logger: Logger
    let traces: JobTraces

    func write(_ event: WorkerEvent) {
        switch event {
        case .registered(let worker):
            logger.info("ready for jobs", metadata: ["worker": "\(worker.uuidString.lowercased())"])
        case .started(let attempt): logger.debug("job started", metadata: metadata(attempt, isOver: false))
        case .progressed: break
        case .succeeded(let attempt, let seconds):
            logger.info("job succeeded", metadata: metadata(attempt, ["seconds": Self.text(seconds)]))
        case .failed(let attempt, let error, let retryAt):
            var more: Logger.Metadata = ["error": "\(error)"]
            if let retryAt { more["retry_at"] = "\(retryAt)" }
            logger.warning("job failed, and is tried again", metadata: metadata(attempt, more))
        case .dead(let attempt, let error):
            logger.error("job is dead", metadata: metadata(attempt, ["error": "\(error)"]))
        case .cancelled(let attempt, let reason):
            logger.info("job cancelled", metadata: metadata(attempt, ["reason": "\(reason)"]))
        case .snoozed(let attempt, let until):
            logger.info("job put off", metadata: metadata(attempt, ["until": "\(until)"]))
        case .released(let attempt): logger.info("job handed back", metadata: metadata(attempt))
        case .abandoned(let attempt):
            logger.error("handler ignores its cancellation", metadata: metadata(attempt, isOver: false))
        case .refused(let attempt):
            logger.warning("result refused: the job went to another worker", metadata: metadata(attempt))
        case .rescued(let count):
            logger.warning("jobs of dead workers were put back", metadata: ["count": "\(count)"])
        case .leaseLost(let worker, let reason):
            logger.error(
                "lease lost: all jobs are stopped",
                metadata: ["worker": "\(worker.uuidString.lowercased())", "reason": "\(reason)"])
        }
    }

    /// - Parameter isOver: whether it is the last that is said of the attempt.
    private func metadata(
        _ attempt: WorkerEvent.Attempt, _ more: Logger.Metadata = [:], isOver: Bool = true
    ) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "job": "\(attempt.job.uuidString.lowercased())", "kind": "\(attempt.kind)",
            "attempt": "\(attempt.attempt)",
        ]
        if let trace = traces.trace(of: attempt, isOver: isOver) { metadata["trace_id"] = "\(trace)" }
        return metadata.merging(more) { $1 }
    }

    private static func text(_ seconds: Double) -> Logger.MetadataValue { "\(Figures.short(seconds, 3))" }
}
