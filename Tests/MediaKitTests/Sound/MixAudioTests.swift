import Glibc
import MediaKit
import TestSupport
import Testing

@Suite struct MixAudioTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func put(_ clip: TestClip, _ name: String) throws -> MixInput {
        MixInput(input: try bench.put(clip, as: name))
    }

    @Test func `The mix is the sum of its inputs, sample by sample`() async throws {
        let one = try put(tone(440, [0.3], seconds: 2), "1.mkv"), two = try put(tone(1000, [0.2], seconds: 2), "2.mkv")
        try await bench.mix([one, two], to: "a.wav")
        let sum = zip(try bench.samples(one.input), try bench.samples(two.input)).map { $0 + $1 }
        #expect(difference(try bench.samples("a.wav"), sum) < 0.6 / 32_768)
    }

    @Test func `Gain and delay are exact`() async throws {
        let one = try put(tone(440, [0.3], seconds: 1), "1.mkv")
        var two = try put(tone(1000, [0.4], seconds: 1), "2.mkv")
        two.gain = -6
        // 12,345 samples.
        two.delay = 12_345.0 / 48_000
        try await bench.mix([one, two], to: "a.wav")
        let factor = Float(pow(10, -6.0 / 20))
        var expected = try bench.samples(one.input) + Array(repeating: 0, count: 12_345)
        for (index, sample) in try bench.samples(two.input).enumerated() { expected[index + 12_345] += sample * factor }
        #expect(difference(try bench.samples("a.wav"), expected) < 1.1 / 32_768)
    }

    @Test func `A part of an input is used, exact to the sample`() async throws {
        var one = try put(tone(440, [0.3, 0.1, 0.2], seconds: 3), "1.mkv")
        one.start = 0.75
        one.end = 2.25
        try await bench.mix([one], to: "a.wav")
        let samples = try bench.samples(one.input)
        #expect(difference(try bench.samples("a.wav"), Array(samples[36_000..<108_000])) < 0.6 / 32_768)
    }

    @Test(arguments: [
        (MixAudio.Length.longest, 3.0), (.first, 2.0), (.shortest, 1.0),
    ])
    func `The length follows from the inputs as asked`(_ length: MixAudio.Length, _ seconds: Double) async throws {
        let inputs = [
            try put(tone(440, [0.1], seconds: 2), "1.mkv"), try put(tone(600, [0.1], seconds: 3), "2.mkv"),
            try put(tone(800, [0.1], seconds: 1), "3.mkv"),
        ]
        let result = try await bench.mix(inputs, to: "a.wav") { $0.length = length }
        #expect(try bench.samples("a.wav").count == Int(seconds * 48_000))
        #expect(abs(result.duration - seconds) < 0.001)
        #expect(result.warnings.isEmpty, "\(result.warnings)")
    }

    @Test(arguments: [0.5, 1.23456, 4.2])
    func `A duration is kept to the sample, by cutting or by silence`(_ seconds: Double) async throws {
        let one = try put(tone(440, [0.3], seconds: 2), "1.mkv")
        try await bench.mix([one], to: "a.wav") { $0.duration = seconds }
        let made = try bench.samples("a.wav"), source = try bench.samples(one.input)
        #expect(made.count == Int((seconds * 48_000).rounded()))
        let common = min(made.count, source.count)
        #expect(difference(Array(made[..<common]), Array(source[..<common])) < 0.6 / 32_768)
        #expect(made[common...].allSatisfy { $0 == 0 })
    }

    @Test(arguments: [nil, MixAudio.Length.first, .shortest])
    func `A loop goes on for as long as the others sound, without a gap`(_ length: MixAudio.Length?) async throws {
        let speech = try put(tone(440, [0.1], seconds: 2.5), "1.mkv")
        // 48 whole waves: its end meets its beginning.
        var music = try put(tone(480, [0.2], seconds: 0.1), "2.mkv")
        music.loop = true
        try await bench.mix([speech, music], to: "a.wav") { $0.length = length }
        let made = try bench.samples("a.wav"), voice = try bench.samples(speech.input)
        let loop = try bench.samples(music.input)
        #expect(made.count == 120_000)
        let expected = voice.indices.map { voice[$0] + loop[$0 % loop.count] }
        #expect(difference(made, expected) < 0.6 / 32_768)
    }

    @Test func `Two inputs and a loop last as long as the longer of the two`() async throws {
        var music = try put(tone(480, [0.2], seconds: 0.5), "3.mkv")
        music.loop = true
        let inputs = [
            try put(tone(440, [0.1], seconds: 1), "1.mkv"), try put(tone(600, [0.1], seconds: 2), "2.mkv"), music,
        ]
        try await bench.mix(inputs, to: "a.wav")
        #expect(try bench.samples("a.wav").count == 96_000)
    }

    @Test func `Fades come up from silence and go down to it, at the end of the mix for a loop`() async throws {
        let speech = try put(tone(440, [0], seconds: 4), "1.mkv")
        var music = try put(tone(480, [0.5], seconds: 1), "2.mkv")
        music.loop = true
        music.fadeIn = 1
        music.fadeOut = 2
        try await bench.mix([speech, music], to: "a.wav")
        let made = try bench.samples("a.wav")
        #expect(made.count == 192_000)
        let full = 20 * log10(0.5)
        #expect(abs(level(made, 0.45...0.55) - (full - 6)) < 0.5)
        #expect(abs(level(made, 1.2...1.8) - full) < 0.1)
        #expect(abs(level(made, 2.95...3.05) - (full - 6)) < 0.5)
        #expect(level(made, 3.98...4) < full - 35)
    }

    @Test func `Music is lowered while there is speech, and only then`() async throws {
        // Speech from 2 to 4 s.
        let speech = try put(tone(300, [0, 0, 0.2, 0.2, 0], seconds: 8), "1.mkv")
        var music = try put(tone(3000, [0.3], seconds: 8), "2.mkv")
        music.duck = Ducking(key: 0, amount: 15, attack: 0.1, release: 0.5)
        try await bench.mix([speech, music], to: "a.wav")
        let mix = try bench.samples("a.wav"), voice = try bench.samples(speech.input)
        // What is left is the music.
        let left = zip(mix, voice).map { $0 - $1 }
        let full = 20 * log10(0.3)
        #expect(abs(level(left, 0...1.95) - full) < 0.05)
        #expect(abs(level(left, 2.3...3.95) - (full - 15)) < 1)
        #expect(abs(level(left, 5.2...8) - full) < 0.1)
        // It comes back gradually.
        let returning = level(left, 4.3...4.4)
        #expect(returning > full - 15 && returning < full - 1)
    }

    @Test func `How loud the speech is does not change how far music is lowered`() async throws {
        var depths: [Double] = []
        for (name, amplitude) in [("1.mkv", 0.05), ("2.mkv", 0.5)] {
            let speech = try put(tone(300, [amplitude], seconds: 3), name)
            var music = try put(tone(3000, [0.3], seconds: 3), "m" + name)
            music.duck = Ducking(key: 0, amount: 10)
            try await bench.mix([speech, music], to: name + ".wav")
            let left = zip(try bench.samples(name + ".wav"), try bench.samples(speech.input)).map { $0 - $1 }
            depths.append(level(left, 1...2.9) - 20 * log10(0.3))
        }
        for depth in depths { #expect(abs(depth - -10) < 1) }
    }

    @Test func `Noise below the threshold lowers nothing`() async throws {
        let noise = try put(tone(300, [0.003], seconds: 3), "1.mkv")
        var music = try put(tone(3000, [0.3], seconds: 3), "2.mkv")
        music.duck = Ducking(key: 0)
        try await bench.mix([noise, music], to: "a.wav")
        let sum = zip(try bench.samples(noise.input), try bench.samples(music.input)).map { $0 + $1 }
        #expect(difference(try bench.samples("a.wav"), sum) < 1.1 / 32_768)
    }

    @Test func `Music goes on after a shorter key has ended`() async throws {
        let speech = try put(tone(300, [0.2], seconds: 1), "1.mkv")
        var music = try put(tone(3000, [0.3], seconds: 4), "2.mkv")
        music.duck = Ducking(key: 0)
        let result = try await bench.mix([speech, music], to: "a.wav")
        #expect(result.duration == 4)
        let made = try bench.samples("a.wav")
        #expect(made.count == 192_000)
        #expect(abs(level(made, 3...4) - 20 * log10(0.3)) < 0.1)
    }

    @Test func `Inputs of differing rates and layouts meet at the highest rate and most channels`() async throws {
        let phone = try put(tone(500, [0.2], seconds: 2, sampleRate: 8000), "1.mkv")
        let music = try put(tone(2000, [0.1], seconds: 2, sampleRate: 44_100, channels: 2), "2.mkv")
        let result = try await bench.mix([phone, music], to: "a.wav")
        #expect(result.streams[0].sampleRate == 44_100 && result.streams[0].channels == 2)
        let media = try bench.look("a.wav", pictureWidth: nil)
        let audio = try #require(media.audio)
        #expect(abs(audio.samples[0].count - 88_200) < 16)
        // Mono is heard from both sides as loud as it was.
        for channel in 0..<2 {
            #expect(share(of: 500, in: audio.sound(0.5...1.5, channel: channel), rate: 44_100) > 0.75)
            #expect(
                abs(level(audio.samples[channel], 0.5...1.5, rate: 44_100) - 10 * log10(0.2 * 0.2 + 0.1 * 0.1)) < 0.1)
        }
    }

    @Test func `Two channels that become one are as loud, and do not clip`() async throws {
        let both = try put(tone(500, [0.9], seconds: 1, channels: 2), "1.mkv")
        try await bench.mix([both], to: "a.wav") {
            $0.audio.channels = 1
            $0.limiter = false
        }
        #expect(difference(try bench.samples("a.wav"), try bench.samples(both.input)) < 2.0 / 32_768)
    }

    @Test func `A mix beyond the limit is refused before it is made`() async throws {
        var music = try put(tone(500, [0.1], seconds: 0.5), "1.mkv")
        music.loop = true
        let error = await mediaError { [music] in
            try await bench.mix([music], to: "a.wav") {
                $0.duration = 20
                $0.limits.durationSeconds = 10
            }
        }
        #expect(error?.code == .resourceLimit)
    }

    @Test func `Peaks over the ceiling are limited, unless they shall not be`() async throws {
        let inputs = try (1...3).map { try put(tone(Double($0) * 400, [0.7], seconds: 2), "\($0).mkv") }
        try await bench.mix(inputs, to: "a.wav")
        let made = try bench.samples("a.wav")
        #expect(made.count == 96_000)
        #expect((made.map(abs).max() ?? 1) <= Float(pow(10, -1.0 / 20)) + 1 / 32_768)
        try await bench.mix(inputs, to: "b.wav") { $0.limiter = false }
        #expect((try bench.samples("b.wav").map(abs).max() ?? 0) > 0.99)
    }

    @Test func `Under a video its pictures are copied, and the sound is as long as they are`() async throws {
        let movie = try await bench.movie(.ordinary(seconds: 3))
        var music = try put(tone(2000, [0.2], seconds: 1), "m.mkv")
        music.loop = true
        for (name, inputs) in [("a.mp4", [music]), ("b.mp4", [MixInput(input: movie), music])] {
            let result = try await bench.mix(inputs, to: name) { $0.video = movie }
            #expect(result.streams.map(\.copied) == [true, false])
            let before = try bench.look(movie), after = try bench.look(name)
            #expect(after.video?.frames.map(\.luma.samples) == before.video?.frames.map(\.luma.samples))
            let sound = try #require(after.audio)
            #expect(abs(sound.end - 3) < 0.05)
            // The film's own sound is there if it was asked for.
            let own = share(of: TestClip.frequency(second: 1), in: sound.sound(1.1...1.9), rate: sound.sampleRate)
            #expect(inputs.count == 2 ? own > 0.4 : own < 0.01, "\(name): \(own)")
        }
    }

    @Test(arguments: [
        MixAudio(inputs: [], output: "a.wav"),
        MixAudio(inputs: [MixInput(input: "a", loop: true)], output: "a.wav"),
        MixAudio(inputs: [MixInput(input: "a", loop: true), MixInput(input: "b")], output: "a.wav", length: .first),
        MixAudio(inputs: [MixInput(input: "a", duck: Ducking(key: 0))], output: "a.wav"),
        MixAudio(inputs: [MixInput(input: "a", duck: Ducking(key: 1))], output: "a.wav"),
        MixAudio(inputs: [MixInput(input: "a", gain: .infinity)], output: "a.wav"),
        MixAudio(inputs: [MixInput(input: "a", delay: -1)], output: "a.wav"),
        MixAudio(inputs: [MixInput(input: "a", start: 2, end: 1)], output: "a.wav"),
        MixAudio(inputs: [MixInput(input: "a")], output: "a.wav", video: "v"),
        MixAudio(inputs: [MixInput(input: "a")], output: "a.mp4", length: .video),
        MixAudio(inputs: [MixInput(input: "a")], output: "a.wav", length: .first, duration: 3),
        MixAudio(inputs: [MixInput(input: "a")], output: "a.wav", audio: AudioSettings(codec: .none)),
    ])
    func `A request that makes no sense is refused before anything is opened`(_ request: MixAudio) async {
        let error = await mediaError { _ = try await bench.engine.run(request) }
        #expect(error?.code == .badRequest)
    }

    @Test func `An input without sound is named`() async throws {
        let silent = try put(TestClip(video: .init(frames: 10)), "1.mkv")
        let error = await mediaError { try await bench.mix([silent], to: "a.wav") }
        #expect(error?.code == .badInput && error?.input?.hasSuffix("1.mkv") == true)
    }

    @Test(.enabled(if: Media.isPresent))
    func `Real speech over real music, looped, ducked and faded`() async throws {
        let speech = MixInput(input: Media.file("audio/phone_en_8k_30s.wav"), delay: 2)
        let music = MixInput(
            input: Media.file("audio/guitar_music.mp3"), gain: -6, fadeIn: 1, fadeOut: 3, loop: true,
            duck: Ducking(key: 0, amount: 12))
        let result = try await bench.mix([speech, music], to: "a.m4a")
        #expect(abs(result.duration - 32.28) < 0.1)
        #expect(result.warnings.isEmpty, "\(result.warnings)")
        #expect(result.streams[0].sampleRate == 44_100)
        let plain = try await bench.mix([speech, music], to: "a.wav") { $0.duration = 40 }
        #expect(plain.duration == 40)
        #expect(try bench.samples("a.wav").count == 40 * 44_100)
    }
}
