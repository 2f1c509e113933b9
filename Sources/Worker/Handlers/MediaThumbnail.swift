import JobQueue
import MediaKit

/// Takes pictures out of a video.
enum MediaThumbnail: JobKind {
    static let name = "media.thumbnail"
    static let summary = "Take one or several pictures out of a video."
    static let weight = KindWeight(cores: 0.5, memory: 192 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<Thumbnail>.schema } }

    static func run(_ job: Job<MediaPayload<Thumbnail>>, _ services: JobServices) async throws -> JobResult {
        let run = MediaRun(job.context, services)
        let request = try await run.weighed(run.completed(job.payload.operation))
        let made = try await run.run(request)
        var outputs: [JobResult.Output] = []
        for picture in made.outputs {
            outputs.append(
                try await run.output(picture.output, size: picture.bytes, start: picture.time, duration: 0))
        }
        var result = JobResult(timings: run.timings(process: made.wallSeconds, cpu: made.cpuSeconds))
        result.take(outputs)
        result.container = made.format.rawValue
        result.warnings = made.warnings
        return result
    }
}

extension Thumbnail: WritingOperation {
    var encodedVideo: VideoSettings? { nil }
    var outputExtension: String {
        (format ?? (output.isEmpty ? nil : ImageFormat(fileName: output)) ?? .jpg).fileExtension
    }

    mutating func settleFormat() {
        if output.isEmpty, format == nil { format = .jpg }
    }
}
