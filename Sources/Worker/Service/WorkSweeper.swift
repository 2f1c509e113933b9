import FoundationEssentials
import JobQueue
import Logging
import Transfer

/// Throws away, every now and then, what pipelines have left between their steps that ended without a result. Any number of
/// workers may do so at a time.
///
/// A dead job may be retried, and goes on with the step that failed: what it needs for that is kept for a week. What is of
/// jobs that this queue does not know stays, as it may be another queue's in the same store.
struct WorkSweeper: Sendable {
    let queue: QueueClient
    let stores: Stores
    let logger: Logger
    /// Between two sweeps.
    var interval: Duration = .seconds(3600)

    /// Seconds.
    static let memory = 7 * 86_400.0
    /// Of a listing. What lies behind is looked at when the rest is gone.
    private static let pages = 20

    /// Sweeps until the task is cancelled.
    func run() async {
        // Not all workers of a deployment at once.
        var wait = interval * Double.random(in: 0.1...1)
        while (try? await Task.sleep(for: wait)) != nil {
            wait = interval
            do { try await sweep() } catch is CancellationError { return } catch {
                logger.warning("what jobs have left below \(WorkObjects.folder) could not be looked for: \(error)")
            }
        }
    }

    /// - Returns: the jobs whose objects were thrown away.
    @discardableResult
    func sweep(at now: Date = .now) async throws -> [JobID] {
        // Without a default store there are none.
        guard let (store, folder) = try? stores.store(for: .store(key: WorkObjects.folder)) else { return [] }
        var swept: [JobID] = []
        for batch in try await jobs(in: store, below: folder).batches(of: 100) {
            for job in try await queue.glances(at: batch) where Self.isOver(job, at: now) {
                try await store.deleteAll(below: folder + job.id.uuidString.lowercased() + "/")
                swept.append(job.id)
            }
        }
        if !swept.isEmpty {
            logger.info("what jobs had left was thrown away", metadata: ["jobs": "\(swept.count)"])
        }
        return swept
    }

    private static func isOver(_ job: JobGlance, at now: Date) -> Bool {
        guard let finishedAt = job.finishedAt else { return false }
        return job.state == .succeeded || now.timeIntervalSince(finishedAt) > memory
    }

    private func jobs(in store: any ObjectStore, below folder: String) async throws -> [JobID] {
        var jobs: [JobID] = []
        var start: String?
        for _ in 0..<Self.pages {
            let page = try await store.list(prefix: folder, from: start, limit: 1000)
            for object in page.objects {
                let name = object.key.dropFirst(folder.count).prefix { $0 != "/" }
                // In order, so that those of one job stand together.
                guard let id = UUID(uuidString: String(name)), jobs.last != id else { continue }
                jobs.append(id)
            }
            start = page.next
            if start == nil { break }
        }
        return jobs
    }
}

extension Array {
    fileprivate func batches(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
