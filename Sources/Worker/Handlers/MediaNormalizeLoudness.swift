import JobQueue
import MediaKit

/// Makes a file's sound as loud as is asked for.
enum MediaNormalizeLoudness: JobKind {
    static let name = "media.normalize_loudness"
    static let summary = "Make sound as loud as is asked for, by EBU R 128; pictures are copied."
    static let weight = KindWeight(cores: 1, memory: 128 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<NormalizeLoudness>.schema } }

    static func run(_ job: Job<MediaPayload<NormalizeLoudness>>, _ services: JobServices) async throws -> JobResult {
        let run = MediaRun(job.context, services)
        let request = try await run.weighed(run.completed(job.payload.operation))
        let made = try await run.run(request)
        var result = try await run.result(of: made.file, at: request.output)
        result.loudness = made.tracks
        return result
    }
}
