import MediaKit
import TestSupport
import Testing

@Suite("Copying streams", .serialized)
struct CopyTests {
    @Test("auto copies what the container takes")
    func auto() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 2))
        for output in ["a.mp4", "a.mov", "a.mkv", "a.ts"] {
            let result = try await bench.transcode(movie, to: output)
            #expect(result.streams.map(\.copied) == [true, true], "\(output)")
            let made = try bench.look(output), source = try bench.look(movie)
            #expect(made.video?.numbers == Array(0..<50), "\(output)")
            #expect(made.video?.frames.map(\.luma.samples) == source.video?.frames.map(\.luma.samples), "\(output)")
            #expect(abs((made.video?.start ?? 0) - (made.audio?.start ?? 0)) < 0.03)
        }
    }

    @Test("auto encodes what the container does not take, and only that")
    func partly() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 1))
        let webm = try await bench.transcode(movie, to: "a.webm") { $0.video.preset = "ultrafast" }
        #expect(webm.streams.map(\.codec) == ["vp9", "opus"])
        #expect(webm.streams.map(\.copied) == [false, false])
        // Uncompressed pictures do not go into MP4.
        let raw = try bench.put(.ordinary(seconds: 1))
        let mp4 = try await bench.transcode(raw, to: "b.mp4")
        #expect(mp4.streams.map(\.codec) == ["h264", "aac"])
    }

    @Test("auto encodes the stream that a setting changes, and copies the other")
    func changed() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 1))
        let gain = try await bench.transcode(movie, to: "a.mp4") { $0.audio.gain = -6 }
        #expect(gain.streams.map(\.copied) == [true, false])
        let size = try await bench.transcode(movie, to: "b.mp4") { $0.video.size = PictureSize(height: 48) }
        #expect(size.streams.map(\.copied) == [false, true])
    }

    @Test("a copy that was asked for and is not possible is refused")
    func impossible() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 1))
        let error = await mediaError { try await bench.transcode(movie, to: "a.webm") { $0.video.codec = .copy } }
        #expect(error?.code == .unsupported)
        #expect(error?.stream == 0)
    }

    @Test("a trimmed copy begins at the key frame before and says so; the sound fits it")
    func trimmed() async throws {
        let bench = try Workbench()
        // Key frames at every second.
        let movie = try await bench.movie(.ordinary(seconds: 4))
        let result = try await bench.transcode(movie, to: "a.mp4") {
            $0.video.codec = .copy
            $0.audio.codec = .copy
            $0.start = 1.5
            $0.end = 3
        }
        #expect(result.warnings.contains { $0.code == .adjusted })
        let made = try bench.look("a.mp4")
        let video = try #require(made.video)
        // What is shown from time 0 on is what was asked for; what comes before is only to be decoded.
        let shown = video.frames.filter { $0.time >= 0 }.map { TestClip.number(in: $0.luma) ?? -1 }
        #expect(shown.first == 38 || shown.first == 37)
        #expect(abs((shown.last ?? 0) - 74) <= 2)
        let audio = try #require(made.audio)
        let tone = audio.sound(0.7 - audio.start...1.2 - audio.start)
        #expect(share(of: TestClip.frequency(second: 2), in: tone, rate: audio.sampleRate) > 0.9)
    }

    @Test("a transport stream's late start comes to 0")
    func lateStart() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 2))
        try await bench.transcode(movie, to: "a.ts")
        // Transport streams start at 1.4 s or so.
        #expect((try bench.look("a.ts").video?.start ?? 0) > 0.5)
        try await bench.transcode(bench.scratch("a.ts"), to: "b.mp4")
        let made = try bench.look("b.mp4")
        #expect(abs(made.video?.start ?? 1) < 0.045)
        #expect(abs(made.audio?.start ?? 1) < 0.045)
        #expect(made.video?.numbers == Array(0..<50))
    }
}
