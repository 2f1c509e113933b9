import JobQueue
import MediaKit

/// Makes a video, or a picture, out of sound.
enum MediaWaveform: JobKind {
    static let name = "media.waveform"
    static let summary = "Make a video, or a picture, out of sound."
    static let weight = KindWeight(cores: 1, memory: 256 << 20)
    static let makesFiles = true
    static var schema: JSONSchema { get throws { try MediaPayload<Waveform>.schema } }

    static func run(_ job: Job<MediaPayload<Waveform>>, _ services: JobServices) async throws -> JobResult {
        try await MediaRun(job.context, services).draw(job.payload.operation)
    }
}

extension MediaRun {
    /// Makes a video, or a picture, out of sound.
    func draw(_ operation: Waveform) async throws -> JobResult {
        let request = try await weighed(completed(operation))
        let made = try await run(request)
        var result = JobResult(
            timings: timings(
                process: made.wallSeconds, cpu: made.cpuSeconds, made: made.container == nil ? nil : made.duration))
        result.take([try await output(request.output, size: made.bytes, duration: made.duration)])
        result.duration = made.duration
        result.container = made.container?.rawValue ?? made.format?.rawValue
        result.streams = made.streams.map { JobResult.Stream($0) }
        result.warnings = made.warnings
        return result
    }
}

extension Waveform: OutputOperation {
    var usualContainer: Container { .mp4 }
    /// What is read has no pictures whose size would tell what encoding takes; the kind's own weight stands for it.
    var encodedVideo: VideoSettings? { nil }
}
