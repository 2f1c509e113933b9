import ByteIO
import MediaKit
import TestSupport
import Testing

@Suite("Limits", .serialized)
struct LimitTests {
    private func fails(_ change: (inout Transcode) -> Void, naming word: String) async throws {
        let bench = try Workbench()
        let movie = try bench.put(.ordinary(seconds: 3))
        let error = await mediaError {
            try await bench.transcode(movie, to: "a.mp4") {
                $0.video.codec = .h264
                change(&$0)
            }
        }
        #expect(error?.code == .resourceLimit)
        #expect("\(error.map(String.init(describing:)) ?? "")".contains(word))
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test func `pixels of a picture`() async throws {
        try await fails({ $0.limits.pixels = 160 * 96 - 1 }, naming: "pixels")
    }
    @Test func `seconds of input`() async throws {
        try await fails({ $0.limits.durationSeconds = 1.5 }, naming: "1.5 s")
    }
    @Test func `bytes of output`() async throws {
        try await fails({ $0.limits.outputBytes = 5000 }, naming: "5000 bytes")
    }
    @Test func `streams of an input`() async throws { try await fails({ $0.limits.streams = 1 }, naming: "stream") }
    @Test func `wall time`() async throws { try await fails({ $0.limits.wallSeconds = 0.000_1 }, naming: "wall") }

    @Test func `pixels of pictures that grow on the way`() async throws {
        let bench = try Workbench()
        let small = try bench.put(TestClip(video: .init(frames: 25, width: 160, height: 96)), as: "small.mkv")
        let large = try bench.put(TestClip(video: .init(frames: 25, width: 640, height: 384)), as: "large.mkv")
        for (input, output) in [(small, "small.ts"), (large, "large.ts")] {
            try await bench.transcode(input, to: output) { $0.video.codec = .h264 }
        }
        // A transport stream may change its pictures' size at any key frame.
        try bench.scratch.put("both.ts", bench.scratch.bytes("small.ts") + bench.scratch.bytes("large.ts"))
        let error = await mediaError {
            try await bench.transcode(bench.scratch("both.ts"), to: "a.mp4") {
                $0.video.codec = .h264
                $0.limits.pixels = 320 * 192
            }
        }
        #expect(error?.code == .resourceLimit)
        #expect("\(error.map(String.init(describing:)) ?? "")".contains("61440 pixels"))
        #expect(!bench.scratch.names.contains("a.mp4"))
    }

    @Test("what lies exactly at a limit passes")
    func exact() async throws {
        let bench = try Workbench()
        let movie = try bench.put(.ordinary(seconds: 1))
        try await bench.transcode(movie, to: "a.mp4") {
            $0.video.codec = .h264
            $0.limits = Limits(
                pixels: 160 * 96, durationSeconds: 1.1, outputBytes: 10_000_000, streams: 2, wallSeconds: 100)
        }
    }

    @Test("a limit of the seconds does not forbid a short part of a long input")
    func part() async throws {
        let bench = try Workbench()
        let movie = try bench.put(.ordinary(seconds: 3))
        try await bench.transcode(movie, to: "a.mp4") {
            $0.video.codec = .h264
            $0.end = 1
            $0.limits.durationSeconds = 1.5
        }
    }

    @Test("wall time ends long work")
    func wallTime() async throws {
        let bench = try Workbench()
        let input = try bench.put(TestClip(video: .init(frames: 150, width: 320, height: 192)))
        let error = await mediaError {
            try await bench.transcode(input, to: "a.mp4") {
                $0.video = VideoSettings(codec: .h264, preset: "placebo")
                $0.limits.wallSeconds = 0.3
            }
        }
        #expect(error?.code == .resourceLimit)
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test("a full disk is an error of I/O and leaves nothing", .enabled(if: SmallDisk.canMount))
    func fullDisk() async throws {
        let bench = try Workbench()
        let disk = try #require(SmallDisk(kilobytes: 64))
        let input = try bench.put(EncoderSettingsTests.noiseBytes)
        let error = await mediaError {
            _ = try await bench.engine.run(
                Transcode(
                    input: input, output: disk.path + "/a.mp4",
                    video: VideoSettings(codec: .h264, crf: 5, preset: "ultrafast")))
        }
        #expect(error?.code == .io)
        #expect(
            "\(error.map(String.init(describing:)) ?? "")".contains("space"),
            "\(error.map(String.init(describing:)) ?? "")")
        #expect((error?.cause as? ByteIOError)?.code == .noSpace)
        #expect(disk.names == [])
    }

    @Test("a sink that fills up is an error of I/O and publishes nothing", arguments: [Container.mp4, .mkv, .mpegts])
    func fullSink(container: Container) async throws {
        let sink = MemorySink(name: "bucket", limit: 20_000)
        let engine = MediaEngine(
            resolver: BoundResolver(
                sources: ["in": MemorySource(EncoderSettingsTests.noiseBytes)], sinks: ["out": sink]))
        let error = await mediaError {
            _ = try await engine.run(
                Transcode(
                    input: "in", output: "out", container: container,
                    video: VideoSettings(codec: .h264, crf: 5, preset: "ultrafast")))
        }
        #expect(error?.code == .io)
        #expect((error?.cause as? ByteIOError)?.code == .noSpace)
        #expect(sink.bytes == nil)
    }
}
