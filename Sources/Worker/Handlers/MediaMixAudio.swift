import JobQueue
import MediaKit

/// Lays sounds over each other.
enum MediaMixAudio: JobKind {
    static let name = "media.mix_audio"
    static let summary = "Lay sounds over each other, alone or under a video's pictures."
    static let weight = KindWeight(cores: 1, memory: 256 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<MixAudio>.schema } }

    static func run(_ job: Job<MediaPayload<MixAudio>>, _ services: JobServices) async throws -> JobResult {
        try await MediaRun(job.context, services).render(job.payload.operation)
    }
}
