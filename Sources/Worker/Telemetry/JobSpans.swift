import FoundationEssentials
import JobQueue
import Locking
import Logging
import Telemetry
import Tracing

/// A span around each attempt, within the trace that the job came with.
struct JobSpans: JobMiddleware {
    let traces: JobTraces

    func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
        let context = TracePropagation.context(of: job)
        return try await ServiceContext.withValue(context) {
            try await withSpan(job.kindName, context: context, ofKind: .consumer) { span in
                span.attributes["messaging.system"] = "kiln"
                span.attributes["messaging.operation.type"] = "process"
                span.attributes["messaging.destination.name"] = job.queue
                span.attributes["messaging.message.id"] = job.id.uuidString.lowercased()
                span.attributes["kiln.attempt"] = job.attempt
                if let trace = ServiceContext.current?.spanContext?.traceID { traces.note(job, "\(trace)") }
                do {
                    return try await next()
                } catch {
                    if Self.isFailure(error) { span.setStatus(SpanStatus(code: .error, message: "\(error)")) }
                    throw error
                }
            }
        }
    }

    /// Whether it is the handler that went wrong.
    private static func isFailure(_ error: any Error) -> Bool {
        switch error {
        case is CancellationError, JobError.snooze, JobError.cancelled: false
        default: true
        }
    }
}

/// The traces of attempts, for lines that are logged after they have ended. Thread-safe.
final class JobTraces: Sendable {
    private struct Key: Hashable {
        var job: UUID
        var attempt: Int
    }

    private let traces = Locked<[Key: String]>([:])
    /// Ends that nobody has told of, as a listener fell behind, must not fill memory.
    private static let limit = 8192

    func note(_ job: JobContext, _ trace: String) {
        traces.withLock { traces in
            if traces.count >= Self.limit { traces.removeAll() }
            traces[Key(job: job.id, attempt: job.attempt)] = trace
        }
    }

    /// As hexadecimal digits; `nil` if it has none.
    ///
    /// - Parameter isOver: whether it can be forgotten.
    func trace(of attempt: WorkerEvent.Attempt, isOver: Bool) -> String? {
        let key = Key(job: attempt.job, attempt: attempt.attempt)
        return traces.withLock { isOver ? $0.removeValue(forKey: key) : $0[key] }
    }
}
