import JobQueue
import Server
import Telemetry

/// What probes are told of a process.
struct ServiceProbes: Sendable {
    let queue: QueueClient
    /// `nil` in a process that runs no jobs.
    let worker: WorkerService?
    let telemetry: ProcessTelemetry?

    func settings(_ health: WorkerConfiguration.Health) -> HealthSettings {
        HealthSettings(
            address: health.address, port: health.port, workers: { workers }, checks: { await checks() },
            metrics: { await telemetry?.metrics.text() ?? "" })
    }

    /// One for each kind of job.
    private var workers: [HealthSettings.Worker] {
        guard let worker else { return [] }
        let (counts, takesJobs) = (worker.status.running.counts, worker.status.takesJobs)
        return worker.kinds.map { kind in
            HealthSettings.Worker(
                name: kind.name, isRunning: takesJobs, activeJobs: counts[kind.name] ?? 0,
                maxConcurrentJobs: worker.concurrency(of: kind), features: [kind.summary])
        }
    }

    private func checks() async -> [HealthSettings.Check] {
        let hasDatabase = await answers()
        guard let worker else { return [.init("database", isMet: hasDatabase)] }
        return [
            .init("database", isMet: hasDatabase), .init("worker", isMet: worker.status.takesJobs),
        ]
    }

    /// Whether the database answers, soon: who probes does not wait long.
    private func answers() async -> Bool {
        let asking = Task { _ = try await queue.withConnection { try await $0.query("SELECT 1").count } }
        let patience = Task {
            try await Task.sleep(for: .seconds(2))
            asking.cancel()
        }
        defer { patience.cancel() }
        return (try? await asking.value) != nil
    }
}
