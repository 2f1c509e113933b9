import Foundation
import JobQueue
import MediaKit
import ServiceTestSupport
import TestSupport
import Testing
import TransferTestSupport

@testable import Worker

/// What is heard in the videos of `pipeline.call_video`.
@Suite struct CallVideoSoundTests: CallVideoSuite {
    /// Decibels of a tone between two seconds.
    private func level(of frequency: Double, in sound: DecodedStream, _ from: Double, _ to: Double) -> Double {
        let rate = Double(sound.sampleRate), samples = sound.samples.first ?? []
        var (real, imaginary, count) = (0.0, 0.0, 0.0)
        for index in Int(from * rate)..<min(Int(to * rate), samples.count) {
            let angle = 2 * Double.pi * frequency * Double(index) / rate
            real += Double(samples[index]) * cos(angle)
            imaginary += Double(samples[index]) * sin(angle)
            count += 1
        }
        return 20 * log10(max(2 * (real * real + imaginary * imaginary).squareRoot() / count, 1e-9))
    }

    @Test func `Music is heard under the call, lower while somebody speaks, and the whole is as loud as is asked for`()
        async throws
    {
        let bench = try await ServiceBench()
        // Spoken from 0.5 s to 4 s, then silence.
        bench.server.put("in/call.mkv", SpokenClip(seconds: 10).clip(width: 0).bytes)
        let tone = TestClip.Audio(seconds: 3, sampleRate: 44_100, channels: 2) { time, _ in
            0.5 * sin(2 * .pi * 3000 * time)
        }
        bench.server.put("in/music.mkv", TestClip(audio: [tone]).bytes)
        let plain = try await enqueue(bench, #""words": false, "thumbnail": false"#)
        let mixed = try await enqueue(
            bench, #""words": false, "thumbnail": false, "music": {"input": "s3://media/in/music.mkv", "gain": -14}"#)
        let (without, with) = try await bench.serving { _ in
            (try await bench.answer(plain), try await bench.answer(mixed))
        }
        let sound = try #require(try bench.film(with.key).audio)
        #expect(abs(sound.end - 10) < 0.03)
        // After a round of the music, which is 3 s long, and before it is faded out.
        let (spoken, pause) = (level(of: 3000, in: sound, 2, 3.5), level(of: 3000, in: sound, 5.5, 7.5))
        #expect(pause - spoken > 8 && pause > -40, "\(spoken) \(pause)")
        #expect(level(of: 3000, in: sound, 9.8, 9.95) < pause - 12)
        let silent = try #require(try bench.film(without.key).audio)
        #expect(level(of: 3000, in: silent, 5.5, 7.5) < pause - 20)
        for answer in [without, with] {
            let loud = try await loudness(bench, answer.key)
            #expect(abs((answer.callLoudness?.after ?? 0) - -16) < 0.5, "\(answer)")
            // AAC keeps less of noise than it does of speech.
            #expect(abs((loud.integrated ?? 0) - -16) < 1, "\(loud)")
        }
        try await expectNothingLeft(bench)
    }

    @Test(.enabled(if: Media.isPresent), arguments: ["audio/phone_en_8k_30s.wav", "audio/jfk_16k.wav"])
    func `Speech is as loud as others are, and not over full scale`(_ name: String) async throws {
        let bench = try await ServiceBench()
        let call = try #require(FileManager.default.contents(atPath: Media.file(name)).map(Array.init))
        bench.server.put("in/call.mkv", call)
        let music = try #require(
            FileManager.default.contents(atPath: Media.file("audio/guitar_music.mp3")).map(Array.init))
        bench.server.put("in/music.mp3", music)
        for more in ["", #", "music": {"input": "s3://media/in/music.mp3"}"#] {
            let id = try await enqueue(bench, #""words": false, "thumbnail": false\#(more)"#)
            let answer = try await bench.serving { _ in try await bench.answer(id) }
            let loud = try await loudness(bench, answer.key)
            #expect(abs((loud.integrated ?? 0) - -16) < 0.5, "\(loud)")
            #expect((loud.truePeak ?? 0) < -1, "\(loud)")
        }
    }

    @Test func `Two sides are heard in the middle, or each in its ear`() async throws {
        let bench = try await ServiceBench()
        let sides = TestClip.Audio(seconds: 2, sampleRate: 8000, channels: 2) { time, channel in
            0.2 * sin(2 * .pi * (channel == 0 ? 500 : 1500) * time)
        }
        bench.server.put("in/call.mkv", TestClip(audio: [sides]).bytes)
        for (isMono, channels) in [(true, 1), (false, 2)] {
            let id = try await enqueue(bench, #""words": false, "thumbnail": false, "mono": \#(isMono)"#)
            let answer = try await bench.serving { _ in try await bench.answer(id) }
            let sound = try #require(try bench.film(answer.key).audio)
            #expect(sound.channels == channels && sound.sampleRate == 48_000)
            let (first, second) = (level(of: 500, in: sound, 0.3, 1.7), level(of: 1500, in: sound, 0.3, 1.7))
            #expect(isMono == (abs(first - second) < 3), "\(first) \(second)")
        }
    }

    @Test func `A clip before does not decide how the call sounds`() async throws {
        let bench = try await bench()
        var intro = film(40, seconds: 1)
        intro.audio = [TestClip.Audio(seconds: 1, sampleRate: 8000) { time, _ in 0.2 * sin(2 * .pi * 440 * time) }]
        bench.server.put("in/intro.mkv", intro.bytes)
        let id = try await enqueue(bench, #""words": false, "thumbnail": false, "intro": "s3://media/in/intro.mkv""#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        let sound = try #require(try bench.film(answer.key).audio)
        #expect(sound.sampleRate == 48_000 && sound.channels == 2)
        #expect(abs(sound.end - Self.seconds - 1) < 0.05)
        #expect(level(of: 440, in: sound, 0.2, 0.8) > -30)
    }
}
