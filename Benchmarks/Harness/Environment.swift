import Foundation
import Glibc
import MediaKit

/// Where the figures come from: without it they cannot be compared with others.
struct Environment: Codable {
    var date: String
    var processor: String
    /// Cores that are there, and those that this process may use.
    var cores: Int
    var usableCores: Int
    var memoryBytes: Int64
    var system: String
    /// Runnable processes in the last minute, before anything was measured: above 0.5 somebody else was at work.
    var loadAverage: Double
    var kiln: String
    var ffmpegLibraries: String
    var libraries: [LibavLibrary.Version]

    init() {
        let formatter = ISO8601DateFormatter()
        date = formatter.string(from: Date())
        let models = Self.read("/proc/cpuinfo").split(separator: "\n").filter { $0.hasPrefix("model name") }
        processor =
            models.first?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
        cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        usableCores = CoreBudget.process.cores
        memoryBytes = Int64(ProcessInfo.processInfo.physicalMemory)
        let release = Self.read("/etc/os-release").split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        let name = release?.dropFirst("PRETTY_NAME=".count).trimmingCharacters(in: ["\""]) ?? "Linux"
        system = "\(name), Linux \(Self.read("/proc/sys/kernel/osrelease").trimmingCharacters(in: .newlines))"
        loadAverage = Self.read("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) } ?? 0
        kiln = MediaKitVersion.current
        ffmpegLibraries = LibavLibrary.release
        libraries = LibavLibrary.versions
    }

    var lines: [String] {
        let gigabytes = String(format: "%.0f", Double(memoryBytes) / Double(1 << 30))
        var lines = [
            "\(processor), \(cores) cores (\(usableCores) usable), \(gigabytes) GB; \(system); \(date)",
            "Kiln \(kiln) on the libraries of FFmpeg \(ffmpegLibraries)",
        ]
        if loadAverage > 0.5 {
            lines.append("The machine was not idle (load average \(loadAverage)): the figures are not to be trusted.")
        }
        return lines
    }

    private static func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
