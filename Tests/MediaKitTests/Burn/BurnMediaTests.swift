import MediaKit
import TestSupport
import Testing

@Suite(.enabled(if: Media.isPresent && canDrawCaption("A"))) struct BurnMediaTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private static let films = Media.files(in: "video").filter { !$0.hasSuffix("two_51_audio_tracks.mp4") }

    /// Small, without loss: the captions are what differs from the same without them.
    private static let settings = VideoSettings(
        codec: .h264, crf: 0, preset: "ultrafast", size: PictureSize(width: 320, height: 320))

    @Test(arguments: films)
    func `every good film can be captioned, and nothing but the caption changes`(name: String) async throws {
        let input = Media.file(name)
        // Its picture begins a second after its sound.
        let end = name.hasSuffix("editlist_empty_edit_1s.mp4") ? 1.5 : 0.8
        let result = try await bench.burn(input, .text(srt("Hello there")), to: "burnt.mkv") {
            $0.video = Self.settings
            $0.end = end
            $0.audio.codec = .aac
        }
        try await bench.transcode(input, to: "plain.mkv") {
            $0.video = Self.settings
            $0.end = end
            $0.audio.codec = .aac
        }
        let burnt = try #require(try bench.look("burnt.mkv", pictureWidth: 4096).video)
        let plain = try #require(try bench.look("plain.mkv", pictureWidth: 4096).video)
        #expect(!burnt.frames.isEmpty && burnt.times == plain.times)
        #expect(result.streams.first { $0.kind == "video" }?.frames == Int64(burnt.frames.count))
        for (burnt, plain) in zip(burnt.frames, plain.frames) {
            let ink = try #require(Ink(burnt.luma, without: plain.luma, threshold: 0))
            // Upright: at the lower edge of the picture as it is seen, and a line high.
            #expect(ink.rows.lowerBound > burnt.height * 8 / 10 && ink.rows.upperBound <= burnt.height * 97 / 100)
            #expect(abs(ink.middle.x - Double(burnt.width) / 2) < 5)
            #expect(ink.width > ink.height * 2)
        }
        #expect(result.warnings.allSatisfy { ![.subtitle, .substitutedFont, .missingGlyph].contains($0.code) })
    }

    @Test(
        arguments: [
            ("phone_rot90_h264_2s.mov", 320, 568), ("phone_rot180_vfr_lowfps.mp4", 1280, 720),
            ("concat_part1_480x272.mp4", 480, 272), ("bframes_editlist_480p.mp4", nil, 480),
        ] as [(String, Int?, Int)])
    func `rotated, full-range and anamorphic films keep their shape and their captions theirs`(
        name: String, width: Int?, height: Int
    ) async throws {
        let input = Media.file("video/\(name)")
        try await bench.burn(input, .text(srt("Hello")), to: "burnt.mp4") {
            $0.end = 0.5
            $0.video.crf = 12
        }
        try await bench.transcode(input, to: "plain.mp4") {
            $0.video = VideoSettings(codec: .h264, crf: 12)
            $0.end = 0.5
        }
        let burnt = try #require(try bench.look("burnt.mp4", pictureWidth: 4096).video?.frames.first)
        let plain = try #require(try bench.look("plain.mp4", pictureWidth: 4096).video?.frames.first)
        #expect(width == nil || burnt.width == width)
        #expect(burnt.height == height && burnt.pixelFormat == plain.pixelFormat && burnt.range == plain.range)
        let ink = try #require(Ink(burnt.luma, without: plain.luma, threshold: 60))
        #expect(abs(ink.middle.x - Double(burnt.width) / 2) < Double(burnt.width) / 20)
        #expect(ink.rows.lowerBound > height * 8 / 10)
        // White is white in this range.
        var brightest: UInt8 = 0
        for y in ink.rows { for x in ink.columns { brightest = max(brightest, burnt.luma[x, y]) } }
        #expect(
            burnt.range == "pc" || burnt.pixelFormat == "yuvj420p" ? brightest > 245 : (228...243).contains(brightest))
    }

    @Test func `text is not squeezed on pixels that are not square`() async throws {
        func ink(_ displayWidth: Int?) async throws -> Ink {
            try #require(
                try await bench.ink(
                    srt("HHHH"), clip: burningClip(width: 360, height: 288) { $0.displayWidth = displayWidth }))
        }
        let square = try await ink(nil), wide = try await ink(720)
        // Twice as wide pixels: half as many of them, if the pixels are kept; else the picture is made wider.
        let info = try await bench.probe(bench.scratch("out.mkv"))
        let stored = try #require(info.streams.first?.video?.width)
        let expected = Double(stored) / 720
        let size = Double(wide.width) / Double(wide.height) / (Double(square.width) / Double(square.height))
        #expect(abs(size / expected - 1) < 0.1, "stored \(stored) wide")
    }

    @Test func `odd sizes and other chroma formats are captioned`() async throws {
        for format in ["yuv420p", "yuv422p", "yuv444p"] {
            let input = try bench.put(burningClip(frames: 2, width: 322, height: 182))
            try await bench.burn(input, .text(srt("Hello"))) { $0.video.pixelFormat = format }
            let frame = try #require(try bench.look("out.mkv", pictureWidth: 4096).video?.frames.first)
            #expect(frame.pixelFormat == format && Ink(frame.luma, on: burningGray) != nil)
        }
        let odd = try bench.put(burningClip(frames: 2, width: 321, height: 181))
        try await bench.burn(odd, .text(srt("Hello")))
        let frame = try #require(try bench.look("out.mkv", pictureWidth: 4096).video?.frames.first)
        #expect(Ink(frame.luma, on: burningGray) != nil)
    }

    // MARK: High dynamic range

    @Test(arguments: [(18, 180.0), (16, 143.0)])
    func `white text in HDR is as bright as paper, not as the sun`(transfer: Int, luma: Double) async throws {
        // 203 cd/m² is 0.75 of HLG's and 0.58 of PQ's signal, 16…235.
        let clip = burningClip(frames: 3) {
            $0.isDeep = true
            ($0.primaries, $0.transfer, $0.matrix, $0.range) = (9, transfer, 9, 1)
        }
        var style = CaptionStyle()
        style.fontSize = 0.4
        style.alignment = .center
        try await bench.burn(try bench.put(clip), .text(srt("██")), style: style) {
            $0.video = VideoSettings(codec: .hevc, crf: 4, preset: "ultrafast")
        }
        let frame = try #require(try bench.look("out.mkv", pictureWidth: 4096).video?.frames.first)
        #expect(frame.pixelFormat == "yuv420p10le" && frame.matrix == "bt2020nc" && frame.primaries == "bt2020")
        #expect(abs(frame.luma.mean(0.47...0.49, 0.49...0.51) - luma) < 3)
    }

    @Test func `a real HLG film keeps 10 bits and its colours in HEVC`() async throws {
        let result = try await bench.burn(
            Media.file("video/hlg10_hevc_1080p.mp4"), .text(srt("██")), to: "out.mp4"
        ) { $0.video = VideoSettings(codec: .hevc, crf: 16, preset: "ultrafast") }
        #expect(result.streams.contains { $0.pixelFormat == "yuv420p10le" })
        let frame = try #require(try bench.look("out.mp4", pictureWidth: 4096).video?.frames.first)
        #expect(frame.transfer == "arib-std-b67" && frame.pixelFormat == "yuv420p10le")
        // The blocks of the caption: 0.75 of the signal.
        let x = Double(frame.width / 2 - 12) / Double(frame.width)
        #expect(abs(frame.luma.mean(x...x + 0.005, 0.92...0.93) - 180) < 5)
    }
}
