import Glibc
import MediaKit
import TestSupport
import Testing

@Suite("Sound settings and streams", .serialized)
struct SoundTests {
    @Test("gain is in decibels")
    func gain() async throws {
        let bench = try Workbench()
        let input = try bench.put(TestClip(audio: [.init(seconds: 1)]))
        try await bench.transcode(input, to: "a.wav") { $0.audio.gain = -6 }
        let before = rms(try #require(try bench.look(input).audio).sound(0...1))
        let after = rms(try #require(try bench.look("a.wav").audio).sound(0...1))
        #expect(abs(20 * log10(after / before) + 6) < 0.05)
    }

    @Test(
        "the sample rate is changed without changing the tone or the length", arguments: [8000, 16_000, 44_100, 96_000])
    func rate(rate: Int) async throws {
        let bench = try Workbench()
        let input = try bench.put(TestClip(audio: [.init(seconds: 2)]))
        try await bench.transcode(input, to: "a.wav") { $0.audio.sampleRate = rate }
        let audio = try #require(try bench.look("a.wav").audio)
        #expect(audio.sampleRate == rate)
        #expect(abs(audio.samples[0].count - 2 * rate) <= rate / 500)
        try expectTones(audio, seconds: 2, name: "\(rate) Hz")
    }

    @Test("stereo is mixed to mono with both sides in it")
    func mono() async throws {
        let bench = try Workbench()
        let input = try bench.put(TestClip(audio: [.init(seconds: 1, channels: 2)]))
        try await bench.transcode(input, to: "a.wav") { $0.audio.channels = 1 }
        let audio = try #require(try bench.look("a.wav").audio)
        #expect(audio.channels == 1)
        for channel in 0..<2 {
            let part = share(
                of: TestClip.frequency(second: 0, channel: channel), in: audio.sound(0.1...0.9), rate: 48_000)
            #expect((0.4...0.6).contains(part))
        }
    }

    @Test("5.1 is mixed to stereo with the centre on both sides")
    func downmix() async throws {
        let bench = try Workbench()
        // Only the centre (the third channel) sounds.
        let clip = TestClip(audio: [
            .init(seconds: 1, channels: 6) { time, channel in channel == 2 ? 0.5 * sin(2 * .pi * 500 * time) : 0 }
        ])
        let input = try bench.put(clip)
        try await bench.transcode(input, to: "a.wav") { $0.audio.channels = 2 }
        let audio = try #require(try bench.look("a.wav").audio)
        let left = rms(audio.sound(0.1...0.9)), right = rms(audio.sound(0.1...0.9, channel: 1))
        #expect(left > 0.05 && abs(left - right) < 0.001)
    }

    @Test("the best stream is the default one; others come by number, or all")
    func choice() async throws {
        let bench = try Workbench()
        var english = TestClip.Audio(seconds: 1, language: "eng") { time, _ in 0.25 * sin(2 * .pi * 500 * time) }
        english.isDefault = false
        let german = TestClip.Audio(seconds: 1, language: "ger") { time, _ in 0.25 * sin(2 * .pi * 1500 * time) }
        let input = try bench.put(TestClip(video: .init(frames: 25), audio: [english, german]))
        func tone(_ stream: DecodedStream?, _ frequency: Double) -> Double {
            stream.map { share(of: frequency, in: $0.sound(0.2...0.8), rate: $0.sampleRate) } ?? 0
        }
        let best = try await bench.transcode(input, to: "best.mp4")
        #expect(tone(try bench.look("best.mp4").audio, 1500) > 0.9)
        #expect(best.warnings.contains { $0.code == .droppedStream && $0.stream == 1 })
        try await bench.transcode(input, to: "first.mp4") { $0.streams.audio = .indices([0]) }
        #expect(tone(try bench.look("first.mp4").audio, 500) > 0.9)
        try await bench.transcode(input, to: "all.mp4") { $0.streams.audio = .all }
        let all = try bench.look("all.mp4").audios
        #expect(all.count == 2)
        #expect(tone(all.first, 500) > 0.9 && tone(all.last, 1500) > 0.9)
        let info = try await bench.probe(bench.scratch("all.mp4"))
        #expect(info.streams.filter { $0.kind == "audio" }.map(\.language) == ["eng", "ger"])
        #expect(
            info.streams.filter { $0.kind == "audio" }.map { $0.dispositions.contains("default") } == [false, true])
        let error = await mediaError {
            try await bench.transcode(input, to: "x.mp4") { $0.streams.audio = .indices([2]) }
        }
        #expect(error?.code == .notFound)
    }

    @Test("sound that begins later begins later", arguments: ["a.mp4", "a.mkv", "a.wav", "a.flac", "a.mp3"])
    func late(output: String) async throws {
        let bench = try Workbench()
        let clip = TestClip(
            video: .init(frames: 50),
            audio: [.init(seconds: 1.5, start: 500) { time, _ in 0.25 * sin(2 * .pi * 500 * time) }])
        let input = try bench.put(clip)
        try await bench.transcode(input, to: output) { if output.hasSuffix("mp4") { $0.video.codec = .h264 } }
        let audio = try #require(try bench.look(output).audio)
        // By the stream's own times, or by silence where there are none.
        let loud = try #require(audio.samples[0].firstIndex { abs($0) > 0.05 })
        let time = max(0, audio.start) + Double(loud) / Double(audio.sampleRate)
        #expect(abs(time - 0.5) < 0.06, "\(output): \(time)")
    }
}
