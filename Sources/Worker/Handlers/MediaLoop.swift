import JobQueue
import MediaKit

/// Repeats a clip, or shows a still image, for an exact time.
enum MediaLoop: JobKind {
    static let name = "media.loop"
    static let summary = "Repeat a clip for an exact time, or as long as a sound."
    static let weight = KindWeight(cores: 1, memory: 256 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<LoopTo>.schema } }

    static func run(_ job: Job<MediaPayload<LoopTo>>, _ services: JobServices) async throws -> JobResult {
        try await MediaRun(job.context, services).render(job.payload.operation)
    }
}
