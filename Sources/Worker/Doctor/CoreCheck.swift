import Glibc
import MediaKit

/// Whether there are the cores that jobs are promised.
struct CoreCheck: DoctorCheck {
    let name = "cores"

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        Self.findings(
            context.configuration.worker, usable: CoreBudget.process.cores,
            online: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    /// - Parameters:
    ///   - usable: by affinity and cgroup.
    ///   - online: of the machine.
    static func findings(_ worker: WorkerConfiguration.Work, usable: Int, online: Int) -> [DoctorFinding] {
        let cores = Figures.short(worker.cores)
        let limit = usable < online ? ", of \(online) of the machine" : ""
        guard worker.cores <= Double(usable) else {
            return [
                .note(
                    "jobs share \(cores) cores, and this process may use \(usable)\(limit): they slow each other down",
                    "lower KILN_CORES, or leave it out")
            ]
        }
        return [.ok("\(cores) for up to \(worker.concurrency) jobs at a time\(limit)")]
    }
}
