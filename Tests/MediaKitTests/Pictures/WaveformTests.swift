import Glibc
import TestSupport
import Testing

@testable import MediaKit

@Suite struct WaveformTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    /// A second of tone, one of silence, one of tone; channel 1 sounds in the second that channel 0 is silent in.
    private static func pulses(channels: Int = 1, rate: Int = 8000, seconds: Double = 3) -> TestClip {
        TestClip(audio: [
            TestClip.Audio(seconds: seconds, sampleRate: rate, channels: channels) { time, channel in
                let isLoud = (Int(time) % 2 == 0) == (channel == 0)
                return isLoud ? 0.5 * sin(2 * .pi * 440 * time) : 0
            }
        ])
    }

    private func draw(
        _ input: String, to name: String = "out.mp4", _ change: (inout Waveform) -> Void = { _ in }
    ) async throws -> WaveformResult {
        var request = Waveform(input: input, output: bench.scratch(name), width: 320, height: 180)
        request.video.preset = "ultrafast"
        request.video.crf = 10
        change(&request)
        return try await bench.engine.run(request)
    }

    @Test(arguments: [Waveform.Style.line, .bars, .centered, .frequencies, .spectrum])
    func `each style is bright where it is loud and dark where it is silent, for as long as the sound is`(
        style: Waveform.Style
    ) async throws {
        let input = try bench.put(Self.pulses())
        let result = try await draw(input) { $0.style = style }
        #expect(result.width == 320 && result.height == 180 && result.container == .mp4)
        let made = try bench.look("out.mp4")
        let video = try #require(made.video)
        try #require(video.frames.count == 75 && abs(video.end - 3) < 0.041)
        #expect(video.frames.allSatisfy { $0.width == 320 && $0.height == 180 && $0.matrix == "bt709" })
        let ink = video.frames.map { $0.luma.mean() }
        #expect(ink[12] > 16.3, "\(style) \(ink[12])")
        if style == .spectrum {
            // It moves from right to left: what sounded before is still to be seen.
            let right = video.frames.map { $0.luma.mean(0.9...0.94, 0.2...0.8) }
            #expect(right[20] > right[44] + 0.5, "\(right[20]) \(right[44])")
        } else {
            // A line at rest is a thin one.
            #expect(ink[12] > ink[37] + 0.8 && ink[62] > ink[37] + 0.8, "\(style) \(ink[12]) \(ink[37]) \(ink[62])")
        }
    }

    @Test func `the sound is carried along, in step with the pictures`() async throws {
        let input = try bench.put(Self.pulses(rate: 44_100))
        _ = try await bench.engine.run(
            ExtractAudio(input: input, output: bench.scratch("in.m4a"), audio: AudioSettings(codec: .aac)))
        for (name, source, isCopied) in [("a.mp4", bench.scratch("in.m4a"), true), ("b.mp4", input, false)] {
            let result = try await draw(source, to: name)
            #expect(result.streams.map(\.kind) == ["video", "audio"] && result.streams[1].copied == isCopied)
            let made = try bench.look(name)
            let audio = try #require(made.audio), video = try #require(made.video)
            #expect(abs(audio.end - video.end) < 0.08, "\(name): \(audio.end) \(video.end)")
            // Where the wave goes flat, the sound goes still.
            let flat = try #require(video.frames.firstIndex { $0.luma.mean() < 16.9 })
            let start = Int(audio.start * Double(audio.sampleRate))
            let quiet = try #require(
                stride(from: 4410, to: audio.samples[0].count - 2000, by: 441).first { index in
                    audio.samples[0][index..<index + 2000].allSatisfy { abs($0) < 0.02 }
                })
            let seconds = Double(quiet + start) / Double(audio.sampleRate)
            #expect(abs(seconds - video.times[flat]) < 0.1, "\(name): \(seconds) \(video.times[flat])")
        }
    }

    @Test func `two colours are those of two channels, one below the other`() async throws {
        let input = try bench.put(Self.pulses(channels: 2))
        _ = try await draw(input) {
            $0.colors = [CaptionColor(red: 255, green: 0, blue: 0), CaptionColor(red: 0, green: 0, blue: 255)]
            $0.backgroundColor = CaptionColor(red: 0, green: 64, blue: 0)
            $0.waveHeight = 1
            $0.marginHorizontal = 0
        }
        let video = try #require(try bench.look("out.mp4").video)
        let red = video.frames[12], blue = video.frames[37]
        // Red has a high Cr, blue a high Cb.
        #expect(red.planes[2].mean(0...1, 0.15...0.35) > blue.planes[2].mean(0...1, 0.15...0.35) + 20)
        #expect(blue.planes[1].mean(0...1, 0.65...0.85) > red.planes[1].mean(0...1, 0.65...0.85) + 20)
        // #004000 in BT.709, limited range: Y 16 + 219 · 0.7152 · 64/255.
        #expect(abs(Double(red.luma[2, 2]) - 55.3) < 3)
    }

    @Test func `the wave lies where it is told to`() async throws {
        let input = try bench.put(Self.pulses())
        _ = try await draw(input) {
            $0.waveHeight = 0.2
            $0.waveCenter = 0.8
            $0.marginHorizontal = 0.25
        }
        let frame = try #require(try bench.look("out.mp4").video?.frames[12])
        #expect(frame.luma.mean(0.3...0.7, 0.75...0.85) > 40)
        #expect(frame.luma.mean(0...1, 0...0.65) < 17 && frame.luma.mean(0...0.2, 0.7...0.9) < 17)
    }

    @Test func `a picture behind fills the frame, and stays to the end`() async throws {
        // Twice as wide as high: its sides are cut off, and its middle is dark on the left.
        var picture = TestClip.Video(frames: 1, width: 320, height: 160)
        picture.luma = { _, x, _ in x < 160 ? 60 : 200 }
        let clip = try bench.put(TestClip(video: picture), as: "picture.mkv")
        _ = try await bench.engine.run(Thumbnail(input: clip, output: bench.scratch("back.png"), at: [.seconds(0)]))
        let input = try bench.put(Self.pulses())
        _ = try await draw(input) {
            $0.background = bench.scratch("back.png")
            $0.waveHeight = 0.2
        }
        let video = try #require(try bench.look("out.mp4").video)
        try #require(video.frames.count == 75)
        for frame in [video.frames[0], video.frames[40], video.frames[74]] {
            #expect(abs(frame.luma.mean(0.05...0.45, 0...0.3) - 60) < 5)
            #expect(abs(frame.luma.mean(0.55...0.95, 0...0.3) - 200) < 5)
        }
    }

    @Test(arguments: ["out.mp4", "out.png"])
    func `a photo behind stands upright`(name: String) async throws {
        let photo = try await bench.turnedPhoto(width: 180, height: 320)
        let input = try bench.put(Self.pulses(seconds: 1))
        _ = try await draw(input, to: name) {
            $0.background = photo
            $0.waveHeight = 0.05
        }
        try await bench.transcode(bench.scratch(name), to: "look.mkv") { $0.video.codec = .h264 }
        let frame = try #require(try bench.look("look.mkv").video?.frames.first)
        #expect(frame.luma.mean(0.1...0.9, 0...0.4) < 80 && frame.luma.mean(0.1...0.9, 0.6...1) > 180)
    }

    @Test func `a single picture holds only so much sound`() {
        let wave = Waveform(input: "a.wav", output: "a.png")
        #expect(wave.heldRate(seconds: 60, sampleRate: 48_000, channels: 2) == 8000)
        #expect(wave.heldRate(seconds: 24_000, sampleRate: 48_000, channels: 2) ?? 0 < 6000)
        #expect(wave.heldRate(seconds: 100_000, sampleRate: 48_000, channels: 2) == nil)
        let spectrum = Waveform(input: "a.wav", output: "a.png", style: .spectrum)
        #expect(spectrum.heldRate(seconds: 60, sampleRate: 48_000, channels: 2) == 48_000)
        for request in [wave, spectrum] {
            for seconds in [10.0, 3000, 9000, 1e9] {
                let held = request.heldBytes(seconds: seconds, sampleRate: 96_000, channels: 6)
                #expect(held > 0 && held <= 256 << 20)
            }
        }
    }

    @Test(arguments: ["out.png", "out.jpg", "out.webp"])
    func `an image is made of all the sound`(name: String) async throws {
        let input = try bench.put(Self.pulses())
        let result = try await draw(input, to: name)
        #expect(result.format == ImageFormat(fileName: name) && result.container == nil && result.streams.isEmpty)
        try await bench.transcode(bench.scratch(name), to: "look.mkv") { $0.video.codec = .h264 }
        let frame = try #require(try bench.look("look.mkv").video?.frames.first)
        #expect(frame.width == 320 && frame.height == 180)
        let loud = frame.luma.mean(0.1...0.3, 0.3...0.7), still = frame.luma.mean(0.4...0.6, 0.3...0.7)
        #expect(loud > still + 40, "\(loud) \(still)")
    }

    @Test func `odd rates give as many pictures as the sound is long`() async throws {
        let input = try bench.put(Self.pulses(rate: 11_025, seconds: 2.3))
        for (rate, count) in [("30000/1001", 69), ("30", 69), ("12.5", 29)] {
            _ = try await draw(input) {
                $0.frameRate = FrameRate(rate) ?? $0.frameRate
                $0.overwrite = true
            }
            let video = try #require(try bench.look("out.mp4").video)
            #expect(abs(video.frames.count - count) <= 1, "\(rate): \(video.frames.count)")
        }
    }

    @Test func `a part of the sound, and a film's sound, are drawn as well`() async throws {
        let movie = try await bench.movie(.ordinary(seconds: 3))
        let result = try await draw(movie, to: "out.webm") {
            $0.start = 1
            $0.end = 2.5
        }
        #expect(result.streams.map(\.codec) == ["vp9", "opus"])
        #expect(abs((try #require(try bench.look("out.webm").video)).frames.count - 38) <= 1)
    }

    @Test func `what makes no sense is refused`() async throws {
        let input = try bench.put(Self.pulses())
        for change: (inout Waveform) -> Void in [
            { $0.width = 321 }, { $0.waveHeight = 2 }, { $0.video.codec = .copy }, { $0.output = "a.mp3" },
            { $0.video.size = PictureSize(width: 100) },
            { $0.colors = [CaptionColor(red: 1, green: 1, blue: 1, alpha: 9)] },
            { ($0.output, $0.style) = ("a.png", .frequencies) },
        ] {
            let error = await mediaError { _ = try await draw(input, change) }
            #expect(error?.code == .badRequest)
        }
        let silent = try bench.put(TestClip(video: TestClip.Video(frames: 5)), as: "silent.mkv")
        let error = await mediaError { _ = try await draw(silent) }
        #expect(error?.code == .badInput && error?.message.contains("no sound") == true)
    }

    private func draw(_ input: String, _ change: (inout Waveform) -> Void) async throws -> WaveformResult {
        try await draw(input, to: "out.mp4", change)
    }
}
