import FoundationEssentials
import Glibc
import Locking

/// A process with all of its descendants, as /proc shows them.
enum ProcessTree {
    struct Usage: Sendable {
        /// Resident memory. Pages that several processes share count for each of them.
        var residentBytes: Int64 = 0
        /// The part of it that belongs to no file: the processes' own heaps and stacks.
        var ownBytes: Int64 = 0
        /// User and system time, that of descendants that have ended included.
        var cpuSeconds = 0.0
    }

    private struct Line {
        var parent: pid_t
        var usage: Usage
    }

    private static let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))
    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// What the tree takes now. All processes of the machine are looked at, which takes about a millisecond.
    static func usage(of root: pid_t) -> Usage {
        var lines: [pid_t: Line] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            if let pid = pid_t(name), let line = line(of: pid) { lines[pid] = line }
        }
        return lines.keys.reduce(into: Usage()) { sum, pid in
            guard let usage = lines[pid]?.usage, isBelow(root, pid, lines) else { return }
            let (resident, own) = memory(of: pid)
            sum.residentBytes += resident
            sum.ownBytes += own
            sum.cpuSeconds += usage.cpuSeconds
        }
    }

    private static func isBelow(_ root: pid_t, _ pid: pid_t, _ lines: [pid_t: Line]) -> Bool {
        var one = pid
        // Bounded: the lines are not of one moment, and a number may have been given away anew.
        for _ in 0..<64 {
            if one == root { return true }
            guard let parent = lines[one]?.parent, parent > 0 else { return false }
            one = parent
        }
        return false
    }

    /// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    private static func line(of pid: pid_t) -> Line? {
        let text = contents("/proc/\(pid)/stat")
        // The name of the program stands in brackets and may hold anything.
        guard let bracket = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = text[text.index(after: bracket)...].split(separator: UInt8(ascii: " "))
            .map { Int64(String(decoding: $0, as: UTF8.self)) ?? 0 }
        // From the third field on, the state: ppid is the fourth, utime to cstime are the 14th to the 17th.
        guard fields.count > 14 else { return nil }
        let ticks = fields[11...14].reduce(0, +)
        return Line(parent: pid_t(fields[1]), usage: Usage(cpuSeconds: Double(ticks) / ticksPerSecond))
    }

    /// https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
    private static func memory(of pid: pid_t) -> (resident: Int64, own: Int64) {
        let pages = contents("/proc/\(pid)/statm").split(separator: UInt8(ascii: " "))
            .map { Int64(String(decoding: $0, as: UTF8.self)) ?? 0 }
        guard pages.count > 2 else { return (0, 0) }
        return (pages[1] * pageSize, (pages[1] - pages[2]) * pageSize)
    }

    /// Of a short file; nothing of one that is gone.
    private static func contents(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        return [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
    }
}

/// Looks ten times a second at the memory of a process and its descendants, and keeps the largest sums.
///
/// Thread-safe.
final class MemorySampler: Sendable {
    private let process: pid_t
    private let isOver = Locked(false)
    private static let interval: Int64 = 100_000_000

    init(_ process: pid_t) { self.process = process }

    /// Ends ``run()`` within a tenth of a second.
    func stop() { isOver.withLock { $0 = true } }

    /// Samples until told to stop. Blocks its thread.
    func run() -> ProcessTree.Usage {
        var peak = ProcessTree.Usage()
        var next = SharedClock.now
        while !isOver.withLock({ $0 }) {
            let usage = ProcessTree.usage(of: process)
            peak.residentBytes = max(peak.residentBytes, usage.residentBytes)
            peak.ownBytes = max(peak.ownBytes, usage.ownBytes)
            next = max(next + Self.interval, SharedClock.now)
            SharedClock.sleep(until: next)
        }
        return peak
    }
}
