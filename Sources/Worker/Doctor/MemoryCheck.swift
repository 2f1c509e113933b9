/// Whether there is memory for as many jobs as may run.
struct MemoryCheck: DoctorCheck {
    let name = "memory"
    /// Below so many bytes for each job, larger pictures will not fit.
    private static let comfortable: Int64 = 384 << 20

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        Self.findings(context.configuration.worker, budget: .process)
    }

    static func findings(_ worker: WorkerConfiguration.Work, budget: MemoryBudget) -> [DoctorFinding] {
        let whose = budget.isLimit ? "that the container or cgroup allows" : "of this machine"
        let text = "\(Figures.bytes(worker.memory)) for jobs, of \(Figures.bytes(budget.bytes)) \(whose)"
        var findings: [DoctorFinding] = []
        if worker.memory > budget.bytes {
            findings.append(
                .wrong("jobs may take more memory than there is: \(text)", "lower KILN_MEMORY, or leave it out"))
        } else {
            findings.append(.ok(text))
        }
        let share = worker.memory / Int64(max(1, worker.concurrency))
        if share < comfortable {
            findings.append(
                .note(
                    "\(Figures.bytes(share)) for each of \(worker.concurrency) jobs: those with large pictures will wait",
                    "lower WORKER_CONCURRENCY, or give it more memory"))
        }
        return findings
    }
}
