import FoundationEssentials
import JobQueue
import Locking
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

    /// How long what was begun in a store that is not configured any more is remembered, should it be again.
    private static let memory = 7 * 86_400.0
    /// Seconds for which a job that did not succeed may be run again from the step that it came to.
    var keepsWork = 86_400.0
    /// Stores that it was said of that they are not known.
    private let unknown = Locked<Set<String>>([])

    /// Sweeps until the task is cancelled.
    func run() async {
        // Not all workers of a deployment at once.
        var wait = interval * Double.random(in: 0.1...1)
        while (try? await Task.sleep(for: wait)) != nil {
            wait = interval
            do {
                while try await sweep() == Self.batch {}
            } catch is CancellationError {
                return
            } catch {
                logger.warning("uploads of dead attempts could not be looked for: \(error)")
            }
            do {
                while try await queue.forgetNames(limit: Self.batch) == Self.batch {}
            } catch is CancellationError {
                return
            } catch {
                logger.warning("names of forgotten jobs could not be looked for: \(error)")
            }
        }
    }

    /// - Returns: how many were looked at.
    @discardableResult
    func sweep() async throws -> Int {
        let uploads = try await SweptUploads(queue: queue, limit: Self.batch)
        guard !uploads.effects.isEmpty else { return 0 }
        do {
            try await LeftWork(queue: queue, stores: stores, logger: logger).sweep(uploads.folders, keeping: keepsWork)
        } catch {
            logger.warning("what steps have left could not be looked for: \(error)")
        }
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
        for effect in uploads.effects where stores.store(named: effect.place) == nil { try await forget(effect) }
        return uploads.effects.count
    }

    /// What is in a store that is not configured any more cannot be thrown away.
    private func forget(_ effect: OutsideEffect) async throws {
        if unknown.withLock({ $0.insert(effect.place).inserted }) {
            logger.warning(
                "uploads of dead attempts are in a store that is not configured; they are forgotten after 7 days",
                metadata: ["store": "\(effect.place)"])
        }
        guard Date.now.timeIntervalSince(effect.begunAt) > Self.memory else { return }
        try await queue.endEffect(effect.id)
    }
}
