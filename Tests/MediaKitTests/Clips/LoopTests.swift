import Foundation
import MediaKit
import TestSupport
import Testing

@Suite struct `A clip that is repeated` {
    private func loop(
        _ bench: Workbench, _ input: String, to name: String = "out.mkv", _ change: (inout LoopTo) -> Void
    ) async throws -> RenderResult {
        var request = LoopTo(input: input, output: bench.scratch(name))
        request.video = VideoSettings(codec: .h264, crf: 10, preset: "ultrafast")
        if name.hasSuffix(".mkv") { request.audio.codec = .pcm }
        change(&request)
        return try await bench.engine.run(request)
    }

    @Test func `ends exactly at the length asked for`() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 1))
        // Half a picture more than a whole number of them.
        let result = try await loop(bench, input) { $0.length = 3.3 }
        let made = try bench.look("out.mkv")
        let video = try #require(made.video), audio = try #require(made.audio)
        #expect(video.numbers == (0..<83).map { $0 % 25 })
        #expect(audio.samples.first?.count == 158_400)
        #expect(abs(video.end - 3.3) < 0.002)
        #expect(abs(result.duration - 3.3) < 0.002)
        for round in 0..<3 {
            let start = Double(round)
            let tone = TestClip.frequency(second: 0)
            #expect(share(of: tone, in: audio.sound(start + 0.02...start + 0.98), rate: 48_000) > 0.95)
        }
    }

    @Test func `ends exactly in MP4 too`() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 1))
        _ = try await loop(bench, input, to: "out.mp4") { $0.length = 3.31 }
        let info = try await bench.probe(bench.scratch("out.mp4"))
        let duration = try #require(info.duration)
        #expect(abs(duration - 3.31) < 0.03)
        let video = try #require(try bench.look("out.mp4").video)
        #expect(video.frames.count == 83)
        #expect(abs(video.end - 3.31) < 0.001)
    }

    @Test func `fades over into its own beginning`() async throws {
        let bench = try Workbench()
        var clip = TestClip.plain(luma: 0, tone: 500, seconds: 2)
        // Dark at first, bright at last.
        clip.video?.luma = { number, _, _ in number < 25 ? 60 : 200 }
        let input = try bench.put(clip)
        _ = try await loop(bench, input) {
            $0.length = 6
            $0.crossFade = CrossFade(seconds: 0.4)
        }
        let video = try #require(try bench.look("out.mkv").video)
        #expect(video.frames.count == 150)
        // Rounds follow each other after 2 − 0.4 s.
        let brightness = video.brightness
        for seam in [40, 80, 120] {
            #expect(abs(brightness[seam - 1] - 200) < 4)
            #expect(abs(brightness[seam + 5] - 130) < 20)
            #expect(abs(brightness[seam + 11] - 60) < 4)
        }
    }

    @Test func `lasts as long as another file's sound`() async throws {
        let bench = try Workbench()
        let input = try bench.put(.plain(luma: 120, tone: 500, seconds: 1))
        let call = try bench.put(
            TestClip(audio: [.init(seconds: 2.57, sampleRate: 16_000) { time, _ in 0.25 * sin(2 * .pi * 700 * time) }]),
            as: "call.mkv")
        _ = try await loop(bench, input, to: "matched.mkv") { $0.match = call }
        let matched = try #require(try bench.look("matched.mkv").audio)
        #expect(matched.samples.first?.count == 41_120)
        #expect(share(of: 700, in: matched.sound(0.05...2.5), rate: 16_000) > 0.95)

        _ = try await loop(bench, input, to: "repeated.mkv") {
            $0.match = call
            $0.sound = .repeated
        }
        let repeated = try #require(try bench.look("repeated.mkv").audio)
        let count = try #require(repeated.samples.first?.count)
        #expect((123_358...123_362).contains(count))
        #expect(share(of: 500, in: repeated.sound(1.05...1.95), rate: 48_000) > 0.95)

        let silent = try await loop(bench, input, to: "silent.mp4") {
            $0.match = call
            $0.sound = LoopTo.Sound.none
        }
        #expect(silent.streams.map(\.kind) == ["video"])
        #expect(abs(silent.duration - 2.57) < 0.002)
    }

    @Test func `may be a still`() async throws {
        let bench = try Workbench()
        let input = try bench.put(bitmap(width: 64, height: 48, red: 255, green: 255, blue: 255), as: "white.bmp")
        let call = try bench.put(TestClip(audio: [.init(seconds: 1.5)]), as: "call.mkv")
        _ = try await loop(bench, input) { $0.match = call }
        let made = try bench.look("out.mkv")
        #expect(made.video?.frames.count == 38)
        let brightness = try #require(made.video).brightness
        #expect(brightness.allSatisfy { (232...238).contains($0) })
        #expect(made.audio?.samples.first?.count == 72_000)
    }

    @Test func `needs one length, and no more`() async throws {
        for request in [
            LoopTo(input: "a", output: "b.mp4"), LoopTo(input: "a", output: "b.mp4", length: 1, match: "c"),
            LoopTo(input: "a", output: "b.mp4", length: 1, sound: .matched),
        ] {
            let error = await mediaError { try request.validate() }
            #expect(error?.code == .badRequest)
        }
    }
}
