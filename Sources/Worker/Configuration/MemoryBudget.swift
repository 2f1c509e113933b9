import Glibc

/// How much memory this process may use, and how much of that its jobs.
struct MemoryBudget: Sendable, Equatable {
    /// Bytes.
    var bytes: Int64
    /// Whether a cgroup says so, and not the machine.
    var isLimit: Bool

    /// What jobs may take together: the process itself, its buffers and the libraries' need the rest.
    /// In whole MiB.
    var forJobs: Int64 { ((bytes / 5 * 4) >> 20) << 20 }

    /// The tightest limit of the cgroups that this process is in, or the machine's memory.
    static let process = MemoryBudget(cgroup: ControlGroup.memoryLimit(), physical: physicalMemory)

    init(cgroup: Int64?, physical: Int64) {
        // A cgroup without a limit says 2^63 or so, and one may be set beyond what there is.
        if let cgroup, cgroup < physical {
            bytes = cgroup
            isLimit = true
        } else {
            bytes = physical
            isLimit = false
        }
    }

    private static var physicalMemory: Int64 {
        Int64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * Int64(max(1, sysconf(Int32(_SC_PAGESIZE))))
    }
}
