import FoundationEssentials
import JobQueue
import Locking

/// What a worker is up to, for probes, metrics and the log. Thread-safe.
final class WorkerStatus: Sendable {
    private struct State {
        var registered: Set<UUID> = []
        var isDraining = false
    }

    let running = RunningJobs()
    let traces = JobTraces()
    private let state = Locked(State())

    func note(_ event: WorkerEvent) {
        switch event {
        case .registered(let worker): state.withLock { _ = $0.registered.insert(worker) }
        case .leaseLost(let worker, _): state.withLock { _ = $0.registered.remove(worker) }
        default: break
        }
    }

    func drain() { state.withLock { $0.isDraining = true } }

    /// Whether the database knows of it, and it takes jobs.
    var takesJobs: Bool { state.withLock { !$0.registered.isEmpty && !$0.isDraining } }
}
