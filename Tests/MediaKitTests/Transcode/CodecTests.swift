import Glibc
import MediaKit
import TestSupport
import Testing

/// Every container with every codec that it holds: decoded and compared with what went in.
@Suite("Containers and codecs", .serialized)
struct CodecTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var file: String
        var video: VideoCodec
        var audio: AudioCodec
        var testDescription: String { "\(file.split(separator: ".").last ?? "") with \(video) and \(audio)" }
    }

    static let pictureCases: [Case] = [
        ("mp4", VideoCodec.h264, AudioCodec.aac), ("mp4", .hevc, .aac), ("mp4", .av1, .opus), ("mp4", .vp9, .mp3),
        ("mp4", .h264, .flac), ("mov", .h264, .pcm), ("mov", .hevc, .aac), ("mkv", .h264, .flac), ("mkv", .hevc, .opus),
        ("mkv", .av1, .pcm), ("mkv", .vp9, .mp3), ("mkv", .h264, .aac), ("webm", .vp9, .opus), ("webm", .av1, .opus),
        ("ts", .h264, .aac), ("ts", .hevc, .mp3),
    ].map { Case(file: "out.\($0.0)", video: $0.1, audio: $0.2) }

    static let soundCases: [Case] = [
        ("mp3", AudioCodec.mp3), ("m4a", .aac), ("ogg", .opus), ("ogg", .flac), ("opus", .opus),
        ("wav", .pcm),
        ("flac", .flac), ("mkv", .flac),
    ].map { Case(file: "out.\($0.0)", video: .none, audio: $0.1) }

    @Test("keep every picture, its time and the sound's", arguments: pictureCases)
    func pictures(case test: Case) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 2))
        let result = try await bench.transcode(input, to: test.file) {
            $0.video = VideoSettings(codec: test.video, crf: 16)
            $0.audio.codec = test.audio
            $0.threads = 2
        }
        let made = try bench.look(test.file)
        let video = try #require(made.video), source = try #require(try bench.look(input).video)
        #expect(video.numbers == Array(0..<50), "every picture, in order")
        for (index, time) in video.times.enumerated() {
            #expect(abs(time - video.start - Double(index) * 0.04) < 0.0011)
        }
        // SVT-AV1's fastest preset is no more than fast.
        let bound = test.video == .av1 ? 25.0 : 30
        for (a, b) in zip(video.frames, source.frames) { #expect(psnr(a.luma, b.luma) > bound) }
        let audio = try #require(made.audio)
        try expectTones(audio, seconds: 2, name: test.file)
        #expect(abs(audio.start - video.start) < 0.03)
        // The result tells the truth.
        #expect(abs(result.duration - 2) < 0.05)
        #expect(result.streams.map(\.kind) == ["video", "audio"])
        #expect(result.streams[0].frames == 50)
        #expect(result.streams[0].codec == test.video.rawValue)
        #expect(result.streams[0].width == 160 && result.streams[0].height == 96)
        #expect(result.bytes == Int64(bench.scratch.bytes(test.file).count))
        #expect(bench.scratch.names == ["in.mkv", test.file])
    }

    @Test("keep sound alone", arguments: soundCases)
    func sounds(case test: Case) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 2, channels: 2))
        let result = try await bench.transcode(input, to: test.file) {
            $0.audio.codec = test.audio
            $0.video.codec = .none
        }
        let made = try bench.look(test.file)
        #expect(made.videos.isEmpty)
        let audio = try #require(made.audio)
        #expect(audio.channels == 2)
        try expectTones(audio, seconds: 2, name: test.file)
        try expectTones(audio, seconds: 2, channel: 1, name: test.file)
        #expect(abs(result.duration - 2) < 0.06)
        if [.pcm, .flac].contains(test.audio) {
            // Without loss: every sample as it was.
            let source = try #require(try bench.look(input).audio)
            #expect(audio.samples == source.samples)
        }
    }

    @Test("sound is turned into what the codec can take")
    func adapting() async throws {
        let bench = try Workbench()
        // Opus knows no 44.1 kHz, MP3 no 5.1.
        let six = try bench.put(TestClip(audio: [.init(seconds: 1, sampleRate: 44_100, channels: 6)]))
        try await bench.transcode(six, to: "a.opus")
        try await bench.transcode(six, to: "a.mp3")
        try await bench.transcode(six, to: "a.m4a")
        let opus = try #require(try bench.look("a.opus").audio), mp3 = try #require(try bench.look("a.mp3").audio)
        #expect(opus.sampleRate == 48_000 && opus.channels == 6)
        #expect(mp3.sampleRate == 44_100 && mp3.channels == 2)
        #expect(try bench.look("a.m4a").audio?.channels == 6)
    }

    @Test(
        "what a container cannot hold is refused by name",
        arguments: [
            ("out.webm", VideoCodec.h264, AudioCodec.opus), ("out.webm", .vp9, .aac), ("out.ts", .vp9, .aac),
            ("out.mp4", .h264, .pcm),
        ])
    func refused(file: String, video: VideoCodec, audio: AudioCodec) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 0.4))
        let error = await mediaError {
            try await bench.transcode(input, to: file) {
                $0.video.codec = video
                $0.audio.codec = audio
            }
        }
        #expect(error?.code == .unsupported, "\(error.map(String.init(describing:)) ?? "it was made")")
        #expect(bench.scratch.names == ["in.mkv"])
    }
}

/// Each second must sound with its own tone and no other's.
func expectTones(
    _ audio: DecodedStream, seconds: Int, channel: Int = 0, name: String,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    for second in 0..<seconds {
        // Half a tenth aside: codecs blur the change.
        let part = audio.sound(Double(second) + 0.1...Double(second) + 0.9, channel: channel)
        let own = share(of: TestClip.frequency(second: second, channel: channel), in: part, rate: audio.sampleRate)
        #expect(own > 0.9, "second \(second) of \(name)", sourceLocation: sourceLocation)
        #expect(abs(rms(part) - 0.25 / 2.0.squareRoot()) < 0.02, "loudness in \(name)", sourceLocation: sourceLocation)
    }
}
