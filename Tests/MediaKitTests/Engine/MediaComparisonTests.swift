import TestSupport
import Testing

@testable import MediaKit

@Suite("Two files compared")
struct MediaComparisonTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test func `are the same when they are`() async throws {
        let movie = try bench.put(.ordinary(seconds: 2))
        let same = try await MediaComparison.of(movie, movie)
        let pictures = try #require(same.pictures), sound = try #require(same.sound)
        #expect(pictures.frames == [50, 50] && pictures.psnr == 100 && pictures.lowestPSNR == 100)
        #expect(abs(pictures.durations[0] - 2) < 0.001 && abs(pictures.frameSeconds - 0.04) < 0.001)
        #expect(sound.samples[0] == sound.samples[1] && sound.difference == 0)
    }

    @Test func `differ by the noise of a coarse encode, and more the coarser it is`() async throws {
        let movie = bench.scratch("sample.mp4")
        var sample = SampleClip(output: movie)
        (sample.seconds, sample.width, sample.height) = (1, 320, 180)
        _ = try await bench.engine.run(sample)
        var found: [Double] = []
        for crf in [10, 40] {
            try await bench.transcode(movie, to: "\(crf).mp4") {
                $0.video.codec = .h264
                $0.video.crf = Double(crf)
            }
            found.append(try #require(try await MediaComparison.of(movie, bench.scratch("\(crf).mp4")).pictures?.psnr))
        }
        #expect(found[0] > found[1] + 3 && found[0] < 100 && found[1] > 10, "PSNR \(found)")
    }

    @Test func `of other sizes and lengths give counts, and no decibels`() async throws {
        let long = try bench.put(TestClip(video: .init(frames: 50)), as: "long.mkv")
        let short = try bench.put(TestClip(video: .init(frames: 25, width: 320, height: 192)), as: "short.mkv")
        let pictures = try #require(try await MediaComparison.of(long, short).pictures)
        #expect(pictures.frames == [50, 25] && pictures.psnr == nil && pictures.lowestPSNR == nil)
    }

    @Test func `with pictures in only one of them is an error`() async throws {
        let movie = try bench.put(.ordinary(seconds: 1))
        try await bench.transcode(movie, to: "sound.m4a")
        await #expect(throws: MediaError.self) { try await MediaComparison.of(movie, bench.scratch("sound.m4a")) }
    }
}
