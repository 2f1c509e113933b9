import JobQueue
import MediaKit

/// Draws subtitles into a video's pictures.
enum MediaBurnSubtitles: JobKind {
    static let name = "media.burn_subtitles"
    static let summary = "Draw subtitles into a video's pictures."
    static let weight = KindWeight(cores: 1, memory: 256 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<BurnSubtitles>.schema } }

    static func run(_ job: Job<MediaPayload<BurnSubtitles>>, _ services: JobServices) async throws -> JobResult {
        try await MediaRun(job.context, services).render(job.payload.operation)
    }
}
