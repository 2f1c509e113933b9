import ByteIO
import Foundation
import Testing

@testable import MediaKit

/// Movies of the media folder that have their index at the end.
private enum RealMovies {
    static let folder: String = {
        if let folder = ProcessInfo.processInfo.environment["KILN_TEST_MEDIA"] { return folder }
        var root = URL(filePath: #filePath)
        while root.path != "/", !FileManager.default.fileExists(atPath: root.appending(path: "Package.swift").path) {
            root.deleteLastPathComponent()
        }
        return root.deletingLastPathComponent().appending(path: "shared/media").path
    }()

    static let all: [String] = [
        "video/av1_720p.mp4", "video/chapters.mp4", "video/count_vfr_2audio_en_de_1sub.mp4",
        "video/count_vfr_video_only.mp4", "video/editlist_empty_edit_1s.mp4", "video/hevc_1080p_no_audio_3s.mp4",
        "video/nasa_2video_2audio_2sub.mp4", "video/opossum_720p30_42s.mp4", "video/phone_vertical_4k_hevc_9s.mp4",
        "video/six_minutes_1080p_tiny.mp4", "video/h264_pcm_1080p50.mov", "video/phone_rot90_h264_2s.mov",
        "audio/count_en.m4a",
    ].filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }

    static func read(_ path: String) throws -> [UInt8] {
        try FileSource(path: "\(folder)/\(path)").readAll(limit: 64 << 20)
    }
}

@Suite("A real movie", .enabled(if: !RealMovies.all.isEmpty, "needs the media folder"))
struct RealMovieTests {
    @Test(
        "has every chunk where its index says, wherever that ends up", arguments: RealMovies.all,
        [0, 20_000, 400_000])
    func chunks(path: String, reserve: Int) throws {
        let file = try RealMovies.read(path)
        let index = try #require(TestBoxes.list(file).first { $0.type == "moov" })

        let (moved, warnings) = try ProgressiveMovieOutput.remade(file, reserving: reserve)
        #expect(TestBoxes.types(moved).prefix(2) == ["ftyp", "moov"])
        #expect(warnings.isEmpty)
        try TestBoxes.expectSameMedia(moved, file)

        let sink = UploadLikeSink(rewritableHead: 300_000)
        let uploaded = try ProgressiveMovieOutput.remade(file, flush: 4096, reserving: reserve, sink: sink) {
            sink.bytes
        }
        let fits = index.end - index.start <= min(reserve, 300_000 - 40)
        #expect(
            TestBoxes.types(uploaded.file).firstIndex(of: "moov")
                == (fits ? 1 : TestBoxes.types(uploaded.file).count - 1))
        #expect(uploaded.warnings.isEmpty == fits)
        try TestBoxes.expectSameMedia(uploaded.file, file)
    }
}

@Suite("The estimate of an index")
struct MovieIndexEstimateTests {
    @Test(
        "is enough for real movies, and not many times too much",
        .enabled(if: !RealMovies.all.isEmpty, "needs the media folder"), arguments: RealMovies.all)
    func isEnough(path: String) throws {
        let file = try RealMovies.read(path)
        let boxes = TestBoxes.list(file)
        let index = try #require(boxes.first { $0.type == "moov" })
        var outline = MovieOutline(tracks: 0, mediaBytes: Int64(file.count))
        for track in TestBoxes.find(file, ["moov", "trak"]) {
            let range = track.start + track.header..<track.end
            let handler = try #require(TestBoxes.find(file, ["mdia", "hdlr"], in: range).first)
            let kind = String(decoding: file[handler.start + 16..<handler.start + 20], as: UTF8.self)
            let sizes = try #require(TestBoxes.find(file, ["mdia", "minf", "stbl", "stsz"], in: range).first)
            // Samples of PCM are all of one size, and come a thousand at a time.
            let isPCM = TestBoxes.number(file, sizes.start + 12, 4) != 0
            let samples = Int64(TestBoxes.number(file, sizes.start + 16, 4)) / (isPCM ? 1024 : 1)
            switch kind {
            case "vide": outline.videoFrames += samples
            case "soun": outline.audioFrames += samples
            default: outline.otherSamples += samples
            }
            outline.tracks += 1
        }
        for box in TestBoxes.find(file, ["moov", "udta"]) { outline.extraBytes += Int64(box.end - box.start) }
        let estimate = ProgressiveMovieOutput.estimateIndexBytes(outline)
        #expect(estimate >= index.end - index.start)
        #expect(estimate < 4 * (index.end - index.start) + 16_000)
    }

    @Test func `grows with what is in a movie, and stays within bounds for nonsense`() {
        let short = ProgressiveMovieOutput.estimateIndexBytes(
            MovieOutline(videoFrames: 250, audioFrames: 470, tracks: 2))
        let long = ProgressiveMovieOutput.estimateIndexBytes(
            MovieOutline(videoFrames: 250_000, audioFrames: 470_000, tracks: 2))
        #expect(short > 5_000)
        #expect(long > 500 * short / 2)
        let constant = ProgressiveMovieOutput.estimateIndexBytes(
            MovieOutline(videoFrames: 250, isReordered: false, hasVariableFrameRate: false))
        let varying = ProgressiveMovieOutput.estimateIndexBytes(MovieOutline(videoFrames: 250))
        #expect(varying - constant == 250 * 17)
        let absurd = MovieOutline(
            videoFrames: .max, audioFrames: .min, otherSamples: .max, tracks: .max, mediaBytes: .max,
            framesPerKeyFrame: -3, extraBytes: .max)
        #expect(ProgressiveMovieOutput.estimateIndexBytes(absurd) == 256 << 20)
    }
}
