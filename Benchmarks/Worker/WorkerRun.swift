/// What one round of one contestant took.
struct WorkerRun: Codable, Sendable {
    var jobs: Int
    /// From the start of the program to the end of the last job; `nil` where jobs came one by one.
    var seconds: Double?
    /// User and system time from the program's start to its end, that of the commands it starts included.
    var cpuSeconds: Double
    /// From a job's coming to its start, in seconds; `nil` without a queue.
    var wait50: Double?
    var wait95: Double?
    /// The largest sum of the resident memory of the program and the commands that run.
    var peakBytes: Int64
    /// The same without pages of files, which processes share.
    var peakOwnBytes: Int64
    /// User and system time of others meanwhile.
    var postgresCPU: Double
    var storeCPU: Double

    var jobsPerMinute: Double? { seconds.map { Double(jobs) / $0 * 60 } }
    var cpuPerJob: Double { cpuSeconds / Double(jobs) }
    /// Cores that the program and its commands kept busy; `nil` where jobs came one by one.
    var cores: Double? { seconds.map { cpuSeconds / $0 } }

    /// The median of each figure for itself.
    static func median(of runs: [WorkerRun]) -> WorkerRun {
        func middle(_ values: [Double?]) -> Double? {
            let there = values.compactMap { $0 }
            return there.isEmpty ? nil : there.median
        }
        return WorkerRun(
            jobs: runs.first?.jobs ?? 0, seconds: middle(runs.map(\.seconds)),
            cpuSeconds: runs.map(\.cpuSeconds).median, wait50: middle(runs.map(\.wait50)),
            wait95: middle(runs.map(\.wait95)), peakBytes: Int64(runs.map { Double($0.peakBytes) }.median),
            peakOwnBytes: Int64(runs.map { Double($0.peakOwnBytes) }.median),
            postgresCPU: runs.map(\.postgresCPU).median, storeCPU: runs.map(\.storeCPU).median)
    }
}
