import JobQueue
import MediaKit

/// Joins clips and still images to one video.
enum MediaConcatenate: JobKind {
    static let name = "media.concatenate"
    static let summary = "Join clips and still images to one video."
    static let weight = KindWeight(cores: 1, memory: 256 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<ConcatenateClips>.schema } }

    static func run(_ job: Job<MediaPayload<ConcatenateClips>>, _ services: JobServices) async throws -> JobResult {
        try await MediaRun(job.context, services).render(job.payload.operation)
    }
}
