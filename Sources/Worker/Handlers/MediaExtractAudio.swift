import JobQueue
import MediaKit

/// Takes the sound out of a file.
enum MediaExtractAudio: JobKind {
    static let name = "media.extract_audio"
    static let summary = "Take the sound out of a file, whole or in chunks."
    static let weight = KindWeight(cores: 0.5, memory: 128 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<ExtractAudio>.schema } }

    static func run(_ job: Job<MediaPayload<ExtractAudio>>, _ services: JobServices) async throws -> JobResult {
        let run = MediaRun(job.context, services)
        let request = try await run.weighed(run.completed(job.payload.operation))
        let made = try await run.run(request)
        var outputs: [JobResult.Output] = []
        for chunk in made.outputs {
            outputs.append(
                try await run.output(chunk.output, size: chunk.bytes, start: chunk.start, duration: chunk.duration))
        }
        var result = JobResult(
            timings: run.timings(process: made.wallSeconds, cpu: made.cpuSeconds, made: made.duration))
        result.take(outputs)
        result.duration = made.duration
        result.container = made.container.rawValue
        result.streams = [JobResult.Stream(made)]
        result.warnings = made.warnings
        return result
    }
}
