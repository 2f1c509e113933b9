import CoreMetrics
import FoundationEssentials
import JobQueue

/// Counts how long jobs have waited; what else is counted of them, the queue's own library does.
struct JobMetrics: JobMiddleware {
    func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
        // By the clocks of two machines, which may differ by more than the wait.
        let wait = max(0, Date.now.timeIntervalSince(job.runAt))
        Timer(label: ServiceMetrics.wait, dimensions: [("kind", job.kindName)]).recordSeconds(wait)
        return try await next()
    }
}

/// What media jobs have moved and made, counted by kind.
struct MediaMetrics: Sendable {
    let kind: String

    /// - Parameters:
    ///   - read: bytes that the engine took of its inputs.
    ///   - written: bytes that it gave its outputs.
    func moved(read: Int64, written: Int64) {
        Counter(label: ServiceMetrics.read, dimensions: dimensions).increment(by: read)
        Counter(label: ServiceMetrics.written, dimensions: dimensions).increment(by: written)
    }

    /// - Parameters:
    ///   - seconds: of media that were made.
    ///   - speed: media seconds for each second of work.
    func made(seconds: Double, speed: Double?) {
        FloatingPointCounter(label: ServiceMetrics.mediaSeconds, dimensions: dimensions).increment(by: seconds)
        if let speed { Recorder(label: ServiceMetrics.speed, dimensions: dimensions).record(speed) }
    }

    private var dimensions: [(String, String)] { [("kind", kind)] }
}
