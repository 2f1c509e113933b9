import Foundation
import MediaKit
import Providers
import ProviderTestSupport
import TestSupport

/// Noise in bursts, as words are, whose times are known: a sentence of some words, and a pause.
struct SpokenNoise {
    var samples: [Int16] = []
    var words: [Transcript.Word] = []
    var seconds: Double { Double(samples.count) / 16_000 }

    /// - Parameter pause: seconds after every sixth word; 0 for speech without pauses.
    init(seconds: Double, seed: UInt64 = 1, pause: Double = 0.9, lead: Double = 0.4) {
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

    var recording: KnownRecording { KnownRecording(pcm: samples, words: words) }

    /// Writes channels as a WAV file. Returns its path.
    static func write(_ channels: [[Int16]], to scratch: Scratch, as name: String = "speech.wav") throws -> String {
        let count = channels.map(\.count).max() ?? 0
        let clip = TestClip(audio: [
            .init(seconds: Double(count) / 16_000, sampleRate: 16_000, channels: channels.count) { time, channel in
                let index = Int((time * 16_000).rounded())
                return index < channels[channel].count ? Double(channels[channel][index]) / 32_768 : 0
            }
        ])
        return try scratch.put(name + ".mkv", clip.bytes)
    }
}
