import MediaKit
import TestSupport
import Testing

@Suite("Size, shape and rate of pictures", .serialized)
struct FramingTests {
    private func size(_ asked: PictureSize?, of clip: TestClip) async throws -> (
        made: DecodedFrame, info: MediaInfo.Video
    ) {
        let bench = try Workbench()
        let input = try bench.put(clip)
        try await bench.transcode(input, to: "a.mp4") { $0.video = VideoSettings(codec: .h264, size: asked) }
        let frame = try #require(try bench.look("a.mp4").video?.frames.first)
        let info = try #require(try await bench.probe(bench.scratch("a.mp4")).streams[0].video)
        return (frame, info)
    }

    @Test("contain, cover and stretch end in the size they promise")
    func fits() async throws {
        let clip = TestClip(video: .init(frames: 3, width: 160, height: 96))
        var made = try await size(PictureSize(width: 80, height: 80), of: clip).made
        #expect([made.width, made.height] == [80, 48])
        #expect(TestClip.number(in: made.luma) == 0)
        made = try await size(PictureSize(width: 80, height: 80, fit: .stretch), of: clip).made
        #expect([made.width, made.height] == [80, 80])
        // Dark on the left, bright on the right, still half and half.
        #expect(made.luma.mean(0...0.4, 0.55...0.7) < 80 && made.luma.mean(0.6...1, 0.55...0.7) > 140)
        made = try await size(PictureSize(width: 64, height: 96, fit: .cover), of: clip).made
        #expect([made.width, made.height] == [64, 96])
        #expect(made.luma.mean(0.1...0.4, 0.55...0.7) < 80 && made.luma.mean(0.6...0.9, 0.55...0.7) > 140)
        made = try await size(PictureSize(width: 640), of: clip).made
        #expect([made.width, made.height] == [160, 96], "not enlarged")
        made = try await size(PictureSize(width: 320, enlarge: true), of: clip).made
        #expect([made.width, made.height] == [320, 192])
    }

    @Test("odd sizes lose one row or column, not the picture")
    func odd() async throws {
        let made = try await size(nil, of: TestClip(video: .init(frames: 2, width: 161, height: 97))).made
        #expect([made.width, made.height] == [160, 96])
        #expect(TestClip.number(in: made.luma) == 0)
        let scaled = try await size(
            PictureSize(width: 101), of: TestClip(video: .init(frames: 2, width: 161, height: 97))
        ).made
        #expect(scaled.width % 2 == 0 && scaled.height % 2 == 0)
    }

    @Test("the shape of pixels is carried, and made square when the size is changed")
    func aspect() async throws {
        var clip = TestClip(video: .init(frames: 2, width: 160, height: 96))
        clip.video?.displayWidth = 240
        let kept = try await size(nil, of: clip).info
        #expect(kept.sampleAspectRatio == "3:2")
        #expect([kept.displayWidth, kept.displayHeight] == [240, 96])
        let scaled = try await size(PictureSize(height: 48), of: clip)
        #expect([scaled.made.width, scaled.made.height] == [120, 48])
        #expect(scaled.info.displayWidth == 120)
    }

    @Test("uneven times are kept")
    func variable() async throws {
        let bench = try Workbench()
        let times = [0, 40, 90, 300, 333, 1000, 1040]
        let input = try bench.put(TestClip(video: .init(times: times)))
        for output in ["a.mp4", "a.mkv", "a.ts", "a.webm"] {
            try await bench.transcode(input, to: output) { $0.video.codec = output == "a.webm" ? .vp9 : .h264 }
            let video = try #require(try bench.look(output).video)
            #expect(video.times.map { Int((($0 - video.start) * 1000).rounded()) } == times, "\(output)")
            #expect(video.numbers == Array(0..<7))
        }
    }

    @Test("a frame rate that was asked for is constant, and shows at each time what was shown then")
    func constant() async throws {
        let bench = try Workbench()
        let times = [0, 40, 90, 300, 333, 1000, 1040]
        let input = try bench.put(TestClip(video: .init(times: times)))
        let result = try await bench.transcode(input, to: "a.mp4") {
            $0.video = VideoSettings(codec: .h264, frameRate: FrameRate("25"))
        }
        let video = try #require(try bench.look("a.mp4").video)
        #expect(result.streams[0].frames == Int64(video.frames.count))
        for (index, frame) in video.frames.enumerated() {
            let time = Double(frame.time) * video.timeBase.value
            #expect(abs(time - Double(index) * 0.04) < 0.0001)
            // Which picture is on screen within half a frame of that time.
            let shown = TestClip.number(in: frame.luma) ?? -1
            let possible = times.indices.filter { number in
                let begin = Double(times[number]) / 1000 - 0.0205
                let end = number + 1 < times.count ? Double(times[number + 1]) / 1000 + 0.0205 : .infinity
                return (begin...end).contains(time)
            }
            #expect(possible.contains(shown), "\(shown) at \(time)")
        }
        #expect(abs(video.end - 1.08) < 0.05)
    }

    @Test("halving and doubling the rate", arguments: [("12.5", 25), ("50", 100)])
    func rates(rate: String, count: Int) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 2))
        try await bench.transcode(input, to: "a.mp4") {
            $0.video = VideoSettings(codec: .h264, frameRate: FrameRate(rate))
        }
        let made = try bench.look("a.mp4")
        #expect(abs((made.video?.frames.count ?? 0) - count) <= 1)
        #expect(abs((made.video?.end ?? 0) - 2) < 0.041)
        try expectTones(try #require(made.audio), seconds: 2, name: rate)
    }
}
