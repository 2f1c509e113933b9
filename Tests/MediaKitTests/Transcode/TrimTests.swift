import MediaKit
import TestSupport
import Testing

@Suite("Trimming", .serialized)
struct TrimTests {
    @Test(
        "is exact to the picture and sample",
        arguments: [
            (0.0, 1.0), (0.04, 0.08), (1.0, 2.0), (1.5, 2.7), (2.96, 3.04), (0.2, 3.9), (3.0, 10.0),
        ])
    func exact(start: Double, end: Double) async throws {
        let bench = try Workbench()
        // With B-frames, an edit list and a key frame each second: seeking has to work for it.
        let movie = try await Self.movie.value.scratch("movie.mp4")
        let result = try await bench.transcode(movie, to: "a.mkv") {
            $0.video = VideoSettings(codec: .h264, crf: 16)
            $0.audio.codec = .pcm
            $0.start = start
            $0.end = end
        }
        let made = try bench.look("a.mkv")
        // Where the start lies within a picture, the next one covers the rest of it.
        let first = Int((start * 25).rounded(.up)), last = min(100, Int((end * 25).rounded(.up)))
        #expect(made.video?.numbers == Array(first..<last))
        #expect(abs(made.video?.start ?? 1) < 0.0011)
        let whole = try #require(try bench.look(movie).audio), audio = try #require(made.audio)
        let range = Int((start * 48_000).rounded())..<min(whole.samples[0].count, Int((end * 48_000).rounded()))
        let cut = audio.samples[0], expected = Array(whole.samples[0][range])
        #expect(abs(cut.count - expected.count) <= 1100, "\(cut.count) of \(expected.count) samples")
        // 16 bits of the same sound at the same place.
        let differs = zip(cut, expected).contains { abs($0 - $1) > 0.0001 }
        #expect(!differs, "the samples are those of the whole")
        #expect(abs(result.duration - (min(end, 4) - start)) < 0.045)
    }

    @Test("is exact on uneven pictures: the one on screen at the start is shown from 0 on")
    func variable() async throws {
        let bench = try Workbench()
        let input = try bench.put(TestClip(video: .init(times: [0, 100, 1000, 1100, 2000, 2100])))
        try await bench.transcode(input, to: "a.mp4") {
            $0.video = VideoSettings(codec: .h264, crf: 16)
            $0.start = 0.5
            $0.end = 2.05
        }
        let video = try #require(try bench.look("a.mp4").video)
        #expect(video.numbers == [1, 2, 3, 4])
        #expect(video.times.map { Int(($0 * 1000).rounded()) } == [0, 500, 600, 1500])
        #expect(abs(video.end - 1.55) < 0.002)
    }

    @Test("is exact on sound alone", arguments: ["a.wav", "a.flac"])
    func sound(output: String) async throws {
        let bench = try Workbench()
        let input = try bench.put(TestClip(audio: [.init(seconds: 4)]))
        try await bench.transcode(input, to: output) {
            $0.start = 1.2345
            $0.end = 2.5
        }
        let whole = try #require(try bench.look(input).audio), cut = try #require(try bench.look(output).audio)
        #expect(cut.samples[0] == Array(whole.samples[0][59_256..<120_000]))
    }

    @Test("finds the pictures of a format without an index, far from any key frame")
    func transportStream() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 4))
        try await bench.transcode(input, to: "a.ts") { $0.video = VideoSettings(codec: .h264, crf: 12, gopSeconds: 60) }
        try await bench.transcode(bench.scratch("a.ts"), to: "b.mkv") {
            $0.video = VideoSettings(codec: .h264, crf: 16)
            $0.audio.codec = .none
            $0.start = 2
            $0.end = 3
        }
        let numbers = try #require(try bench.look("b.mkv").video).numbers
        #expect(numbers.count >= 25 && Set(50..<74).isSubset(of: numbers), "\(numbers)")
    }

    @Test("beyond the end is refused, and nothing is left")
    func beyond() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 1))
        let error = await mediaError { try await bench.transcode(input, to: "a.mp4") { $0.start = 5 } }
        #expect(error?.code == .badRequest)
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test("shifts chapters and subtitles with it")
    func companions() async throws {
        let bench = try Workbench()
        var clip = TestClip.ordinary(seconds: 4)
        clip.chapters = [(0, 1500, "one"), (1500, 4000, "two")]
        clip.texts = [.init([(500, 900, "early"), (2000, 2500, "late")])]
        let input = try bench.put(clip)
        try await bench.transcode(input, to: "a.mkv") {
            $0.video = VideoSettings(codec: .h264)
            $0.start = 1
        }
        let info = try await bench.probe(bench.scratch("a.mkv"))
        #expect(info.chapters.map(\.title) == ["one", "two"])
        #expect(info.chapters.map { ($0.start * 10).rounded() } == [0, 5])
        let texts = try #require(try bench.look("a.mkv").subtitles.first)
        #expect(texts.subtitles == ["late"])
        #expect(abs((texts.packetTimes.first ?? 0) - 1) < 0.03)
    }

    /// One film for all cases.
    private static let movie = Task {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 4))
        try await bench.transcode(input, to: "movie.mp4") {
            $0.video = VideoSettings(codec: .h264, crf: 12, preset: "fast", gopSeconds: 1)
            $0.audio.codec = .flac
        }
        return bench
    }
}
