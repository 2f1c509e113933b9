import Foundation
import MediaKit
import Providers
import ProviderTestSupport
import TestSupport
import TransferTestSupport

/// Noise in bursts, as words are, whose times are known: a sentence of some words, and a pause.
struct SpokenNoise: Sendable {
    var samples: [Int16] = []
    var words: [Transcript.Word] = []
    var seconds: Double { Double(samples.count) / 16_000 }

    /// - Parameter pause: seconds after every sixth word; 0 for speech without pauses.
    private init(seconds: Double, seed: UInt64 = 1, pause: Double = 0.9, lead: Double = 0.4) {
        var state = seed
        func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 40) / Double(1 << 24)
        }
        samples = [Int16](repeating: 0, count: Int(lead * 16_000))
        var number = 0
        while Double(samples.count) / 16_000 < seconds - 1 {
            let start = Double(samples.count) / 16_000
            let count = Int((0.2 + 0.3 * next()) * 16_000)
            let level = 3000 + 6000 * next()
            var smooth = 0.0
            for index in 0..<count {
                smooth = 0.6 * smooth + (next() - 0.5)
                let shape = sin(.pi * Double(index) / Double(count))
                samples.append(Int16(max(-32_000, min(32_000, smooth * level * (0.3 + shape)))))
            }
            number += 1
            let ends = number % 6 == 0
            words.append(
                Transcript.Word(
                    start: start, end: Double(samples.count) / 16_000,
                    text: "word\(number)" + (ends ? "." : number % 6 == 3 ? "," : "")))
            let gap = ends ? max(0.05, pause) : 0.05
            samples += [Int16](repeating: 0, count: Int(gap * 16_000))
        }
        samples += [Int16](repeating: 0, count: max(0, Int(seconds * 16_000) - samples.count))
    }

    /// A recogniser that knows it.
    private(set) var recording = KnownRecording(pcm: [], words: [])

    /// Made on a thread of its own: tests are not compiled to be fast, and share the threads of Swift's pool.
    static func made(seconds: Double, seed: UInt64 = 1, pause: Double = 0.9, lead: Double = 0.4) async throws -> Self {
        try await BlockingThread.run {
            var noise = SpokenNoise(seconds: seconds, seed: seed, pause: pause, lead: lead)
            noise.recording = KnownRecording(pcm: noise.samples, words: noise.words)
            return noise
        }
    }

    /// With what follows after so many seconds of silence.
    func followed(by other: SpokenNoise, after silence: Double) async throws -> Self {
        var noise = self
        let offset = seconds + silence
        noise.samples += [Int16](repeating: 0, count: Int(silence * 16_000)) + other.samples
        noise.words += other.words.map {
            Transcript.Word(start: $0.start + offset, end: $0.end + offset, text: "later" + $0.text)
        }
        return try await BlockingThread.run { [noise] in
            var whole = noise
            whole.recording = KnownRecording(pcm: noise.samples, words: noise.words)
            return whole
        }
    }

    /// Writes channels as a file. Returns its path.
    static func write(
        _ channels: [[Int16]], to scratch: Scratch, as name: String = "speech"
    ) async throws -> String {
        let count = channels.map(\.count).max() ?? 0
        let clip = TestClip(audio: [
            .init(seconds: Double(count) / 16_000, sampleRate: 16_000, channels: channels.count) { time, channel in
                let index = Int((time * 16_000).rounded())
                return index < channels[channel].count ? Double(channels[channel][index]) / 32_768 : 0
            }
        ])
        return try await BlockingThread.run { try scratch.put(name + ".mkv", clip.bytes) }
    }
}
