/// What one run of one contestant took.
struct Run: Codable {
    /// User and system time of all threads.
    var cpuSeconds: Double
    var wallSeconds: Double
    /// The largest resident set of the process.
    var peakBytes: Int64
    /// Bytes read by system calls.
    var bytesRead: Int64

    /// The runs one after another: times and reads add up, the largest peak counts.
    static func together(_ runs: [Run]) -> Run {
        Run(
            cpuSeconds: runs.map(\.cpuSeconds).reduce(0, +), wallSeconds: runs.map(\.wallSeconds).reduce(0, +),
            peakBytes: runs.map(\.peakBytes).max() ?? 0, bytesRead: runs.map(\.bytesRead).reduce(0, +))
    }

    /// The median of each figure for itself.
    static func median(of runs: [Run]) -> Run {
        Run(
            cpuSeconds: runs.map(\.cpuSeconds).median, wallSeconds: runs.map(\.wallSeconds).median,
            peakBytes: Int64(runs.map { Double($0.peakBytes) }.median),
            bytesRead: Int64(runs.map { Double($0.bytesRead) }.median))
    }
}

extension Array where Element == Double {
    /// 0 of none.
    var median: Double {
        guard !isEmpty else { return 0 }
        let ordered = sorted()
        let middle = count / 2
        return count % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2
    }
}
