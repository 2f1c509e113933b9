import JobQueue
import Logging
import Transfer

/// Throws away, every now and then, the uploads of attempts that died, and forgets names of jobs that nobody knows any more.
/// Any number of workers may do so at a time.
struct UploadSweeper: Sendable {
    let queue: QueueClient
    let stores: Stores
    let logger: Logger
    /// Between two sweeps.
    var interval: Duration = .seconds(60)

    private static let batch = 100

    /// Sweeps until the task is cancelled.
    func run() async {
        // Not all workers of a deployment at once.
        var wait = interval * Double.random(in: 0.1...1)
        while (try? await Task.sleep(for: wait)) != nil {
            wait = interval
            do {
                while try await sweep() == Self.batch {}
                while try await queue.forgetNames(limit: Self.batch) == Self.batch {}
            } catch is CancellationError {
                return
            } catch {
                logger.warning("uploads of dead attempts could not be looked for: \(error)")
            }
        }
    }

    /// - Returns: how many were looked at.
    @discardableResult
    func sweep() async throws -> Int {
        let uploads = try await SweptUploads(queue: queue, limit: Self.batch)
        guard !uploads.entries.isEmpty else { return 0 }
        let known = Set(uploads.entries.map(\.store)).compactMap { stores.store(named: $0) as? any MultipartStore }
        let report = try await UploadJanitor(ledger: uploads, stores: known).sweep(limit: Self.batch)
        if !report.aborted.isEmpty {
            logger.info("uploads of dead attempts were thrown away", metadata: ["count": "\(report.aborted.count)"])
        }
        for (entry, error) in report.failed {
            logger.warning(
                "an upload of a dead attempt could not be thrown away: \(error)",
                metadata: ["store": "\(entry.store)", "key": "\(entry.key)", "owner": "\(entry.owner)"])
        }
        return uploads.entries.count
    }
}
