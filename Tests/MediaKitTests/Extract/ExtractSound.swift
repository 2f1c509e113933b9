import Glibc
import MediaKit
import TestSupport

extension Workbench {
    @discardableResult
    func extract(
        _ input: String, to name: String, _ change: (inout ExtractAudio) -> Void = { _ in }
    ) async throws -> ExtractAudioResult {
        var request = ExtractAudio(input: input, output: scratch(name))
        change(&request)
        return try await engine.run(request)
    }

    /// The first sound stream of a file of the folder.
    func sound(_ name: String) throws -> DecodedStream {
        guard let audio = try look(name, pictureWidth: nil).audio else {
            throw MediaError(.badInput, "no sound", input: name)
        }
        return audio
    }
}

/// A tone at each of these spans of seconds, silence elsewhere.
func bursts(_ spans: [ClosedRange<Double>], seconds: Double, sampleRate: Int = 16_000) -> TestClip {
    TestClip(audio: [
        .init(seconds: seconds, sampleRate: sampleRate) { time, _ in
            spans.contains { $0.contains(time) } ? 0.25 * sin(2 * .pi * 440 * time) : 0
        }
    ])
}

/// The largest difference of two runs of samples; infinite if they differ in length.
func difference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// Seconds from the first to the last sample that is louder than `level`.
func soundSpan(_ stream: DecodedStream, above level: Float = 0.02) -> ClosedRange<Double>? {
    guard let samples = stream.samples.first, let first = samples.firstIndex(where: { abs($0) > level }),
        let last = samples.lastIndex(where: { abs($0) > level })
    else { return nil }
    return Double(first) / Double(stream.sampleRate)...Double(last) / Double(stream.sampleRate)
}
