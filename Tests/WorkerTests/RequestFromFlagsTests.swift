import ArgumentParser
import MediaKit
import Testing

@testable import Worker

@Suite struct RequestFromFlagsTests {
    private func parse<Command: ParsableCommand>(_ type: Command.Type, _ arguments: String...) throws -> Command {
        try #require(try KilnCommand.parseAsRoot(arguments) as? Command)
    }

    private func transcode(_ arguments: String...) throws -> Transcode {
        let command = try #require(
            try KilnCommand.parseAsRoot(["transcode", "a.mov", "b.mp4"] + arguments) as? TranscodeCommand)
        guard case .transcode(let request) = command.request else { throw Unexpected() }
        return request
    }

    private struct Unexpected: Error {}

    @Test func `Without flags a request has the library's defaults`() throws {
        #expect(try transcode() == Transcode(input: "a.mov", output: "b.mp4"))
    }

    @Test func `Each video flag sets its setting`() throws {
        let request = try transcode(
            "--video-codec", "hevc", "--video-bitrate", "2.5M", "--max-bitrate", "4M", "--buffer-size", "800k",
            "--two-pass", "--preset", "slow", "--tune", "grain", "--profile", "main10", "--level", "4.1",
            "--gop-seconds", "2", "--pixel-format", "yuv420p10le", "--width", "640", "--height", "480", "--fit",
            "cover", "--enlarge", "--fps", "29.97", "--no-deinterlace")
        #expect(
            request.video
                == VideoSettings(
                    codec: .hevc, bitRate: 2_500_000, maximumBitRate: 4_000_000, bufferSize: 800_000, twoPass: true,
                    preset: "slow", tune: "grain", profile: "main10", level: "4.1", gopSeconds: 2,
                    pixelFormat: "yuv420p10le",
                    size: PictureSize(width: 640, height: 480, fit: .cover, enlarge: true),
                    frameRate: FrameRate(Rational(30000, 1001)), deinterlace: false))
        #expect(try transcode("--crf", "18.5").video.crf == 18.5)
    }

    @Test func `Each audio flag sets its setting`() throws {
        let request = try transcode(
            "--audio-codec", "opus", "--audio-bitrate", "96k", "--sample-rate", "48000", "--channels", "1", "--gain",
            "-6.5")
        #expect(
            request.audio
                == AudioSettings(codec: .opus, bitRate: 96_000, sampleRate: 48_000, channels: 1, gain: -6.5))
    }

    @Test func `The other flags set theirs`() throws {
        let request = try transcode(
            "--start", "1:30.5", "--end", "00:02:00", "--video-stream", "1", "--audio-stream", "0,2",
            "--subtitle-stream", "none", "--container", "mkv", "--bitexact", "--no-index-first", "-y", "--threads", "3",
            "--strict", "--lost-frames", "0.2", "--limit-pixels", "1000", "--limit-duration", "60",
            "--limit-output-bytes", "5M", "--limit-streams", "4", "--limit-wall-time", "1:00")
        #expect(
            request
                == Transcode(
                    input: "a.mov", output: "b.mp4", container: .mkv,
                    streams: StreamSelection(video: 1, audio: .indices([0, 2]), subtitles: .indices([])), start: 90.5,
                    end: 120, indexFirst: false, bitexact: true, overwrite: true, threads: 3,
                    limits: Limits(
                        pixels: 1000, durationSeconds: 60, outputBytes: 5_000_000, streams: 4, wallSeconds: 60),
                    tolerance: Tolerance(lostFrames: 0.2, strict: true)))
    }

    @Test func `Burning takes captions from a file or from within, and their style`() throws {
        let plain = try parse(
            BurnCommand.self, "burn", "a.mp4", "a.srt", "b.mp4", "--style", #"{"fontSize": 0.1}"#, "--font-file",
            "a.ttf",
            "--font-file", "b.ttf", "--override-styles", "--strict-fonts", "--crf", "20")
        guard case .burnSubtitles(let request) = try plain.request else { throw Unexpected() }
        var style = CaptionStyle()
        style.fontSize = 0.1
        #expect(
            request
                == BurnSubtitles(
                    input: "a.mp4", subtitles: .file("a.srt"), output: "b.mp4", style: style, overridesStyles: true,
                    fonts: ["a.ttf", "b.ttf"], strictFonts: true, video: VideoSettings(crf: 20)))
        for (argument, expected) in [("embedded", SubtitleInput.embedded(nil)), ("embedded:2", .embedded(2))] {
            let command = try parse(BurnCommand.self, "burn", "a.mp4", argument, "b.mp4")
            guard case .burnSubtitles(let request) = try command.request else { throw Unexpected() }
            #expect(request.subtitles == expected)
        }
        #expect(throws: (any Error).self) { try parse(BurnCommand.self, "burn", "-", "-", "b.mp4") }
        #expect(throws: (any Error).self) { try parse(BurnCommand.self, "burn", "a.mp4", "embedded:x", "b.mp4") }
    }

    @Test func `Burning takes subtitles by an option and a look by name, as JSON or from a file`() throws {
        let command = try parse(
            BurnCommand.self, "burn", "a.mp4", "b.mp4", "--subtitles", "talk.json", "--captions", "karaoke")
        guard case .burnSubtitles(let request) = try command.request else { throw Unexpected() }
        #expect(
            request
                == BurnSubtitles(
                    input: "a.mp4", subtitles: .file("talk.json"), output: "b.mp4",
                    captions: CaptionLook(preset: .karaoke)))
        let own = try parse(
            BurnCommand.self, "burn", "a.mp4", "a.srt", "b.mp4", "--captions",
            #"{"preset": "box", "rules": {"maximumWords": 3}}"#)
        guard case .burnSubtitles(let other) = try own.request else { throw Unexpected() }
        #expect(other.captions == CaptionLook(preset: .box, rules: CaptionRules(maximumWords: 3)))
        #expect(throws: (any Error).self) {
            try parse(BurnCommand.self, "burn", "a.mp4", "a.srt", "b.mp4", "--captions", "neon").request
        }
        #expect(throws: (any Error).self) { try parse(BurnCommand.self, "burn", "a.mp4", "b.mp4") }
        #expect(throws: (any Error).self) {
            try parse(BurnCommand.self, "burn", "a.mp4", "a.srt", "b.mp4", "--subtitles", "c.srt")
        }
    }

    @Test func `Extracting sound takes a preset and where to split`() throws {
        let command = try parse(
            ExtractAudioCommand.self, "extract-audio", "a.mp4", "b-{n}.wav", "--for", "speech", "--split-at-silence",
            "30", "--trim-silence", "--silence-threshold", "-35", "--silence-minimum", "0.5", "--audio-stream", "1")
        guard case .extractAudio(let request) = command.request else { throw Unexpected() }
        #expect(
            request
                == ExtractAudio(
                    input: "a.mp4", output: "b-{n}.wav", preset: .speech, track: 1, trimSilence: true,
                    splitAtSilence: 30, silence: SilenceSettings(threshold: -35, minimum: 0.5)))
    }

    @Test(arguments: [
        ["transcode", "a.mov"], ["transcode", "a.mov", "b.mp4", "--crf", "high"],
        ["transcode", "a.mov", "b.mp4", "--fit", "cover"], ["transcode", "a.mov", "b.mp4", "--start", "1:75"],
        ["transcode", "a.mov", "b.mp4", "--video-bitrate", "-2M"], ["frobnicate"], ["probe"],
        ["transcode", "a.mov", "b.mp4", "--audio-stream", "0,x"],
    ])
    func `What makes no sense is an error of usage`(_ arguments: [String]) async {
        #expect(await KilnProgram.run(arguments) == .usage)
    }

    @Test(arguments: [
        ("90.5", 90.5), ("0", 0), ("1:30", 90), ("1:30.25", 90.25), ("01:00:00.5", 3600.5), ("100:00:00", 360_000),
    ])
    func `Times are seconds or clocks`(_ text: String, _ seconds: Double) {
        #expect(Seconds(argument: text)?.value == seconds)
    }

    @Test(arguments: ["", ":", "1:", "-1", "1:60", "1.5:00", "1:2:3:4", "1e3", "inf", "٣"])
    func `Other times are refused`(_ text: String) { #expect(Seconds(argument: text) == nil) }

    @Test(arguments: [("128k", 128_000), ("2.5M", 2_500_000), ("1G", 1_000_000_000), ("800", 800), ("0", 0)])
    func `Quantities take k, M and G`(_ text: String, _ value: Int64) {
        #expect(Quantity(argument: text)?.value == value)
    }

    @Test(arguments: ["", "k", "-1", "1T", "1kk", "1e6", "99999999999999999999G", "1..2"])
    func `Other quantities are refused`(_ text: String) { #expect(Quantity(argument: text) == nil) }
}
