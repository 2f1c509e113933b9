import Glibc
import MediaKit
import TestSupport
import Testing

@Suite struct NormalizeLoudnessTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test func `Every sample is multiplied by one gain, and the target is met`() async throws {
        let input = try bench.put(tone(997, [0.1, 0.05, 0.02, 0.1], seconds: 6, channels: 2))
        let result = try await bench.normalize(input, to: "a.wav")
        let track = try #require(result.tracks.first)
        #expect(!track.isLimited && result.file.warnings.isEmpty)
        #expect(abs(try #require(track.after.integrated) - -16) < 0.1)
        #expect(abs(try #require(try await bench.loudness("a.wav").integrated) - -16) < 0.1)
        let factor = Float(pow(10, track.gain / 20))
        for channel in 0..<2 {
            let expected = try bench.samples(input, channel: channel).map { $0 * factor }
            #expect(difference(try bench.samples("a.wav", channel: channel), expected) < 1.5 / 32_768)
        }
    }

    @Test func `What is too loud is turned down`() async throws {
        let input = try bench.put(tone(997, [0.9], seconds: 3, channels: 2))
        let result = try await bench.normalize(input, to: "a.flac") { $0.target = -23 }
        #expect(abs(result.tracks[0].gain - -22.1) < 0.2)
        #expect(abs(try #require(try await bench.loudness("a.flac").integrated) - -23) < 0.1)
    }

    @Test(arguments: [1, 2])
    func `Peaks are limited to the ceiling, and the target is met all the same`(_ channels: Int) async throws {
        let input = try bench.put(blows(seconds: 6, channels: channels))
        let result = try await bench.normalize(input, to: "a.wav") { $0.target = -16 }
        #expect(result.tracks[0].isLimited)
        let made = try await bench.loudness("a.wav")
        #expect(try #require(made.truePeak) <= -1.5 + 0.1)
        #expect(try #require(made.truePeak) > -2.5)
        #expect(abs(try #require(made.integrated) - -16) < 0.5)
        // Nothing is moved in time, lost or added.
        let before = try bench.samples(input), after = try bench.samples("a.wav")
        #expect(before.count == after.count)
        let factor = Float(pow(10, result.tracks[0].gain / 20))
        // Between the blows, after the limiter's release, it is the same sound.
        for second in 0..<5 {
            let part = (second * 48_000 + 15_000)..<(second * 48_000 + 23_000)
            #expect(difference(Array(after[part]), before[part].map { $0 * factor }) < 0.01)
        }
    }

    @Test func `With reduced gain peaks keep their shape, and a warning says what it costs`() async throws {
        let input = try bench.put(blows(seconds: 6))
        let result = try await bench.normalize(input, to: "a.wav") {
            $0.target = -16
            $0.peaks = .reduce
        }
        #expect(!result.tracks[0].isLimited)
        #expect(abs(try #require(try await bench.loudness("a.wav").truePeak) - -1.5) < 0.05)
        #expect(result.file.warnings.contains { $0.message.contains("reduced by") })
        let factor = Float(pow(10, result.tracks[0].gain / 20))
        let expected = try bench.samples(input).map { $0 * factor }
        #expect(difference(try bench.samples("a.wav"), expected) < 1.5 / 32_768)
    }

    @Test(arguments: [0, 0.0001])
    func `Silence stays silent`(_ amplitude: Double) async throws {
        let input = try bench.put(tone(997, [amplitude], seconds: 2))
        let result = try await bench.normalize(input, to: "a.wav")
        #expect(result.tracks[0].gain == 0)
        #expect(result.file.warnings.contains { $0.message.contains("silent") })
        #expect(try bench.samples("a.wav") == bench.samples(input))
    }

    @Test func `What is shorter than can be measured is left as it is`() async throws {
        let input = try bench.put(tone(997, [0.1], seconds: 0.25))
        let result = try await bench.normalize(input, to: "a.wav")
        #expect(result.tracks[0].gain == 0)
        #expect(result.file.warnings.contains { $0.message.contains("too short") })
        #expect(try bench.samples("a.wav") == bench.samples(input))
    }

    @Test(arguments: NormalizeLoudness.Peaks.allCases)
    func `What is too short to be measured keeps the ceiling all the same`(_ peaks: NormalizeLoudness.Peaks)
        async throws
    {
        let input = try bench.put(tone(997, [0.95], seconds: 0.3, fade: 0.01))
        let result = try await bench.normalize(input, to: "a.wav") {
            $0.ceiling = -3
            $0.peaks = peaks
        }
        #expect(result.tracks[0].isLimited == (peaks == .limit))
        #expect(try #require(try await bench.loudness("a.wav").truePeak) < -2.9)
        #expect(try bench.samples("a.wav").count == bench.samples(input).count)
    }

    @Test func `What is very quiet is raised by no more than is allowed`() async throws {
        let input = try bench.put(tone(997, [0.002], seconds: 3))
        let result = try await bench.normalize(input, to: "a.wav") { $0.maximumGain = 20 }
        #expect(result.tracks[0].gain == 20)
        #expect(result.file.warnings.contains { $0.message.contains("maximumGain") })
    }

    @Test func `A video's pictures and subtitles are copied, and each of its sounds is normalized`() async throws {
        var german = TestClip.Audio(seconds: 3, start: 400, language: "deu") { time, _ in
            TestClip.tones(time, 0) / 10
        }
        german.isDefault = false
        var clip = TestClip(
            video: .init(frames: 75),
            audio: [.init(seconds: 3, channels: 2) { time, _ in TestClip.tones(time, 0) }, german])
        clip.texts = [.init([(start: 500, end: 1500, text: "Hello")])]
        let source = try bench.put(clip)
        try await bench.transcode(source, to: "movie.mkv") {
            $0.video = VideoSettings(codec: .h264, gopSeconds: 1)
            $0.audio.codec = .aac
            $0.streams.audio = .all
        }
        let result = try await bench.normalize(bench.scratch("movie.mkv"), to: "a.mkv")
        #expect(result.file.streams.map(\.kind) == ["video", "audio", "audio", "subtitle"])
        #expect(result.file.streams.map(\.copied) == [true, false, false, true])
        let before = try bench.look("movie.mkv"), after = try bench.look("a.mkv")
        #expect(after.video?.frames.map(\.luma.samples) == before.video?.frames.map(\.luma.samples))
        #expect(after.video?.packetTimes == before.video?.packetTimes)
        #expect(after.subtitles.map(\.subtitles) == [["Hello"]])
        #expect(abs((after.audios[1].start) - before.audios[1].start) < 0.03)
        let measured = try await bench.engine.run(MeasureLoudness(input: bench.scratch("a.mkv"))).tracks
        for track in measured { #expect(abs(try #require(track.loudness.integrated) - -16) < 0.5) }
        #expect(result.tracks[1].gain - result.tracks[0].gain > 15)
    }

    @Test func `Rate and layout stay those of the source, or become what is asked for`() async throws {
        let input = try bench.put(tone(440, [0.1], seconds: 2, sampleRate: 22_050, channels: 2))
        let kept = try await bench.normalize(input, to: "a.wav")
        #expect(kept.file.streams[0].sampleRate == 22_050 && kept.file.streams[0].channels == 2)
        let made = try await bench.normalize(input, to: "b.wav") {
            $0.audio = AudioSettings(sampleRate: 16_000, channels: 1)
        }
        #expect(made.file.streams[0].sampleRate == 16_000 && made.file.streams[0].channels == 1)
        // What is measured is what is written, mixed down.
        #expect(abs(try #require(try await bench.loudness("b.wav").integrated) - -16) < 0.1)
    }

    @Test(arguments: [
        NormalizeLoudness(input: "a", output: "b.wav", target: -3),
        NormalizeLoudness(input: "a", output: "b.wav", ceiling: 1),
        NormalizeLoudness(input: "a", output: "b.wav", maximumGain: 90),
        NormalizeLoudness(input: "a", output: "b.wav", audio: AudioSettings(gain: 3)),
        NormalizeLoudness(input: "a", output: "b.wav", audio: AudioSettings(codec: .copy)),
        NormalizeLoudness(input: "a", output: "b"),
    ])
    func `A request that makes no sense is refused before anything is opened`(_ request: NormalizeLoudness) async {
        let error = await mediaError { _ = try await bench.engine.run(request) }
        #expect(error?.code == .badRequest)
    }

    @Test func `What has no sound is refused`() async throws {
        let input = try bench.put(TestClip(video: .init(frames: 10)))
        let error = await mediaError { try await bench.normalize(input, to: "a.mkv") }
        #expect(error?.code == .badInput)
    }

    @Test(
        .enabled(if: Media.isPresent),
        arguments: [
            ("audio/jfk_16k.wav", "a.wav"), ("audio/jfk.mp3", "a.wav"), ("audio/phone_en_8k_30s.wav", "a.wav"),
            ("audio/phone_en_8k_73s.wav", "a.flac"), ("audio/guitar_music.mp3", "a.flac"),
            ("audio/opus_6ch.ogg", "a.wav"), ("audio/flac_44k_stereo.flac", "a.flac"),
            ("video/bbb_open_1080p24_20s_51.mp4", "a.mkv"),
        ])
    func `Real speech and music come out at the target, with no peak over the ceiling`(
        _ input: String, _ output: String
    ) async throws {
        let result = try await bench.normalize(Media.file(input), to: output) {
            if output.hasSuffix("mkv") { $0.audio.codec = .flac }
        }
        let made = try await bench.loudness(output)
        #expect(abs(try #require(made.integrated) - -16) < 0.5, "\(result.tracks)")
        #expect(try #require(made.truePeak) <= -1.4, "\(result.tracks)")
        let source = try bench.look(Media.file(input), pictureWidth: nil).audio
        let written = try bench.look(output, pictureWidth: nil).audio
        #expect(written?.channels == source?.channels && written?.sampleRate == source?.sampleRate)
    }

    @Test(.enabled(if: Media.isPresent))
    func `A lossy codec changes the loudness by little`() async throws {
        try await bench.normalize(Media.file("audio/jfk_16k.wav"), to: "a.m4a")
        #expect(abs(try #require(try await bench.loudness("a.m4a").integrated) - -16) < 0.5)
    }
}
