import CAVShim
import MediaKit
import TestSupport
import Testing

@Suite(.enabled(if: canDrawCaption("A"))) struct BurnTimeTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    /// The numbers of the pictures that a caption is on; all others must be exactly those of the source.
    private func captioned(_ input: String, _ cues: [(start: Int, end: Int, text: String)]) async throws -> [Int] {
        try await bench.burn(input, .text(srt(cues)))
        let source = try #require(try bench.look(input, pictureWidth: 4096).video).frames
        let result = try #require(try bench.look("out.mkv", pictureWidth: 4096).video)
        #expect(result.frames.count == source.count)
        var numbers: [Int] = []
        for (number, (made, original)) in zip(result.frames, source).enumerated() {
            // Without loss: a single sample that is off by one counts.
            guard let ink = Ink(made.luma, without: original.luma, threshold: 0) else { continue }
            numbers.append(number)
            // At the bottom, in the middle, inside the safe area, and nothing anywhere else.
            #expect(ink.rows.lowerBound > made.height / 2 && ink.rows.upperBound <= made.height * 96 / 100)
            #expect(abs(ink.middle.x - Double(made.width) / 2) < Double(made.width) / 50)
            #expect(ink.count > 100)
        }
        return numbers
    }

    @Test func `a caption is on every picture of its time, and nowhere else`() async throws {
        let input = try bench.put(.ordinary(seconds: 2, width: 320, height: 180))
        #expect(try await captioned(input, [(400, 1200, "Hello there")]) == Array(10..<30))
    }

    @Test func `a caption between two pictures begins with the one at or after it and ends likewise`() async throws {
        let input = try bench.put(.ordinary(seconds: 2, width: 320, height: 180))
        #expect(
            try await captioned(input, [(401, 1190, "Hello"), (1560, 1561, "blink"), (1601, 1639, "never")])
                == Array(11..<30) + [39])
    }

    @Test func `a caption from the first instant to after the last is on all pictures`() async throws {
        let input = try bench.put(.ordinary(seconds: 1, width: 320, height: 180))
        #expect(try await captioned(input, [(0, 9000, "Hello")]) == Array(0..<25))
    }

    @Test func `a variable frame rate keeps its times and gets its captions at the right ones`() async throws {
        let times = [0, 40, 200, 210, 500, 900, 950, 2000]
        let input = try bench.put(TestClip(video: .init(times: times, width: 320, height: 180)))
        #expect(try await captioned(input, [(205, 900, "Hello"), (950, 951, "there")]) == [3, 4, 6])
        let result = try #require(try bench.look("out.mkv").video)
        #expect(result.times.map { Int(($0 * 1000).rounded()) } == times)
    }

    @Test func `a trimmed burn keeps captions on the pictures that they belong to`() async throws {
        let input = try bench.put(.ordinary(seconds: 2, width: 320, height: 180))
        try await bench.burn(input, .text(srt([(400, 900, "early"), (1000, 1200, "late")]))) {
            $0.start = 0.8
            $0.end = 1.6
        }
        let source = try #require(try bench.look(input, pictureWidth: 4096).video).frames
        let result = try #require(try bench.look("out.mkv", pictureWidth: 4096).video)
        #expect(result.numbers == Array(20..<40))
        let captioned = zip(result.numbers, result.frames).filter { number, frame in
            source.indices.contains(number) && Ink(frame.luma, without: source[number].luma) != nil
        }.map(\.0)
        #expect(captioned == [20, 21, 22] + Array(25..<30))
    }

    @Test func `a constant frame rate on request keeps captions in their time`() async throws {
        let input = try bench.put(burningClip(frames: 25, width: 320, height: 180))
        try await bench.burn(input, .text(srt([(400, 600, "Hello")]))) { $0.video.frameRate = FrameRate("50") }
        let frames = try #require(try bench.look("out.mkv", pictureWidth: 4096).video).frames
        let captioned = frames.indices.filter { Ink(frames[$0].luma, on: burningGray) != nil }
        #expect(captioned == Array(20..<30))
    }

    @Test func `sound is copied bit by bit and stays in its time`() async throws {
        let movie = try await bench.movie(.ordinary(seconds: 2, channels: 2))
        let result = try await bench.burn(movie, .text(srt("Hello")), to: "out.mp4")
        let audio = try #require(result.streams.first { $0.kind == "audio" })
        #expect(audio.copied && audio.codec == "aac")
        let original = packets(of: AVMEDIA_TYPE_AUDIO, in: movie)
        #expect(!original.isEmpty && packets(of: AVMEDIA_TYPE_AUDIO, in: bench.scratch("out.mp4")) == original)
        let before = try #require(try bench.look(movie).audio)
        let after = try #require(try bench.look("out.mp4").audio)
        #expect(abs(before.start - after.start) < 0.001 && abs(before.end - after.end) < 0.001)
    }

    @Test func `the picture's numbers survive: none is lost, doubled or moved`() async throws {
        let movie = try await bench.movie(.ordinary(seconds: 2))
        let result = try await bench.burn(movie, .text(srt("Hello")), to: "out.mp4")
        let video = try #require(try bench.look("out.mp4").video)
        #expect(video.numbers == Array(0..<50))
        #expect(result.streams.first { $0.kind == "video" }?.frames == 50)
        for (number, time) in video.times.enumerated() { #expect(abs(time - Double(number) / 25) < 0.001) }
    }

    @Test func `captions that overlap are both to be seen`() async throws {
        let one = try #require(try await bench.ink(srt("Hello there")))
        let two = try #require(try await bench.ink(srt([(0, 1000, "Hello there"), (0, 2000, "Hello there")])))
        #expect(two.height > one.height * 3 / 2)
    }

    @Test func `the same transcode without captions differs only inside the captions' boxes`() async throws {
        let input = try bench.put(.ordinary(seconds: 1, width: 320, height: 180))
        try await bench.burn(input, .text(srt([(200, 600, "Hello")])), to: "burnt.mp4") { $0.video.crf = 12 }
        try await bench.transcode(input, to: "plain.mp4") { $0.video = VideoSettings(codec: .h264, crf: 12) }
        let burnt = try #require(try bench.look("burnt.mp4", pictureWidth: 4096).video).frames
        let plain = try #require(try bench.look("plain.mp4", pictureWidth: 4096).video).frames
        #expect(burnt.count == plain.count)
        for (number, (burnt, plain)) in zip(burnt, plain).enumerated() {
            let ink = Ink(burnt.luma, without: plain.luma, threshold: 60)
            #expect((ink != nil) == (5..<15).contains(number), "picture \(number)")
            #expect(psnr(burnt.luma.rows(..<130), plain.luma.rows(..<130)) > 36, "picture \(number)")
            if let ink { #expect(psnr(burnt.luma.rows(ink.rows), plain.luma.rows(ink.rows)) < 30) }
        }
    }
}
