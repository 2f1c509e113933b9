public import Foundation

/// What a handler throws to say what should become of its job. Any other error is transient: it is retried by the
/// kind's ``RetryPolicy``.
///
///     guard let source else { throw JobError.permanent("the payload has no 'source'") }
///     if response.status == 503 { throw JobError.retry(after: .seconds(60), "the store is busy") }
public enum JobError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Try again, as after any error, but not before this much time has passed (an HTTP `Retry-After`, say).
    /// Costs an attempt.
    case retry(after: Duration? = nil, _ message: String = "")
    /// No attempt can succeed: the job is dead at once.
    case permanent(_ message: String)
    /// Not yet: run again at that time. Costs no attempt.
    case snooze(until: Date)
    /// The job is cancelled.
    case cancelled(_ reason: String = "")

    public var description: String {
        switch self {
        case .retry(let after, let message):
            let delay = after.map { " after \($0)" } ?? ""
            return message.isEmpty ? "retry\(delay)" : "\(message) (retry\(delay))"
        case .permanent(let message): return message
        case .snooze(let date): return "snoozed until \(date.formatted(.iso8601))"
        case .cancelled(let reason): return reason.isEmpty ? "cancelled" : "cancelled: \(reason)"
        }
    }
}
