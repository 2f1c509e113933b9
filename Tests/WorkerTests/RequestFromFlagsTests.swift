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

    @Test func `Joining takes clips, the file to make, and how they follow each other`() throws {
        let command = try parse(
            ConcatCommand.self, "concat", "a.mp4", "b.PNG", "c.mp4", "--fade", "0.5", "--transition", "wipeleft",
            "--still-duration", "3", "--sound", "d.wav", "--length", "1:00", "--background", "#102030", "--width", "640"
        )
        guard case .concatenateClips(let request) = command.request else { throw Unexpected() }
        #expect(
            request
                == ConcatenateClips(
                    clips: [Clip(input: "a.mp4"), Clip(input: "b.PNG", duration: 3)], output: "c.mp4",
                    crossFade: CrossFade(.wipeleft, seconds: 0.5), sound: "d.wav", length: 60,
                    background: CaptionColor(red: 16, green: 32, blue: 48),
                    video: VideoSettings(size: PictureSize(width: 640))))
    }

    @Test func `Repeating takes a length or a sound to match`() throws {
        let command = try parse(
            LoopCommand.self, "loop", "a.mp4", "b.mp4", "--match", "c.wav", "--sound", "repeated", "--fade", "1",
            "--end",
            "4")
        guard case .loopTo(let request) = command.request else { throw Unexpected() }
        #expect(
            request
                == LoopTo(
                    input: "a.mp4", output: "b.mp4", match: "c.wav", sound: .repeated, crossFade: CrossFade(seconds: 1),
                    end: 4))
    }

    @Test func `A waveform takes its colours, its place and its sound's settings`() throws {
        let command = try parse(
            WaveformCommand.self, "waveform", "a.wav", "b.mp4", "--style", "bars", "--channel-layout", "overlaid",
            "--color", "#FF0000", "--color", "#00FF00", "--background-color", "#101820", "--background", "c.jpg",
            "--wave-height", "0.3", "--wave-center", "0.7", "--margin-horizontal", "0.1", "--width", "640", "--height",
            "360", "--fps", "30", "--crf", "20", "--audio-codec", "aac", "--audio-stream", "1")
        guard case .waveform(let request) = command.request else { throw Unexpected() }
        #expect(
            request
                == Waveform(
                    input: "a.wav", output: "b.mp4", style: .bars, width: 640, height: 360,
                    frameRate: FrameRate(Rational(30, 1)), channels: .overlaid,
                    colors: [CaptionColor(red: 255, green: 0, blue: 0), CaptionColor(red: 0, green: 255, blue: 0)],
                    backgroundColor: CaptionColor(red: 16, green: 24, blue: 32), background: "c.jpg", waveHeight: 0.3,
                    waveCenter: 0.7, marginHorizontal: 0.1, video: VideoSettings(crf: 20),
                    audio: AudioSettings(codec: .aac), track: 1))
        let plain = try parse(WaveformCommand.self, "waveform", "a.wav", "b.mp4")
        guard case .waveform(let request) = plain.request else { throw Unexpected() }
        #expect(request == Waveform(input: "a.wav", output: "b.mp4"))
        #expect(throws: (any Error).self) { try parse(WaveformCommand.self, "waveform", "a", "b", "--color", "red") }
    }

    @Test func `A thumbnail takes moments, sizes and a format`() throws {
        let command = try parse(
            ThumbnailCommand.self, "thumbnail", "a.mp4", "b-{n}.webp", "--at", "1:30", "--at", "50%", "--quality", "70",
            "--format", "webp", "--width", "320", "--video-stream", "1", "-y")
        guard case .thumbnail(let request) = command.request else { throw Unexpected() }
        #expect(
            request
                == Thumbnail(
                    input: "a.mp4", output: "b-{n}.webp", format: .webp, at: [.seconds(90), .fraction(0.5)],
                    size: PictureSize(width: 320), quality: 70, track: 1, overwrite: true))
        #expect(throws: (any Error).self) { try parse(ThumbnailCommand.self, "thumbnail", "a", "b", "--at", "noon") }
    }

    @Test func `Normalizing takes a target, a ceiling and what becomes of peaks`() throws {
        let plain = try parse(NormalizeCommand.self, "normalize", "a.wav", "b.m4a")
        guard case .normalizeLoudness(let usual) = plain.request else { throw Unexpected() }
        #expect(usual == NormalizeLoudness(input: "a.wav", output: "b.m4a"))
        let command = try parse(
            NormalizeCommand.self, "normalize", "a.mp4", "b.mp4", "--target", "-23", "--ceiling", "-2", "--peaks",
            "reduce", "--maximum-gain", "20", "--audio-stream", "1", "--audio-bitrate", "96k", "--no-index-first")
        guard case .normalizeLoudness(let request) = command.request else { throw Unexpected() }
        #expect(
            request
                == NormalizeLoudness(
                    input: "a.mp4", output: "b.mp4", target: -23, ceiling: -2, peaks: .reduce, maximumGain: 20,
                    audio: AudioSettings(bitRate: 96_000), track: 1, indexFirst: false))
        let measuring = try parse(NormalizeCommand.self, "normalize", "a.wav", "--measure-only")
        guard case .measureLoudness(let measured) = measuring.request else { throw Unexpected() }
        #expect(measured == MeasureLoudness(input: "a.wav"))
    }

    @Test func `A mix's inputs are set by their numbers`() throws {
        let command = try parse(
            MixCommand.self, "mix", "a.wav", "b.mp3", "c.mp4", "--video", "v.mp4", "--input-gain", "1=-12", "--delay",
            "0=1:00.5", "--from", "1=3", "--to", "1=9", "--fade-in", "1=1", "--fade-out", "1=2.5", "--loop", "1",
            "--duck", "1=0", "--duck-amount", "10", "--length", "first", "--no-limiter", "--ceiling", "-2")
        guard case .mixAudio(let request) = command.request else { throw Unexpected() }
        let music = MixInput(
            input: "b.mp3", gain: -12, start: 3, end: 9, fadeIn: 1, fadeOut: 2.5, loop: true,
            duck: Ducking(key: 0, amount: 10))
        #expect(
            request
                == MixAudio(
                    inputs: [MixInput(input: "a.wav", delay: 60.5), music], output: "c.mp4", video: "v.mp4",
                    length: .first, limiter: false, ceiling: -2))
    }

    @Test(arguments: [
        ["concat", "a.mp4"], ["concat", "a.mp4", "b.mp4", "--transition", "fade"], ["loop", "a.mp4", "b.mp4"],
        ["loop", "a.mp4", "b.mp4", "--length", "1", "--match", "c.wav"],
        ["normalize", "a.wav"], ["normalize", "a.wav", "b.wav", "--measure-only"], ["mix", "a.wav"],
        ["mix", "a.wav", "b.wav", "--loop", "1"], ["mix", "a.wav", "b.wav", "--input-gain", "-3"],
        ["mix", "a.wav", "b.wav", "--duck-amount", "3"],
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
