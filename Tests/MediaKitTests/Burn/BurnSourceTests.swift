import MediaKit
import TestSupport
import Testing

@Suite(.enabled(if: canDrawCaption("A"))) struct BurnSourceTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func firstInk(_ name: String = "out.mkv") throws -> Double? {
        let video = try #require(try bench.look(name, pictureWidth: 4096).video)
        return zip(video.times, video.frames).first { Ink($1.luma, on: burningGray) != nil }?.0
    }

    @Test func `text, a file and a track of the input give the same pictures`() async throws {
        var clip = burningClip(frames: 25, width: 320, height: 180)
        clip.texts = [.init([(start: 200, end: 600, text: "Hello there")])]
        let input = try bench.put(clip)
        let subtitles = srt([(200, 600, "Hello there")])
        try bench.scratch.put("a.srt", Array(subtitles.utf8))
        try await bench.burn(input, .text(subtitles), to: "text.mkv")
        try await bench.burn(input, .file(bench.scratch("a.srt")), to: "file.mkv")
        try await bench.burn(input, .embedded(0), to: "track.mkv")
        let text = try #require(try bench.look("text.mkv", pictureWidth: 4096).video).frames.map(\.luma.samples)
        #expect(text.contains { $0 != text[0] })
        for name in ["file.mkv", "track.mkv"] {
            let other = try #require(try bench.look(name, pictureWidth: 4096).video).frames.map(\.luma.samples)
            #expect(other == text, "\(name)")
        }
    }

    @Test func `WebVTT and ASS are known by their content, whatever their name`() async throws {
        let input = try bench.put(burningClip(frames: 25, width: 320, height: 180))
        try bench.scratch.put("a.srt", Array("WEBVTT\n\n00:00.400 --> 00:00.800\nHello\n".utf8))
        try await bench.burn(input, .file(bench.scratch("a.srt")))
        #expect(try firstInk() == 0.4)
        try await bench.burn(input, .text(assScript("Dialogue: 0,0:00:00.60,0:00:00.80,Default,,0,0,0,,Hello")))
        #expect(try firstInk() == 0.6)
    }

    @Test func `of several tracks the one asked for is burnt in`() async throws {
        var clip = burningClip(frames: 25, width: 320, height: 180)
        clip.texts = [
            .init([(start: 200, end: 400, text: "one")], language: "eng"),
            .init([(start: 600, end: 800, text: "two")], language: "ger"),
        ]
        let input = try bench.put(clip)
        try await bench.burn(input, .embedded(1))
        #expect(try firstInk() == 0.6)
        try await bench.burn(input, .embedded(nil))
        #expect(try firstInk() == 0.2)
        let missing = await mediaError { try await bench.burn(input, .embedded(2)) }
        #expect(missing?.code == .notFound)
    }

    @Test func `an input without a text track is an error that says so`() async throws {
        let input = try bench.put(burningClip(frames: 5))
        let error = await mediaError { try await bench.burn(input, .embedded(nil)) }
        #expect(error?.code == .notFound && error?.operation == "burn_subtitles")
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test func `subtitles that are not there, or empty, are errors that leave nothing`() async throws {
        let input = try bench.put(burningClip(frames: 5))
        let absent = await mediaError { try await bench.burn(input, .file(bench.scratch("none.srt"))) }
        #expect(absent?.code == .notFound && absent?.description.contains("none.srt") == true)
        for text in ["", "  \n\n", "1\n00:00:09,000 --> 00:00:01,000\nbackwards\n"] {
            let error = await mediaError { try await bench.burn(input, .text(text)) }
            #expect(error?.code == .badInput, "\(text)")
        }
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test func `a sound file has no pictures to burn into`() async throws {
        let input = try bench.put(TestClip(audio: [.init(seconds: 1)]))
        let error = await mediaError { try await bench.burn(input, .text(srt("Hello")), to: "out.mp4") }
        #expect(error != nil && bench.scratch.names == ["in.mkv"])
    }

    @Test func `requests that make no sense are refused before anything is read`() async throws {
        let copy = await mediaError {
            try await bench.burn("/nonexistent.mp4", .text("x")) { $0.video = VideoSettings(codec: .copy) }
        }
        #expect(copy?.code == .badRequest)
        let sound = await mediaError { try await bench.burn("/nonexistent.mp4", .text("x"), to: "out.wav") }
        #expect(sound?.code == .badRequest)
    }

    // MARK: Real files

    @Test(.enabled(if: Media.isPresent), arguments: [0, 1, 2])
    func `the tracks of a real Matroska film are burnt in`(track: Int) async throws {
        let film = Media.file("video/sintel_trailer_720p24_52s_3subs.mkv")
        func make(_ name: String, captions: Bool) async throws -> [DecodedFrame] {
            let settings = VideoSettings(
                codec: .h264, crf: 0, preset: "ultrafast", size: PictureSize(width: 320, height: 180))
            if captions {
                try await bench.burn(film, .embedded(track), to: name) {
                    $0.video = settings
                    ($0.start, $0.end) = (18, 19.5)
                }
            } else {
                try await bench.transcode(film, to: name) {
                    $0.video = settings
                    ($0.start, $0.end) = (18, 19.5)
                }
            }
            return try #require(try bench.look(name, pictureWidth: 4096).video).frames
        }
        let plain = try await make("plain.mkv", captions: false)
        let burnt = try await make("burnt.mkv", captions: true)
        #expect(plain.count == burnt.count && plain.count == 36)
        let captioned = zip(plain, burnt).enumerated().filter { Ink($1.1.luma, without: $1.0.luma) != nil }.map(\.0)
        // The second cue of all three tracks begins at 18.7 s.
        #expect(captioned == Array(17..<36))
    }

    @Test(.enabled(if: Media.isPresent))
    func `an MP4's timed text is burnt in`() async throws {
        let input = Media.file("video/count_vfr_2audio_en_de_1sub.mp4")
        func frames(_ subtitles: SubtitleInput, _ name: String) async throws -> [[UInt8]] {
            try await bench.burn(input, subtitles, to: name) { $0.end = 6 }
            return try #require(try bench.look(name, pictureWidth: 4096).video).frames.map(\.luma.samples)
        }
        let track = try await frames(.embedded(nil), "track.mkv")
        let file = try await frames(.file(Media.file("subs/count_de.srt")), "file.mkv")
        let plain = try await frames(.text(srt([(3_600_000, 3_601_000, "never")])), "plain.mkv")
        #expect(track.count == plain.count && file.count == plain.count)
        // The file is what the track was made of.
        #expect(zip(track, plain).map { $0 == $1 } == zip(file, plain).map { $0 == $1 })
        #expect(track != plain)
    }

    @Test(.enabled(if: Media.isPresent))
    func `an embedded ASS track is burnt in with its own styles`() async throws {
        let input = Media.file("video/mkv_ass_subtitle.mkv")
        try await bench.burn(input, .embedded(0), to: "burnt.mkv")
        try await bench.transcode(input, to: "plain.mkv") { $0.video = VideoSettings(codec: .h264, crf: 0) }
        let burnt = try #require(try bench.look("burnt.mkv", pictureWidth: 4096).video).frames
        let plain = try #require(try bench.look("plain.mkv", pictureWidth: 4096).video).frames
        #expect(burnt.count == plain.count)
        #expect(zip(burnt, plain).contains { Ink($0.luma, without: $1.luma) != nil })
    }

    @Test(.enabled(if: Media.isPresent))
    func `picture subtitles are refused by name`() async throws {
        let error = await mediaError {
            try await bench.burn(Media.file("video/mkv_pgs_subtitle.mkv"), .embedded(nil))
        }
        #expect(error?.code == .unsupported && error?.description.contains("pgs") == true)
        #expect(bench.scratch.names.isEmpty)
    }
}

/// A script of 640 × 360 with one style: white on a black outline.
func assScript(_ events: String..., style: String = "&H00FFFFFF") -> String {
    """
    [Script Info]
    ScriptType: v4.00+
    PlayResX: 640
    PlayResY: 360
    ScaledBorderAndShadow: yes

    [V4+ Styles]
    Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
    Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, \
    MarginV, Encoding
    Style: Default,sans-serif,60,\(style),&H000000FF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,10,1

    [Events]
    Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
    \(events.joined(separator: "\n"))

    """
}
