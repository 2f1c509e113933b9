import Foundation
package import JobQueue
package import PostgresTestSupport

/// A database with the queue in it, as the app's side of a test uses it.
package protocol QueueBench: Sendable {
    var database: TestDatabase { get }
    var queue: QueueClient { get }
}

/// What a test cannot go on with, in words.
package struct BenchFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension QueueBench {
    /// Enqueues in SQL, as an app would.
    package func enqueue(_ kind: String, _ payload: String, _ more: String = "") async throws -> JobID {
        let id = try await sql("SELECT kiln.enqueue('\(kind)', $json$\(payload)$json$\(more))")
        guard let job = JobID(uuidString: id) else { throw BenchFailure("\(id) is no job's id") }
        return job
    }

    /// The one value of a query, as text.
    @discardableResult
    package func sql(_ text: String) async throws -> String {
        try await database.psql("\\pset tuples_only on\n\\pset format unaligned\n\(text);")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A job as it is.
    package func job(_ id: JobID) async throws -> JobInfo {
        guard let job = try await queue.job(id) else { throw BenchFailure("there is no job \(id)") }
        return job
    }

    /// A job that is to end without success.
    package func failed(_ id: JobID) async throws -> JobInfo {
        do {
            _ = try await queue.wait(for: id, timeout: .seconds(180))
        } catch let failure as JobFailure {
            return try await job(failure.job.id)
        }
        throw BenchFailure("job \(id) has succeeded")
    }

    /// Lets the lease of a worker be over that has gone without a word, and its jobs be taken back: what time would do.
    ///
    /// - Parameter process: the worker's, which runs no more.
    package func endLease(of process: Int32) async throws {
        // More than once: what the worker sent last may still be carried out, and a job that its session holds stays for
        // the next round.
        _ = try await until { () async throws -> Bool? in
            try await sql(
                """
                UPDATE kiln.worker SET expires_at = clock_timestamp() - interval '1 second'
                WHERE pid = \(process) AND state IN ('alive', 'draining')
                """)
            try await sql("SELECT kiln.rescue()")
            let left = try await sql(
                "SELECT count(*) FROM kiln.worker WHERE pid = \(process) AND state IN ('alive', 'draining')")
            return left == "0" ? true : nil
        }
    }

    /// Waits until a job has come to what `isSo` says.
    package func until(_ id: JobID, _ isSo: @Sendable (JobInfo) -> Bool) async throws -> JobInfo {
        try await until { try await queue.job(id).flatMap { isSo($0) ? $0 : nil } }
    }

    /// Asks until there is an answer.
    package func until<R>(_ ask: () async throws -> R?) async throws -> R { try await answer(ask) }
}

/// Asks until there is an answer.
///
/// - Throws: ``BenchFailure`` after two minutes; what `ask` throws.
package func answer<R>(_ ask: () async throws -> R?) async throws -> R {
    let limit = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < limit {
        if let answer = try await ask() { return answer }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw BenchFailure("it did not come to that in 120 s")
}
