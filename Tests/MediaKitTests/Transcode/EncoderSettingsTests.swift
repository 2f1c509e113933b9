import MediaKit
import TestSupport
import Testing

@Suite("Settings of the encoder", .serialized)
struct EncoderSettingsTests {
    /// Noise that is hard to encode, so that bit rates are reached.
    static let noise: TestClip = {
        var video = TestClip.Video(frames: 100, width: 192, height: 112)
        video.luma = { number, x, y in
            // MurmurHash3's finalizer, which leaves no pattern.
            var mixed = UInt32(truncatingIfNeeded: number << 20 | (x / 4) << 10 | y / 4)
            mixed = (mixed ^ mixed >> 16) &* 0x85EB_CA6B
            mixed = (mixed ^ mixed >> 13) &* 0xC2B2_AE35
            return UInt8(truncatingIfNeeded: mixed >> 24)
        }
        return TestClip(video: video)
    }()

    static let noiseBytes = noise.bytes

    private func bitRate(_ result: RenderResult) -> Double { Double(result.streams[0].bytes) * 8 / result.duration }

    @Test("crf: lower is better and larger", arguments: [VideoCodec.h264, .hevc, .av1, .vp9])
    func crf(codec: VideoCodec) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 1))
        let good = try await bench.transcode(input, to: "good.mkv") { $0.video = VideoSettings(codec: codec, crf: 10) }
        let bad = try await bench.transcode(input, to: "bad.mkv") { $0.video = VideoSettings(codec: codec, crf: 50) }
        #expect(good.bytes > bad.bytes)
        let source = try #require(try bench.look(input).video?.frames[20].luma)
        let better = psnr(try #require(try bench.look("good.mkv").video?.frames[20].luma), source)
        let worse = psnr(try #require(try bench.look("bad.mkv").video?.frames[20].luma), source)
        #expect(better > worse)
    }

    @Test("one pass comes near the bit rate", arguments: [VideoCodec.h264, .hevc, .vp9])
    func onePass(codec: VideoCodec) async throws {
        let bench = try Workbench()
        let input = try bench.put(Self.noiseBytes)
        let result = try await bench.transcode(input, to: "a.mkv") {
            $0.video = VideoSettings(codec: codec, bitRate: 400_000)
        }
        #expect((200_000...620_000).contains(bitRate(result)), "\(bitRate(result))")
    }

    @Test("two passes hit the bit rate and leave nothing behind", arguments: [VideoCodec.h264, .hevc, .vp9])
    func twoPasses(codec: VideoCodec) async throws {
        let bench = try Workbench()
        let input = try bench.put(Self.noiseBytes)
        let result = try await bench.transcode(input, to: "a.mkv") {
            $0.video = VideoSettings(codec: codec, bitRate: 400_000, twoPass: true)
        }
        #expect((320_000...480_000).contains(bitRate(result)), "\(bitRate(result))")
        #expect(try bench.look("a.mkv").video?.frames.count == 100)
        #expect(bench.scratch.names == ["a.mkv", "in.mkv"])
    }

    @Test("the second pass uses what the first one saw")
    func secondPass() async throws {
        let bench = try Workbench()
        // Quiet for two seconds, then noise for two: only who has seen the end saves bits for it.
        var clip = Self.noise
        let noise = clip.video?.luma
        clip.video?.luma = { number, x, y in number < 50 ? 100 : noise?(number, x, y) ?? 0 }
        let input = try bench.put(clip)
        for twoPass in [false, true] {
            try await bench.transcode(input, to: "\(twoPass).mkv") {
                $0.video = VideoSettings(
                    codec: .h264, bitRate: 300_000, maximumBitRate: 3_000_000, bufferSize: 6_000_000, twoPass: twoPass,
                    preset: "veryfast")
            }
        }
        let source = try #require(try bench.look(input).video?.frames[60].luma)
        let once = psnr(try #require(try bench.look("false.mkv").video?.frames[60].luma), source)
        let twice = psnr(try #require(try bench.look("true.mkv").video?.frames[60].luma), source)
        #expect(twice != once, "the passes differ")
        #expect(abs(twice - once) < 40)
    }

    @Test("two passes with AV1 are refused, not ignored")
    func twoPassAV1() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 0.4))
        let error = await mediaError {
            try await bench.transcode(input, to: "a.mkv") {
                $0.video = VideoSettings(codec: .av1, bitRate: 100_000, twoPass: true)
            }
        }
        #expect(error?.code == .unsupported)
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test("the decoder's buffer is kept: no second is larger than it allows")
    func buffer() async throws {
        let bench = try Workbench()
        let input = try bench.put(Self.noiseBytes)
        let result = try await bench.transcode(input, to: "a.mp4") {
            $0.video = VideoSettings(codec: .h264, crf: 10, maximumBitRate: 300_000, bufferSize: 300_000)
        }
        #expect(bitRate(result) < 400_000)
        let free = try await bench.transcode(input, to: "b.mp4") { $0.video = VideoSettings(codec: .h264, crf: 10) }
        #expect(bitRate(free) > 400_000)
    }

    @Test("profile and level end up in the stream")
    func profile() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 0.4))
        try await bench.transcode(input, to: "a.mp4") {
            $0.video = VideoSettings(codec: .h264, preset: "veryfast", profile: "main", level: "4.1")
        }
        let info = try await bench.probe(bench.scratch("a.mp4"))
        #expect(info.streams[0].profile == "Main")
        #expect(info.streams[0].video?.level == "4.1")
        try await bench.transcode(input, to: "b.mp4") {
            $0.video = VideoSettings(codec: .h264, preset: "veryfast", profile: "baseline")
        }
        #expect(try await bench.probe(bench.scratch("b.mp4")).streams[0].profile?.contains("Baseline") == true)
    }

    @Test(
        "a preset or tune that does not exist is refused",
        arguments: [
            VideoSettings(codec: .h264, preset: "warp"), VideoSettings(codec: .h264, preset: "fast", tune: "guitar"),
            VideoSettings(codec: .h264, preset: "fast", profile: "tallest"),
            VideoSettings(codec: .av1, preset: "fast", tune: "film"),
            VideoSettings(codec: .h264, preset: "fast", pixelFormat: "rgb24"),
            VideoSettings(codec: .hevc, preset: "warp"),
            VideoSettings(codec: .h264, preset: "fast", level: "99"),
        ])
    func nonsense(settings: VideoSettings) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 0.4))
        let error = await mediaError { try await bench.transcode(input, to: "a.mp4") { $0.video = settings } }
        #expect(
            [.unsupported, .badRequest].contains(error?.code), "\(error.map(String.init(describing:)) ?? "it was made")"
        )
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test("key frames stand exactly at the multiples of gopSeconds", arguments: [VideoCodec.h264, .hevc])
    func keyFrames(codec: VideoCodec) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 5))
        try await bench.transcode(input, to: "a.mp4") {
            $0.video = VideoSettings(codec: codec, preset: "veryfast", gopSeconds: 2)
        }
        let keys = try bench.look("a.mp4", pictureWidth: nil).video?.keyPacketTimes ?? []
        for second in [0.0, 2, 4] { #expect(keys.contains { abs($0 - second) < 0.001 }, "\(keys)") }
        #expect(
            try await bench.engine.run(Probe(input: bench.scratch("a.mp4"), keyFrames: true)).streams[0].video?
                .keyFrameSeconds == 2)
    }

    @Test("key frames are never further apart than gopSeconds", arguments: [VideoCodec.av1, .vp9])
    func keyFrameDistance(codec: VideoCodec) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 3))
        try await bench.transcode(input, to: "a.mkv") { $0.video = VideoSettings(codec: codec, gopSeconds: 1) }
        let keys = try bench.look("a.mkv", pictureWidth: nil).video?.keyPacketTimes ?? []
        #expect(keys.count >= 3)
        for (a, b) in zip(keys, keys.dropFirst()) { #expect(b - a < 1.05) }
    }

    @Test("with uneven pictures, key frames come with the first picture after each multiple")
    func unevenKeyFrames() async throws {
        let bench = try Workbench()
        let times = [0, 30, 170, 400, 950, 1020, 1100, 1900, 2300, 2310, 2900, 3500]
        let input = try bench.put(TestClip(video: .init(times: times)))
        try await bench.transcode(input, to: "a.mp4") { $0.video = VideoSettings(codec: .h264, gopSeconds: 1) }
        let video = try #require(try bench.look("a.mp4").video)
        #expect(video.times.map { Int(($0 * 1000).rounded()) } == times)
        for key in [0.0, 1.02, 2.3, 3.5] { #expect(video.keyPacketTimes.contains { abs($0 - key) < 0.001 }) }
    }

    @Test("a pixel format that was asked for is made")
    func pixelFormat() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 0.4))
        for (codec, format) in [(VideoCodec.h264, "yuv444p"), (.h264, "yuv420p10le"), (.hevc, "yuv422p10le")] {
            let result = try await bench.transcode(input, to: "\(format).mkv") {
                $0.video = VideoSettings(codec: codec, pixelFormat: format)
            }
            #expect(result.streams[0].pixelFormat == format)
            #expect(try bench.look("\(format).mkv").video?.frames[0].pixelFormat == format)
        }
    }
}
