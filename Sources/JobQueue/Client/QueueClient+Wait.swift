public import Foundation
import Logging

extension QueueClient {
    /// Waits until a job is over, and returns it.
    ///
    /// Asks the database at intervals that grow from 10 ms to 1 s: the end of a job is not announced, as that would
    /// cost every job a notification. While the database is away it goes on trying, until the timeout.
    ///
    /// - Parameter timeout: nil waits for as long as it takes.
    /// - Throws: ``JobFailure`` if it ends dead or cancelled; `notFound` if there is no such job; `deadline`;
    ///   `cancelled`.
    @discardableResult
    public func wait(for id: JobID, timeout: Duration? = nil) async throws -> JobInfo {
        let limit = timeout.map { ContinuousClock.now + $0 }
        var interval = Duration.milliseconds(10)
        while true {
            do {
                if let job = try await finished(id) {
                    guard job.state == .succeeded else { throw JobFailure(job: job) }
                    return job
                }
            } catch let error as QueueError where error.isTransient {
                logger.debug("\(error); looking again in \(interval)")
            }
            let left = limit.map { ContinuousClock.now.duration(to: $0) }
            if let left, left <= .zero {
                throw QueueError(
                    .deadline,
                    "job \(id.uuidString.lowercased()) was not over after \(timeout.map { "\($0)" } ?? "")",
                    hint: "it goes on; wait longer, or see what holds it up with kiln job")
            }
            do {
                try await Task.sleep(for: min(interval, left ?? interval))
            } catch {
                throw QueueError(.cancelled, "the task that waited for a job was cancelled")
            }
            interval = min(interval * 1.5, .seconds(1))
        }
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

    private func finished(_ id: JobID) async throws -> JobInfo? {
        let rows = try await run(
            PostgresStatement("SELECT j ->> 'state' FROM \(schema).job($1) AS j", [id], name: "kiln_job_state"))
        guard let state = try rows.one(as: String?.self) else {
            throw QueueError(
                .notFound, "job \(id.uuidString.lowercased()) does not exist",
                hint: """
                    it was never enqueued, its transaction has not committed, or it finished longer ago than the \
                    retention
                    """)
        }
        guard JobState(rawValue: state)?.isFinished == true else { return nil }
        return try await job(id)
    }
}
