import FoundationEssentials
import JobQueue
import Locking

/// The jobs whose handlers run now in this process. Thread-safe.
final class RunningJobs: JobMiddleware {
    private let jobs = Locked<[ObjectIdentifier: JobContext]>([:])

    func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
        let key = ObjectIdentifier(job)
        jobs.withLock { $0[key] = job }
        defer { jobs.withLock { _ = $0.removeValue(forKey: key) } }
        return try await next()
    }

    /// How many of each kind.
    var counts: [String: Int] {
        jobs.withLock { Array($0.values) }.reduce(into: [:]) { $0[$1.kindName, default: 0] += 1 }
    }

    /// What they have of their worker: CPU cores, and bytes of memory.
    var share: (cores: Double, memory: Int64) {
        jobs.withLock { Array($0.values) }.reduce(into: (0, 0)) { sum, job in
            sum.0 += job.cores
            sum.1 += job.memory
        }
    }
}
