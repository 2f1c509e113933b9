import JobQueue
import MediaKit

/// Changes a file's container, codecs, size, rate or length.
enum MediaTranscode: JobKind {
    static let name = "media.transcode"
    static let summary = "Change a file's container, codecs, size, rate or length."
    static let weight = KindWeight(cores: 1, memory: 256 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<Transcode>.schema } }

    static func run(_ job: Job<MediaPayload<Transcode>>, _ services: JobServices) async throws -> JobResult {
        try await MediaRun(job.context, services).render(job.payload.operation)
    }
}
