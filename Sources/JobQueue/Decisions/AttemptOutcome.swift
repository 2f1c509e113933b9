import Foundation

/// How a handler's run ended, as the worker saw it.
enum AttemptEnd: Sendable {
    case returned
    case threw(any Error)
    /// It was told to stop and did not in time: it is left to itself, and its job goes on without it.
    case ignoredCancellation
}

/// What the worker knows about an attempt when it ends.
struct AttemptContext: Sendable {
    /// Which attempt it was; the first is 1.
    var attempt: Int
    /// The job's own limit, which may differ from its kind's.
    var maxAttempts: Int
    /// How long retries wait; its `maxAttempts` isn't looked at.
    var policy: RetryPolicy
    /// Somebody asked for the job to be cancelled: the reason that was given.
    var cancelReason: String?
    /// The job's timeout, if it ran out.
    var timedOutAfter: Duration?
    /// The worker's lease ended, or the database no longer accepts the job's token.
    var leaseLost = false
    /// The worker stopped the handler because it shuts down.
    var draining = false
}

/// Why an attempt did not succeed, as it is kept in the job's errors.
struct AttemptFailure: Sendable, Hashable {
    /// `error`, `permanent`, `timeout`.
    var code: String
    var message: String
}

/// What becomes of a job after an attempt.
enum AttemptOutcome: Sendable, Hashable {
    case success
    case retry(after: Duration, AttemptFailure)
    /// To the dead letters.
    case dead(AttemptFailure)
    case cancelled(reason: String)
    /// Runs again at that time; the attempt doesn't count.
    case snooze(until: Date)
    /// Handed back as if it had not been started: costs no attempt, records no error.
    case release
    /// Nothing is written: the job belongs to somebody else by now.
    case abandon

    /// Decides. In this order:
    ///
    /// 1. The lease is lost: abandon, whatever the handler did.
    /// 2. It returned: success, though it may have been asked to stop: the work is done.
    /// 3. A cancel was asked for: cancelled, whatever it threw.
    /// 4. It said what it wants (``JobError``): that, within the attempts there are. A timeout or a shutdown doesn't
    ///    change what it knows about its job.
    /// 5. It ran out of time: a failure with the code `timeout`.
    /// 6. The worker shuts down: release. An error thrown while being stopped is taken for the stop's doing.
    /// 7. Anything else is transient.
    init(
        of end: AttemptEnd, in context: AttemptContext, using generator: inout some RandomNumberGenerator
    ) {
        if context.leaseLost {
            self = .abandon
            return
        }
        var thrown: (any Error)?
        switch end {
        case .returned:
            self = .success
            return
        case .threw(let error): thrown = error
        case .ignoredCancellation: break
        }
        if let reason = context.cancelReason {
            self = .cancelled(reason: reason)
            return
        }

        func failed(_ failure: AttemptFailure, retryAfter: Duration? = nil) -> AttemptOutcome {
            guard context.attempt < context.maxAttempts else { return .dead(failure) }
            let delay = context.policy.delay(
                afterAttempt: context.attempt, retryAfter: retryAfter, using: &generator)
            return .retry(after: delay, failure)
        }

        switch thrown as? JobError {
        case .permanent(let message):
            self = .dead(AttemptFailure(code: "permanent", message: message))
            return
        case .snooze(let date):
            self = .snooze(until: date)
            return
        case .cancelled(let reason):
            self = .cancelled(reason: reason)
            return
        case .retry(let after, let message):
            let text = message.isEmpty ? "the handler asked for another attempt" : message
            self = failed(AttemptFailure(code: "error", message: text), retryAfter: after)
            return
        case nil: break
        }
        if let timeout = context.timedOutAfter {
            var message = "ran longer than its timeout of \(timeout)"
            if thrown == nil { message += " and did not stop when told to" }
            self = failed(AttemptFailure(code: "timeout", message: message))
        } else if context.draining {
            self = .release
        } else if let thrown {
            self = failed(AttemptFailure(code: "error", message: String(describing: thrown)))
        } else {
            self = failed(AttemptFailure(code: "error", message: "the handler did not stop when told to"))
        }
    }
}
