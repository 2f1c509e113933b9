import Glibc

extension MetricsRegistry {
    /// Has the process's own numbers read for each ``text()``, under the names that all of Prometheus' client
    /// libraries give them: `process_cpu_seconds_total`, `process_resident_memory_bytes` and so on.
    /// https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
    public func collectProcessMetrics() {
        collect([
            CollectedMetric("process_cpu_seconds_total", .counter, "CPU time that the process has used."),
            CollectedMetric("process_resident_memory_bytes", .gauge, "Memory of the process that is in RAM."),
            CollectedMetric("process_virtual_memory_bytes", .gauge, "Address space of the process."),
            CollectedMetric("process_open_fds", .gauge, "File descriptors that are open."),
            CollectedMetric("process_max_fds", .gauge, "File descriptors that may be open."),
            CollectedMetric("process_threads", .gauge, "Threads of the process."),
            CollectedMetric("process_start_time_seconds", .gauge, "When the process started, in seconds since 1970."),
        ]) { ProcessStatistics.read() }
    }
}

/// What the system says about this process. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
enum ProcessStatistics {
    static func read() -> [MetricReading] {
        var readings = [MetricReading("process_cpu_seconds_total", cpuSeconds)]
        if let count = openDescriptors { readings.append(MetricReading("process_open_fds", Double(count))) }
        if let limit = descriptorLimit { readings.append(MetricReading("process_max_fds", limit)) }
        // The command in parentheses may hold blanks and parentheses itself; the fields count from behind it, and the
        // first of them is number 3.
        guard let line = SystemFile.text("/proc/self/stat"), let end = line.lastIndex(of: ")") else { return readings }
        let fields = line[line.index(after: end)...].split(separator: " ")
        func field(_ number: Int) -> Double? { fields.dropFirst(number - 3).first.flatMap { Double($0) } }
        if let threads = field(20) { readings.append(MetricReading("process_threads", threads)) }
        if let bytes = field(23) { readings.append(MetricReading("process_virtual_memory_bytes", bytes)) }
        if let pages = field(24) {
            let bytes = pages * Double(sysconf(Int32(_SC_PAGESIZE)))
            readings.append(MetricReading("process_resident_memory_bytes", bytes))
        }
        if let ticks = field(22), let boot = bootTime {
            let seconds = boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
            readings.append(MetricReading("process_start_time_seconds", seconds))
        }
        return readings
    }

    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// In seconds since 1970.
    private static var bootTime: Double? {
        SystemFile.text("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst(6)) }
    }

    private static var openDescriptors: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            // "." and ".." are none.
            if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        // The one that the folder is read through is none of the process's own.
        return max(0, count - 1)
    }

    private static var descriptorLimit: Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Double(limit.rlim_cur)
    }
}

/// Files of /proc, whose size is not known before they are read.
enum SystemFile {
    /// `nil` if it cannot be read.
    static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return String(decoding: text, as: UTF8.self) }
            text += chunk[..<count]
        }
    }
}
