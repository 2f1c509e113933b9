import JobQueue
import Logging
import Server

/// Ends, every now and then, runs on recordings whose attempts are over without having said so: where the database could
/// not do it as the job ended, and where an attempt that timed out is to be repeated.
struct CallCloser: Sendable {
    let queue: QueueClient
    /// The queue's.
    let schema: String
    let logger: Logger
    /// Between two looks.
    var interval: Duration = .seconds(60)

    private static let batch = 100

    /// Looks until the task is cancelled, or there turn out to be no tables of calls.
    func run() async {
        // Not all workers of a deployment at once.
        var wait = interval * Double.random(in: 0.1...1)
        while (try? await Task.sleep(for: wait)) != nil {
            wait = interval
            do {
                while try await close() == Self.batch {}
            } catch is CancellationError {
                return
            } catch let error as QueueError where error.code == .schema {
                // Who has no use for the tables need not make them.
                logger.debug("runs on calls' recordings are not looked at: \(error)")
                return
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("runs on calls' recordings whose jobs are over could not be looked for: \(error)")
            }
        }
    }

    /// - Returns: how many were ended.
    @discardableResult
    func close() async throws -> Int {
        let calls = CallSchema.name(besides: schema).quotedIdentifier
        let statement = PostgresStatement("SELECT \(calls).close_runs($1)", [Self.batch])
        let count = try await queue.withConnection { connection in
            try await connection.query(statement).first?.decode(0, as: Int.self) ?? 0
        }
        if count > 0 {
            logger.info("runs on calls' recordings were ended whose jobs are over", metadata: ["count": "\(count)"])
        }
        return count
    }
}
