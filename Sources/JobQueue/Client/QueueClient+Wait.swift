public import Foundation
import Logging

extension QueueClient {
    /// Waits until a job is over, and returns it.
    ///
    /// The database announces the end to those who wait, on one connection more for all of a client's waits. Should
    /// that be lost, or a pooler in transaction mode be in the way, the end is seen within a second. While the
    /// database is away it goes on trying, until the timeout.
    ///
    /// - Parameter timeout: nil waits for as long as it takes.
    /// - Throws: ``JobFailure`` if it ends dead or cancelled; `notFound` if there is no such job; `deadline`;
    ///   `cancelled`.
    @discardableResult
    public func wait(for id: JobID, timeout: Duration? = nil) async throws -> JobInfo {
        let job = try await untilOver(id, "job", seeWith: "kiln job", timeout: timeout) {
            (isNews) -> JobInfo? in
            if !isNews, try await !isFinished(id) { return nil }
            guard let job = try await self.job(id) else { throw Self.unknown(job: id) }
            return job.state.isFinished ? job : nil
        }
        guard job.state == .succeeded else { throw JobFailure(job: job) }
        return job
    }

    /// Waits until a job is over, and returns what its handler did.
    ///
    /// - Throws: as above; `badRow` if its result is not an `R`.
    public func wait<R: Decodable & Sendable>(for id: JobID, as type: R.Type, timeout: Duration? = nil) async throws
        -> R
    {
        let job = try await wait(for: id, timeout: timeout)
        do {
            return try (job.result ?? RawJSON("null")).decode(R.self)
        } catch {
            throw QueueError(
                .badRow, "the result of job \(id.uuidString.lowercased()) is not a \(R.self)", detail: "\(error)",
                hint: "see it with kiln job", cause: error)
        }
    }

    /// Waits until every job of a workflow is over, and returns it.
    ///
    /// - Parameter timeout: nil waits for as long as it takes.
    /// - Throws: ``WorkflowFailure`` if it has failed or was cancelled; `notFound` if there is no such workflow;
    ///   `deadline`; `cancelled`.
    @discardableResult
    public func wait(forWorkflow id: UUID, timeout: Duration? = nil) async throws -> WorkflowInfo {
        let workflow = try await untilOver(id, "workflow", seeWith: "kiln workflow show", timeout: timeout) {
            (_) -> WorkflowInfo? in
            guard let workflow = try await self.workflow(id) else { throw Self.unknown(workflow: id) }
            return workflow.isFinished ? workflow : nil
        }
        guard workflow.status == "succeeded" else { throw WorkflowFailure(workflow: workflow) }
        return workflow
    }

    /// A job as it is now, and again whenever it has changed, until it is over.
    ///
    /// The end is told at once, other changes, such as its progress, when it is looked at.
    ///
    /// - Parameter interval: between two looks.
    /// - Returns: a stream that throws `notFound` if there is no such job, and as every call.
    public func follow(_ id: JobID, every interval: Duration = .milliseconds(300))
        -> AsyncThrowingStream<JobInfo, any Error>
    {
        AsyncThrowingStream { continuation in
            let task = Task {
                let ticket = ends.enter(id)
                defer { ends.leave(ticket) }
                do {
                    var last: JobInfo?
                    while true {
                        guard let job = try await self.job(id) else { throw Self.unknown(job: id) }
                        if job != last { continuation.yield(job) }
                        if job.state.isFinished { break }
                        last = job
                        await ticket.news(within: interval)
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Looks until something is found: at once, whenever there is news of the end, and now and then.
    ///
    /// - Parameter look: is told whether there is reason to believe that it is over.
    private func untilOver<R: Sendable>(
        _ id: UUID, _ what: String, seeWith command: String, timeout: Duration?,
        isolation: isolated (any Actor)? = #isolation, look: (_ isNews: Bool) async throws -> R?
    ) async throws -> R {
        let limit = timeout.map { ContinuousClock.now + $0 }
        var ticket: EndWatch.Ticket?
        defer { if let ticket { ends.leave(ticket) } }
        while true {
            var pause: Duration?
            do {
                if let found = try await look(ticket != nil) { return found }
            } catch let error as QueueError where error.isTransient {
                logger.debug("\(error); looking again in a second")
                pause = .seconds(1)
            }
            let left = limit.map { ContinuousClock.now.duration(to: $0) }
            if let left, left <= .zero {
                throw QueueError(
                    .deadline,
                    "\(what) \(id.uuidString.lowercased()) was not over after \(timeout.map { "\($0)" } ?? "")",
                    hint: "it goes on; wait longer, or see what holds it up with \(command)")
            }
            let current = ticket ?? ends.enter(id)
            ticket = current
            await current.news(within: [pause, left].compactMap { $0 }.min())
            if Task.isCancelled {
                throw QueueError(.cancelled, "the task that waited for a \(what) was cancelled")
            }
        }
    }

    /// Whether the job is over; without its payload, which may be large.
    private func isFinished(_ id: JobID) async throws -> Bool {
        let rows = try await run(
            PostgresStatement("SELECT j ->> 'state' FROM \(schema).job($1) AS j", [id], name: "kiln_job_state"))
        guard let state = try rows.one(as: String?.self) else { throw Self.unknown(job: id) }
        return JobState(rawValue: state)?.isFinished == true
    }

    static func unknown(job id: JobID) -> QueueError {
        QueueError(
            .notFound, "job \(id.uuidString.lowercased()) does not exist",
            hint: """
                it was never enqueued, its transaction has not committed, or it finished longer ago than the retention
                """)
    }

    static func unknown(workflow id: UUID) -> QueueError {
        QueueError(
            .notFound, "workflow \(id.uuidString.lowercased()) does not exist",
            hint: """
                give the id that enqueue_workflow returned under "workflow"; one that finished longer ago than the \
                retention is gone
                """)
    }
}
