import ByteIO
import Foundation
import MediaKit
import TestSupport
import Testing

@Suite struct ThumbnailTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func take(
        _ input: String, to name: String, _ change: (inout Thumbnail) -> Void = { _ in }
    ) async throws -> ThumbnailResult {
        var request = Thumbnail(input: input, output: bench.scratch(name))
        change(&request)
        return try await bench.engine.run(request)
    }

    /// The picture as a decoder sees it, in planes of luma and chroma.
    private func look(_ name: String) async throws -> DecodedFrame {
        let made = try bench.look(name)
        if let frame = made.video?.frames.first, !frame.planes.isEmpty { return frame }
        // RGB: looked at through a film of one picture.
        try await bench.transcode(bench.scratch(name), to: "look.mkv") {
            $0.video = VideoSettings(codec: .h264, crf: 5)
            $0.overwrite = true
        }
        return try #require(try bench.look("look.mkv").video?.frames.first)
    }

    @Test(arguments: ["jpg", "png", "webp"])
    func `each format shows the picture of its moment, in its size`(format: String) async throws {
        let input = try await bench.movie(.ordinary(seconds: 4))
        let result = try await take(input, to: "out.\(format)") { $0.at = [.seconds(2.02)] }
        #expect(result.format.rawValue == format && !result.isCover)
        let output = try #require(result.outputs.first)
        #expect(output.width == 160 && output.height == 96 && abs((output.time ?? 0) - 2) < 0.01)
        #expect(output.bytes == Int64(bench.scratch.bytes("out.\(format)").count))
        let frame = try await look("out.\(format)")
        #expect(frame.width == 160 && frame.height == 96)
        #expect(TestClip.number(in: frame.luma) == 50)
    }

    @Test func `several moments are numbered in the order in which they were named`() async throws {
        let input = try await bench.movie(.ordinary(seconds: 4))
        let result = try await take(input, to: "p-{n}.jpg") {
            $0.at = [.seconds(3), .fraction(0.25), .seconds(0), .seconds(3)]
        }
        let names = ["p-001.jpg", "p-002.jpg", "p-003.jpg", "p-004.jpg"]
        #expect(result.outputs.map(\.output) == names.map { bench.scratch($0) })
        var numbers: [Int?] = []
        for name in names { numbers.append(TestClip.number(in: try await look(name).luma)) }
        #expect(numbers == [75, 25, 0, 75])
    }

    @Test func `left to itself it passes a black beginning over`() async throws {
        var video = TestClip.Video(frames: 100)
        video.luma = { number, x, y in
            // Black, then even grey, then something to see, then black again.
            switch number {
            case 40..<50: 128
            case 50..<80: UInt8(16 + (x * 7 + y * 13) % 200)
            default: 16
            }
        }
        let input = try await bench.movie(TestClip(video: video))
        let result = try await take(input, to: "best.jpg")
        let time = try #require(result.outputs.first?.time)
        #expect(time >= 2 && time < 3.2, "\(time)")
        let parts = try await take(input, to: "part-{n}.png") { $0.count = 2 }
        #expect(parts.outputs.count == 2)
        #expect(try #require(parts.outputs[1].time) >= 2)
    }

    @Test func `pixels that are not square become square`() async throws {
        var video = TestClip.Video(frames: 5, width: 160, height: 96)
        video.displayWidth = 320
        let input = try bench.put(TestClip(video: video))
        let result = try await take(input, to: "out.jpg") { $0.at = [.seconds(0)] }
        #expect(result.outputs[0].width == 320 && result.outputs[0].height == 96)
        let small = try await take(input, to: "small.png") {
            $0.at = [.seconds(0)]
            $0.size = PictureSize(width: 75)
        }
        // An image may have odd sides.
        #expect(small.outputs[0].width == 75 && small.outputs[0].height == 23)
    }

    @Test(arguments: [(1, 1), (1, 2), (9, 1), (5, 1)])
    func `a JPEG is of full range, in the matrix that viewers expect`(matrix: Int, range: Int) async throws {
        var video = TestClip.Video(frames: 2)
        video.matrix = matrix
        video.range = range
        video.luma = { _, _, _ in 100 }
        video.chroma = (90, 170)
        let input = try bench.put(TestClip(video: video))
        for name in ["out.jpg", "out.webp"] {
            _ = try await take(input, to: name) {
                $0.at = [.seconds(0)]
                $0.quality = 100
            }
        }
        // By ITU-T H.273 to R'G'B', and by JFIF back.
        let (kr, kb) = [1: (0.2126, 0.0722), 9: (0.2627, 0.0593), 5: (0.299, 0.114)][matrix] ?? (0, 0)
        let isFull = range == 2
        let y = isFull ? 100.0 / 255 : (100.0 - 16) / 219
        let cb = (90.0 - 128) / (isFull ? 255 : 224), cr = (170.0 - 128) / (isFull ? 255 : 224)
        let red = y + 2 * (1 - kr) * cr, blue = y + 2 * (1 - kb) * cb
        let green = (y - kr * red - kb * blue) / (1 - kr - kb)
        let luma = 0.299 * red + 0.587 * green + 0.114 * blue
        let full = [luma * 255, 128 + 255 * (blue - luma) / 1.772, 128 + 255 * (red - luma) / 1.402]
        let frame = try #require(try bench.look("out.jpg").video?.frames.first)
        for (plane, expected) in zip(frame.planes, full) { #expect(abs(plane.mean() - expected) < 3.5) }
        // WebP: the same of limited range.
        let web = try #require(try bench.look("out.webp").video?.frames.first)
        #expect(abs(web.luma.mean() - (16 + 219 * luma)) < 3.5)
    }

    @Test func `several are looked for among the pictures, also where sound goes on behind them`() async throws {
        var clip = TestClip.ordinary(seconds: 2)
        clip.audio = [TestClip.Audio(seconds: 20)]
        let input = try await bench.movie(clip)
        let result = try await take(input, to: "p-{n}.jpg") { $0.count = 4 }
        let times = result.outputs.compactMap(\.time)
        #expect(times.count == 4 && Set(times).count == 4, "\(times)")
    }

    @Test func `of a large file little is read`() async throws {
        var video = TestClip.Video(frames: 500, width: 320, height: 192)
        // Noise that no encoder can do much about.
        video.luma = { number, x, y in
            UInt8(truncatingIfNeeded: (x &* 7919 &+ y &* 104_729 &+ number &* 1_299_709) >> 3)
        }
        let input = try await bench.movie(TestClip(video: video))
        let size = Int64(bench.scratch.bytes("movie.mp4").count)
        let result = try await take(input, to: "out.jpg") { $0.at = [.seconds(15)] }
        #expect(result.bytesRead < size / 6, "\(result.bytesRead) of \(size)")
    }

    @Test func `sound without a picture is a clear error`() async throws {
        let input = try bench.put(TestClip(audio: [TestClip.Audio(seconds: 1)]))
        let error = await mediaError { _ = try await take(input, to: "out.jpg") }
        #expect(error?.code == .badInput && error?.message.contains("no pictures") == true)
        #expect(!bench.scratch.names.contains("out.jpg"))
    }

    @Test func `what makes no sense is refused`() async throws {
        for change: (inout Thumbnail) -> Void in [
            { $0.count = 0 }, { $0.quality = 0 }, { $0.at = [.fraction(2)] }, { $0.output = "a.gif" },
            { ($0.at, $0.count) = ([.seconds(1)], 2) }, { ($0.output, $0.format, $0.count) = ("-", .png, 2) },
        ] {
            let error = await mediaError { _ = try await take("a.mp4", to: "out.jpg", change) }
            #expect(error?.code == .badRequest)
        }
        let input = try await bench.movie(.ordinary(seconds: 1))
        let error = await mediaError { _ = try await take(input, to: "out.jpg") { $0.at = [.seconds(9)] } }
        #expect(error?.code == .badRequest)
    }

    @Test(.enabled(if: Media.isPresent)) func `of a song the cover is taken`() async throws {
        let input = Media.file("audio/mp3_with_big_cover.mp3")
        let result = try await take(input, to: "cover.jpg") { $0.size = PictureSize(width: 400) }
        #expect(result.isCover && result.outputs[0].width == 400 && result.outputs[0].time == nil)
        let made = try await bench.engine.run(
            Waveform(input: input, output: bench.scratch("wave.mp4"), width: 320, height: 180))
        // The sound is copied, and the cover is not taken for a film.
        #expect(made.streams.map(\.codec) == ["h264", "mp3"] && made.streams[1].copied)
        #expect(abs(made.streams[0].duration - made.streams[1].duration) < 0.08)
    }

    @Test(.enabled(if: Media.isPresent)) func `a phone's film stands upright`() async throws {
        let result = try await take(Media.file("video/phone_rot90_h264_2s.mov"), to: "phone.jpg")
        #expect(result.outputs[0].width == 320 && result.outputs[0].height == 568)
        let hdr = try await take(Media.file("video/iphone_rot90_hevc10_editlist.mp4"), to: "hdr.jpg")
        #expect(hdr.outputs[0].width == 1080 && hdr.outputs[0].height == 1920)
        // 569 lines and a bit, which the filter for HDR does not take.
        let small = try await take(Media.file("video/iphone_rot90_hevc10_editlist.mp4"), to: "small.jpg") {
            $0.size = PictureSize(width: 321)
        }
        #expect(abs(small.outputs[0].width - 321) <= 1 && abs(small.outputs[0].height - 570) <= 2)
    }
}
