import Foundation
import Testing

@testable import JobQueue

struct AttemptOutcomeTests {
    private struct Broken: Error, CustomStringConvertible { var description: String { "the disk is full" } }
    private let policy = RetryPolicy(base: .seconds(4), cap: .seconds(4), jitter: .none)

    private func outcome(
        _ end: AttemptEnd, attempt: Int = 1, change: (inout AttemptContext) -> Void = { _ in }
    ) -> AttemptOutcome {
        var context = AttemptContext(attempt: attempt, maxAttempts: 3, policy: policy)
        change(&context)
        var generator = SeededGenerator(1)
        return AttemptOutcome(of: end, in: context, using: &generator)
    }

    private static let everyEnd: [AttemptEnd] = [
        .returned, .ignoredCancellation, .threw(Broken()), .threw(CancellationError()),
        .threw(JobError.permanent("no")), .threw(JobError.retry()), .threw(JobError.snooze(until: .distantFuture)),
        .threw(JobError.cancelled("enough")),
    ]

    @Test func `without its lease nothing is written, whatever the handler did`() {
        for end in Self.everyEnd {
            let outcome = outcome(end) {
                ($0.leaseLost, $0.draining, $0.cancelReason, $0.timedOutAfter) = (true, true, "stop", .seconds(1))
            }
            #expect(outcome == .abandon)
        }
    }

    @Test func `work that is done is a success, though it was asked to stop`() {
        let outcome = outcome(.returned, attempt: 3) {
            ($0.draining, $0.cancelReason, $0.timedOutAfter) = (true, "stop", .seconds(1))
        }
        #expect(outcome == .success)
    }

    @Test func `a requested cancel wins over whatever was thrown`() {
        for end in Self.everyEnd.dropFirst() {
            #expect(outcome(end) { ($0.cancelReason, $0.draining) = ("by Ann", true) } == .cancelled(reason: "by Ann"))
        }
    }

    @Test func `an ordinary error is retried until the attempts are used up`() {
        let failure = AttemptFailure(code: "error", message: "the disk is full")
        #expect(outcome(.threw(Broken()), attempt: 2) == .retry(after: .seconds(4), failure))
        #expect(outcome(.threw(Broken()), attempt: 3) == .dead(failure))
        #expect(outcome(.threw(Broken()), attempt: 4) == .dead(failure))
    }

    @Test func `a handler's wish is granted, also during a timeout or shutdown`() {
        for interrupted in [false, true] {
            let change: (inout AttemptContext) -> Void = {
                guard interrupted else { return }
                ($0.draining, $0.timedOutAfter) = (true, .seconds(5))
            }
            let until = Date(timeIntervalSince1970: 4_000_000_000)
            #expect(
                outcome(.threw(JobError.permanent("no such file")), change: change)
                    == .dead(AttemptFailure(code: "permanent", message: "no such file")))
            #expect(outcome(.threw(JobError.snooze(until: until)), attempt: 3, change: change) == .snooze(until: until))
            #expect(outcome(.threw(JobError.cancelled("old")), change: change) == .cancelled(reason: "old"))
            let busy = AttemptFailure(code: "error", message: "busy")
            #expect(
                outcome(.threw(JobError.retry(after: .seconds(90), "busy")), change: change)
                    == .retry(after: .seconds(90), busy))
            #expect(
                outcome(.threw(JobError.retry(after: .seconds(90), "busy")), attempt: 3, change: change) == .dead(busy))
        }
    }

    @Test func `a timeout is a failure with a code of its own, even while shutting down`() throws {
        for (end, words) in [
            (AttemptEnd.threw(CancellationError()), "timeout"), (.ignoredCancellation, "did not stop"),
        ] {
            let outcome = outcome(end) { ($0.timedOutAfter, $0.draining) = (.seconds(30), true) }
            guard case .retry(_, let failure) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(failure.code == "timeout" && failure.message.contains(words) && failure.message.contains("30"))
        }
    }

    @Test func `a shutdown hands the job back, on its last attempt too`() {
        for end in [AttemptEnd.threw(CancellationError()), .threw(Broken()), .ignoredCancellation] {
            #expect(outcome(end, attempt: 3) { $0.draining = true } == .release)
        }
    }
}
