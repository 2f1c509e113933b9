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
    var encodedVideo: VideoSettings? { isSinglePicture ? nil : video }
    var weighedInputs: [String] { isSinglePicture ? [input] : [] }

    /// Of a film the request itself tells the size; of a single picture the sound is held in memory.
    func estimate(_ inputs: [String: MediaInfo]) -> WeightEstimate? {
        guard isSinglePicture else {
            // It is drawn, and laid over what is behind, in RGB.
            return WeightEstimate(input: width * height * 2, output: width * height, video: video)
        }
        guard let info = inputs[input] else { return nil }
        let last = [end, info.duration].compactMap { $0 }.min()
        let held = info.streams.compactMap(\.audio).map {
            heldBytes(
                seconds: max(0, (last ?? 1e9) - (start ?? 0)), sampleRate: $0.sampleRate, channels: $0.channels)
        }
        return held.max().map { WeightEstimate(held: $0) }
    }

    private var isSinglePicture: Bool { container == nil && ImageFormat(fileName: output) != nil }
}
