/// What one run of one contestant took.
struct TransferRun: Codable, Sendable {
    /// All of its processes together.
    var process: Run
    /// Bytes written to files, as ``ChildProcess/Ended/diskBytesWritten`` counts them.
    var diskBytes: Int64
    var requests: Int
    /// Bytes of objects that the server sent.
    var bytesFetched: Int64
    /// Bytes of objects that came to the server.
    var bytesSent: Int64
    /// Seconds from its start until the first byte of its output was at the server; `nil` if none was.
    var firstOutput: Double?
    /// User and system seconds of the server meanwhile.
    var serverCPU: Double
    /// What ours had to say.
    var remarks: String

    /// The median of each figure for itself.
    static func median(of runs: [TransferRun]) -> TransferRun {
        func middle(_ values: [Int64]) -> Int64 { Int64(values.map(Double.init).median) }
        let first = runs.compactMap(\.firstOutput)
        return TransferRun(
            process: .median(of: runs.map(\.process)), diskBytes: middle(runs.map(\.diskBytes)),
            requests: Int(middle(runs.map { Int64($0.requests) })), bytesFetched: middle(runs.map(\.bytesFetched)),
            bytesSent: middle(runs.map(\.bytesSent)), firstOutput: first.isEmpty ? nil : first.median,
            serverCPU: runs.map(\.serverCPU).median, remarks: runs.last?.remarks ?? "")
    }
}
