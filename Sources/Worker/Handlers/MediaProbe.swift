import JobQueue
import MediaKit

/// Tells what is in a file.
enum MediaProbe: JobKind {
    static let name = "media.probe"
    static let summary = "Tell what is in a file: container, streams, duration, colours."
    static let weight = KindWeight(cores: 0.25, memory: 64 << 20)
    static var schema: JSONSchema { get throws { try MediaPayload<Probe>.schema } }

    static func run(_ job: Job<MediaPayload<Probe>>, _ services: JobServices) async throws -> JobResult {
        let run = MediaRun(job.context, services)
        var request = job.payload.operation
        request.limits = request.limits.capped(by: services.configuration.limits)
        let start = ContinuousClock.now
        let info = try await run.run(request)
        var result = JobResult(timings: run.timings(process: (ContinuousClock.now - start) / .seconds(1)))
        result.duration = info.duration
        result.info = info
        return result
    }
}
