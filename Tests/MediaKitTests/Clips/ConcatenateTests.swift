import ByteIO
import Foundation
import MediaKit
import Synchronization
import TestSupport
import Testing

@Suite struct `Clips that are joined` {
    @Test func `of differing sizes, rates and sound follow each other to the picture and the sample`() async throws {
        let bench = try Workbench()
        let inputs = [
            try bench.put(.plain(luma: 60, tone: 500, seconds: 1), as: "a.mkv"),
            try bench.put(
                .plain(
                    luma: 120, tone: 1500, seconds: 2, rate: 50, width: 120, height: 120, sampleRate: 44_100,
                    channels: 2), as: "b.mkv"),
            // It is silent.
            try bench.put(.plain(luma: 180, seconds: 1, rate: 10, width: 97, height: 161), as: "c.mkv"),
            try bench.put(.plain(luma: 220, tone: 800, seconds: 1, sampleRate: 8000), as: "d.mkv"),
        ]
        let result = try await bench.concatenate(inputs)
        let made = try bench.look("out.mkv")
        let video = try #require(made.video), audio = try #require(made.audio)

        #expect(video.frames.count == 125)
        #expect(Set(video.frames.map { [$0.width, $0.height] }) == [[160, 96]])
        #expect(Set(video.frames.map(\.matrix)) == ["bt709"])
        let times = (0..<125).map { Double($0) / 25 }
        #expect(zip(video.times, times).allSatisfy { abs($0 - $1) < 0.001 })
        let brightness = video.brightness
        let expected = [(0..<25, 60.0), (25..<75, 120), (75..<100, 180), (100..<125, 220)]
        for (range, luma) in expected {
            for number in range { #expect(abs(brightness[number] - luma) < 4, "picture \(number)") }
        }
        // Portrait and square ones stand in the middle of black.
        for number in [50, 90] { #expect(video.frames[number].luma.mean(0...0.1) < 20) }

        #expect(audio.sampleRate == 48_000)
        #expect(audio.samples.first?.count == 5 * 48_000)
        let tones = [(0.05...0.95, 500.0), (1.05...2.95, 1500), (4.05...4.95, 800)]
        for (part, tone) in tones { #expect(share(of: tone, in: audio.sound(part), rate: 48_000) > 0.95, "\(tone)") }
        #expect(rms(audio.sound(3.01...3.99)) < 0.001)
        let change = try #require(audio.change(from: 500, to: 1500))
        #expect(abs(change - 1) < 0.04)
        #expect(abs(result.duration - 5) < 0.002)
    }

    @Test func `keep step at each of many seams, one open at a time`() async throws {
        let bench = try Workbench()
        // 0.52 s at a rate that no sample count fits: rounding that added up would show.
        let even = try bench.put(.plain(luma: 60, tone: 500, seconds: 0.52, width: 64, height: 48), as: "even.mkv")
        let odd = try bench.put(.plain(luma: 200, tone: 1500, seconds: 0.52, width: 64, height: 48), as: "odd.mkv")
        let resolver = CountingResolver()
        var request = ConcatenateClips(
            clips: (0..<40).map { Clip(input: $0 % 2 == 0 ? even : odd) }, output: bench.scratch("out.mkv"))
        request.video = VideoSettings(
            codec: .h264, crf: 10, preset: "ultrafast", frameRate: FrameRate(Rational(30_000, 1001)))
        request.audio.codec = .pcm
        _ = try await MediaEngine(resolver: resolver).run(request)
        #expect(resolver.most <= 2, "sources that were open together")

        let made = try bench.look("out.mkv")
        let video = try #require(made.video), audio = try #require(made.audio)
        let brightness = video.brightness
        let seams = brightness.indices.dropFirst().filter { abs(brightness[$0] - brightness[$0 - 1]) > 60 }
        #expect(seams.count == 39)
        let count = try #require(audio.samples.first?.count)
        let seconds = Double(video.frames.count) * 1001 / 30_000
        #expect(abs(Double(count) - seconds * 48_000) <= 1)
        for (index, seam) in seams.enumerated() {
            let time = Double(seam) * 1001 / 30_000
            let tones = index % 2 == 0 ? (500.0, 1500.0) : (1500, 500)
            let before = audio.sound(time - 0.034...time - 0.001), after = audio.sound(time + 0.001...time + 0.034)
            #expect(share(of: tones.0, in: before, rate: 48_000) > 0.4, "before seam \(index)")
            #expect(share(of: tones.1, in: after, rate: 48_000) > 0.8, "after seam \(index)")
        }
    }

    @Test(arguments: [CrossFade.Transition.fade, .dissolve, .wipeleft, .slideup])
    func `fade over into each other`(transition: CrossFade.Transition) async throws {
        let bench = try Workbench()
        let inputs = [
            try bench.put(.plain(luma: 60, tone: 500, seconds: 2), as: "a.mkv"),
            try bench.put(.plain(luma: 200, tone: 1500, seconds: 2), as: "b.mkv"),
        ]
        _ = try await bench.concatenate(inputs) { $0.crossFade = CrossFade(transition, seconds: 1) }
        let made = try bench.look("out.mkv")
        let video = try #require(made.video), audio = try #require(made.audio)
        #expect(video.frames.count == 75)
        #expect(audio.samples.first?.count == 3 * 48_000)
        func mean(_ number: Int) -> Double { video.frames[number].luma.mean() }
        #expect(abs(mean(24) - 60) < 4)
        #expect(abs(mean(51) - 200) < 4)
        #expect(abs(mean(37) - 130) < 20, "half of each in the middle")
        let middle = audio.sound(1.4...1.6)
        for tone in [500.0, 1500] { #expect(share(of: tone, in: middle, rate: 48_000) > 0.3, "\(tone)") }
        #expect(share(of: 500, in: audio.sound(0.1...0.9), rate: 48_000) > 0.95)
        #expect(share(of: 1500, in: audio.sound(2.1...2.9), rate: 48_000) > 0.95)
    }

    @Test func `are shortened in their fade where they are short, and say so`() async throws {
        let bench = try Workbench()
        let inputs = [
            try bench.put(.plain(luma: 60, seconds: 2), as: "a.mkv"),
            try bench.put(.plain(luma: 120, seconds: 0.4), as: "b.mkv"),
            try bench.put(.plain(luma: 200, seconds: 2), as: "c.mkv"),
        ]
        let result = try await bench.concatenate(inputs) { $0.crossFade = CrossFade(seconds: 1) }
        #expect(result.warnings.contains { $0.code == .adjusted })
        // Of its ten pictures five fade in, and five out.
        #expect(try bench.look("out.mkv").video?.frames.count == 100)
    }

    @Test func `may be stills, which are shown for their time in their colour`() async throws {
        let bench = try Workbench()
        let red = try bench.put(bitmap(width: 161, height: 97, red: 200, green: 0, blue: 0), as: "red.bmp")
        let clip = try bench.put(.plain(luma: 120, tone: 500, seconds: 1), as: "a.mkv")
        let request = ConcatenateClips(
            clips: [Clip(input: red, duration: 0.6), Clip(input: clip), Clip(input: red)],
            output: bench.scratch("out.mkv"),
            video: VideoSettings(codec: .h264, crf: 10, preset: "ultrafast"), audio: AudioSettings(codec: .pcm))
        _ = try await bench.engine.run(request)
        let made = try bench.look("out.mkv")
        let video = try #require(made.video)
        #expect(video.frames.count == 15 + 25 + 125)
        #expect(video.frames[0].width == 162 && video.frames[0].height == 98)
        // Red of 200 in BT.709 with limited range: Y' = 16 + 219 · 0.2126 · 200/255, Cr = 128 + 112 · 200/255.
        for number in [0, 14, 41, 164] {
            let luma = video.frames[number].luma.mean(0.3...0.7, 0.3...0.7)
            let red = video.frames[number].planes[2].mean(0.3...0.7, 0.3...0.7)
            #expect(abs(luma - 52.5) < 4)
            #expect(abs(red - 216) < 5)
        }
        let audio = try #require(made.audio)
        #expect(rms(audio.sound(0...0.59)) < 0.001)
        #expect(share(of: 500, in: audio.sound(0.65...1.55), rate: 48_000) > 0.95)
    }

    @Test func `get the size of a first photo as it is turned`() async throws {
        let bench = try Workbench()
        let photo = try await bench.turnedPhoto(width: 160, height: 96)
        let request = ConcatenateClips(
            clips: [Clip(input: photo, duration: 0.2)], output: bench.scratch("out.mkv"),
            video: VideoSettings(codec: .h264, crf: 10, preset: "ultrafast"))
        _ = try await bench.engine.run(request)
        let frame = try #require(try bench.look("out.mkv").video?.frames.first)
        #expect(frame.width == 96 && frame.height == 160)
        #expect(frame.luma.mean(0.1...0.9, 0.1...0.4) < 80 && frame.luma.mean(0.1...0.9, 0.6...0.9) > 180)
    }

    @Test(arguments: [1, 2])
    func `are as loud in other channels as in their own`(_ channels: Int) async throws {
        let bench = try Workbench()
        let inputs = try [1, 2].map { count in
            try bench.put(.plain(luma: 120, tone: 500, seconds: 1, channels: count), as: "\(count).mkv")
        }
        _ = try await bench.concatenate(inputs) { $0.audio = AudioSettings(codec: .pcm, channels: channels) }
        let audio = try #require(try bench.look("out.mkv").audio)
        #expect(audio.samples.count == channels)
        for channel in 0..<channels {
            for part in [0.1...0.9, 1.1...1.9] {
                let loudness = rms(audio.sound(part, channel: channel)) * 2.0.squareRoot()
                #expect(abs(loudness - 0.25) < 0.005, "\(channels) \(part): \(loudness)")
            }
        }
    }

    @Test func `go into the frame as asked, with the background around`() async throws {
        let bench = try Workbench()
        let input = try bench.put(.plain(luma: 120, seconds: 0.2, width: 80, height: 80), as: "a.mkv")
        var request = ConcatenateClips(
            clips: PictureSize.Fit.allCases.map { Clip(input: input, fit: $0) }, output: bench.scratch("out.mkv"),
            background: try #require(CaptionColor("#C80000")))
        request.video = VideoSettings(
            codec: .h264, crf: 10, preset: "ultrafast", size: PictureSize(width: 160, height: 80))
        _ = try await bench.engine.run(request)
        let made = try bench.look("out.mkv")
        #expect(made.audio == nil)
        let frames = try #require(made.video).frames
        #expect(frames.count == 15)
        let border = frames[2].luma.mean(0.02...0.2)
        let red = frames[2].planes[2].mean(0.02...0.2)
        let middle = frames[2].luma.mean(0.4...0.6)
        #expect(abs(border - 52.5) < 5)
        #expect(abs(red - 216) < 6)
        #expect(abs(middle - 120) < 4)
        for number in [7, 12] {
            let edge = frames[number].luma.mean(0...0.2)
            #expect(abs(edge - 120) < 4)
        }
    }

    @Test func `are shown from their start to their end`() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 3), as: "a.mkv")
        _ = try await bench.concatenate([]) {
            $0.clips = [Clip(input: input, start: 2, end: 2.4), Clip(input: input, end: 0.4)]
        }
        let made = try bench.look("out.mkv")
        let numbers = [Int](50..<60) + [Int](0..<10)
        #expect(made.video?.numbers == numbers)
        #expect(made.audio?.samples.first?.count == Int(0.8 * 48_000))
        let audio = try #require(made.audio)
        #expect(share(of: TestClip.frequency(second: 2), in: audio.sound(0...0.38), rate: 48_000) > 0.9)
        #expect(share(of: TestClip.frequency(second: 0), in: audio.sound(0.42...0.8), rate: 48_000) > 0.9)
    }

    @Test(arguments: [0.49, 0.5, 0.51])
    func `show no picture twice where they are entered between two`(_ start: Double) async throws {
        let bench = try Workbench()
        let input = try await bench.movie(.ordinary(seconds: 2))
        let request = ConcatenateClips(
            clips: [Clip(input: input, start: start, end: start + 1)], output: bench.scratch("out.mkv"),
            video: VideoSettings(codec: .h264, crf: 10, preset: "ultrafast"))
        _ = try await bench.engine.run(request)
        let numbers = try #require(try bench.look("out.mkv").video).frames.map { TestClip.number(in: $0.luma) }
        let first = try #require(numbers.first ?? nil)
        #expect(numbers == (first..<first + 25).map { $0 } && (12...13).contains(first), "\(numbers)")
    }

    @Test func `are repeated or cut to another sound, and end with it`() async throws {
        let bench = try Workbench()
        let clip = try bench.put(.plain(luma: 120, tone: 500, seconds: 1), as: "a.mkv")
        let call = try bench.put(
            TestClip(audio: [.init(seconds: 3.21, sampleRate: 8000) { time, _ in 0.25 * sin(2 * .pi * 700 * time) }]),
            as: "call.mkv")
        let result = try await bench.concatenate([clip, clip]) { $0.sound = call }
        let made = try bench.look("out.mkv")
        let audio = try #require(made.audio), video = try #require(made.video)
        #expect(audio.sampleRate == 8000)
        #expect(audio.samples.first?.count == 25_680)
        #expect(share(of: 700, in: audio.sound(0.05...3.2), rate: 8000) > 0.95)
        #expect(video.frames.count == 81)
        #expect(abs(result.duration - 3.21) < 0.002)
    }

    // MARK: Failures

    @Test func `name the one that cannot be read, and leave nothing`() async throws {
        let bench = try Workbench()
        let good = try bench.put(.plain(luma: 120, tone: 500), as: "good.mkv")
        let broken = try bench.put([UInt8](repeating: 7, count: 5000), as: "broken.mp4")
        let error = await mediaError { _ = try await bench.concatenate([good, broken], to: "out.mp4") }
        #expect(error?.input?.hasSuffix("broken.mp4") == true, "\(String(describing: error))")
        #expect(error?.operation == ConcatenateClips.name)
        #expect(bench.scratch.names.sorted() == ["broken.mp4", "good.mkv"])
    }

    @Test func `name the one that breaks off in its middle`() async throws {
        let bench = try Workbench()
        let good = try bench.put(.plain(luma: 120, tone: 500), as: "good.mkv")
        let bytes = TestClip.plain(luma: 60, tone: 500, seconds: 4).bytes
        let cut = try bench.put(Array(bytes.prefix(bytes.count / 2)), as: "cut.mkv")
        let error = await mediaError { _ = try await bench.concatenate([good, cut, good], to: "out.mp4") }
        #expect(error?.code == .badInput)
        #expect(error?.input?.hasSuffix("cut.mkv") == true, "\(String(describing: error))")
        #expect(bench.scratch.names.sorted() == ["cut.mkv", "good.mkv"])
    }

    @Test(arguments: [
        (#"{"clips": []}"#, "clips"), (#"{"clips": [{"input": "a", "duration": 1, "end": 2}]}"#, "clips[0]"),
        (#"{"clips": [{"input": "a"}], "video": {"codec": "copy"}}"#, "encoding"),
        (#"{"clips": [{"input": "a"}], "crossFade": {"seconds": 100}}"#, "crossFade.seconds"),
        (#"{"clips": [{"input": "a"}], "sound": "b", "audio": {"codec": "none"}}"#, "sound"),
        (#"{"clips": [{"input": "-"}, {"input": "-"}]}"#, "standard input"),
    ])
    func `are refused where the request makes no sense`(json: String, word: String) async throws {
        let whole = #"{"output": "out.mp4", "# + json.dropFirst()
        let request = try JSONDecoder().decode(ConcatenateClips.self, from: Data(whole.utf8))
        let error = await mediaError { try request.validate() }
        #expect(error?.code == .badRequest)
        #expect(error?.message.contains(word) == true, "\(String(describing: error))")
    }

    @Test func `stop when they are cancelled, and leave nothing`() async throws {
        let bench = try Workbench()
        let clip = try bench.put(.plain(luma: 120, tone: 500), as: "a.mkv")
        let request = ConcatenateClips(
            clips: [Clip(input: clip), Clip(input: clip)], output: bench.scratch("out.mp4"),
            crossFade: CrossFade(seconds: 0.2), length: 100_000)
        let (progress, seen) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await bench.engine.run(request) { now in if now.position > 1 { seen.yield() } }
        }
        for await _ in progress { break }
        task.cancel()
        let error = await mediaError { _ = try await task.value }
        #expect(error?.code == .cancelled)
        #expect(bench.scratch.names == ["a.mkv"])
    }
}

/// Local files, and how many of them are open at once.
private final class CountingResolver: MediaResolver {
    private struct Weak {
        weak var source: (any ByteSource)?
    }
    private let held = Mutex<(sources: [Weak], most: Int)>(([], 0))

    var most: Int { held.withLock { $0.most } }

    func source(for location: String) throws -> any ByteSource {
        let source = try LocalResolver().source(for: location)
        held.withLock { held in
            held.sources.removeAll { $0.source == nil }
            held.sources.append(Weak(source: source))
            held.most = max(held.most, held.sources.count)
        }
        return source
    }

    func sink(for location: String, overwrite: Bool) throws -> any ByteSink {
        try LocalResolver().sink(for: location, overwrite: overwrite)
    }
}
