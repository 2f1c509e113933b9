import Glibc
import MediaKit
import TestSupport

/// A sine of an amplitude from second to second: the last goes on for as long as it is asked for. It comes up, and goes
/// down, within `fade` seconds: what begins at once rings over its amplitude.
func tone(
    _ frequency: Double, _ amplitudes: [Double], seconds: Double, sampleRate: Int = 48_000, channels: Int = 1,
    phase: Double = 0, fade: Double = 0
) -> TestClip {
    TestClip(audio: [
        .init(seconds: seconds, sampleRate: sampleRate, channels: channels) { time, _ in
            let amplitude = amplitudes[min(Int(time), amplitudes.count - 1)]
            let faded = fade > 0 ? min(1, time / fade, (seconds - time) / fade) : 1
            return faded * amplitude * sin(2 * .pi * frequency * time + phase)
        }
    ])
}

/// A steady tone with a short loud blow every half second: peaks far over its loudness.
func blows(seconds: Double, channels: Int = 1) -> TestClip {
    TestClip(audio: [
        .init(seconds: seconds, channels: channels) { time, _ in
            let beat = time.truncatingRemainder(dividingBy: 0.5)
            return 0.1 * sin(2 * .pi * 440 * time) + (beat < 0.01 ? 0.7 * sin(2 * .pi * 900 * beat) : 0)
        }
    ])
}

extension Workbench {
    @discardableResult
    func normalize(
        _ input: String, to name: String, _ change: (inout NormalizeLoudness) -> Void = { _ in }
    ) async throws -> NormalizeLoudnessResult {
        var request = NormalizeLoudness(input: input, output: scratch(name))
        change(&request)
        return try await engine.run(request)
    }

    @discardableResult
    func mix(
        _ inputs: [MixInput], to name: String, _ change: (inout MixAudio) -> Void = { _ in }
    ) async throws -> RenderResult {
        var request = MixAudio(inputs: inputs, output: scratch(name))
        change(&request)
        return try await engine.run(request)
    }

    /// How loud the first sound of a file is, decoded again.
    func loudness(_ path: String) async throws -> LoudnessMeasurement {
        let result = try await engine.run(
            MeasureLoudness(input: path.hasPrefix("/") ? path : scratch(path), track: 0))
        return result.tracks[0].loudness
    }

    /// The samples of the first sound's first channel.
    func samples(_ name: String, channel: Int = 0) throws -> [Float] {
        let audio = try look(name, pictureWidth: nil).audio
        guard let samples = audio?.samples, samples.indices.contains(channel) else {
            throw MediaError(.badInput, "no sound", input: name)
        }
        return samples[channel]
    }
}

/// The level of a part, in decibels of full scale, as a sine of that root mean square has it.
func level(_ samples: [Float], _ seconds: ClosedRange<Double>, rate: Int = 48_000) -> Double {
    let part = samples[
        min(
            samples.count, Int(seconds.lowerBound * Double(rate)))..<min(
                samples.count, Int(seconds.upperBound * Double(rate)))]
    return 20 * log10(rms(part) * 2.0.squareRoot() + 1e-12)
}
