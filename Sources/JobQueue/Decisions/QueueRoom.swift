/// Counts what a worker has of each queue that has a limit in this worker (``KindOptions/concurrency``).
struct QueueRoom: Sendable {
    /// How many jobs of a queue the worker may have at a time.
    private let limits: [String: Int]
    private var taken: [String: Int] = [:]

    init(limits: [String: Int]) { self.limits = limits }

    mutating func take(_ queue: String) {
        if limits[queue] != nil { taken[queue, default: 0] += 1 }
    }

    mutating func give(_ queue: String) {
        if let count = taken[queue] { taken[queue] = max(0, count - 1) }
    }

    /// How many more of the queue, `most` if it has no limit.
    func allowance(_ queue: String, most: Int) -> Int {
        limits[queue].map { max(0, $0 - (taken[queue] ?? 0)) } ?? most
    }
}
