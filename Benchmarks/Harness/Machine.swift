import FoundationEssentials
import Glibc
import MediaKit

/// The computer that the figures come from.
struct Machine: Codable {
    var date: String
    var processor: String
    /// Cores that are there, and those that this process may use.
    var cores: Int
    var usableCores: Int
    var memoryBytes: Int64
    var system: String
    /// Runnable processes in the last minute, before anything was measured: above 0.5 somebody else was at work.
    var loadAverage: Double

    init() {
        date = Date.now.formatted(Date.ISO8601FormatStyle())
        let models = Self.read("/proc/cpuinfo").split(separator: "\n").filter { $0.hasPrefix("model name") }
        processor =
            models.first?.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? "unknown"
        cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        usableCores = CoreBudget.process.cores
        memoryBytes = Int64(ProcessInfo.processInfo.physicalMemory)
        let release = Self.read("/etc/os-release").split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        let name = release?.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } ?? "Linux"
        system = "\(name), Linux \(Self.read("/proc/sys/kernel/osrelease").filter { !$0.isNewline })"
        loadAverage = Self.read("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) } ?? 0
    }

    var line: String {
        let gigabytes = (Double(memoryBytes) / Double(1 << 30)).fixed(0)
        return "\(processor), \(cores) cores (\(usableCores) usable), \(gigabytes) GB; \(system); \(date)"
    }

    /// Said where somebody else was at work.
    var warning: String? {
        guard loadAverage > 0.5 else { return nil }
        return "The machine was not idle (load average \(loadAverage)): the figures are not to be trusted."
    }

    private static func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
