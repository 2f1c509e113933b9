import Glibc

/// What a server was asked since it was last told to forget.
struct ServerCounts: Codable, Sendable {
    /// Requests, whatever became of them.
    var requests = 0
    var connections = 0
    /// Bytes of objects that were sent.
    var bytesOut: Int64 = 0
    /// Bytes of objects and parts that came.
    var bytesIn: Int64 = 0
    /// When the first byte of an object that is written came, by ``SharedClock``.
    var firstOutput: Int64?
    /// User and system time of the server itself.
    var cpuSeconds = 0.0

    static var cpuSecondsOfProcess: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.cpuSeconds
    }
}
