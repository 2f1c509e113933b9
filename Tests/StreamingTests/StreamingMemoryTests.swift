import ByteIO
import Foundation
import MediaKit
import TestSupport
import Testing
import TransferTestSupport

extension Streaming {
    /// What a burn-in through a store takes in memory above the same through files, by the command in a process of its own.
    @Suite(.timeLimit(.minutes(10))) struct MemoryTests {
        /// The most that it may be, in bytes.
        private static let allowance = 150 << 20

        /// A server so slow that parts and blocks pile up as far as they may.
        private static func bench() throws -> StreamingBench {
            var settings = S3Server.Settings()
            settings.latencyMilliseconds = 20
            settings.bytesPerSecond = Streaming.isSoak ? 50 << 20 : 25 << 20
            return try StreamingBench(settings)
        }

        private func burn(_ input: String, _ subtitles: String, _ output: String) -> [String] {
            ["burn", input, subtitles, output, "--preset", "ultrafast", "--threads", "2"]
        }

        private func expectModest(
            _ what: String, files: KilnProcess.Outcome, store: KilnProcess.Outcome,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            #expect(
                files.status == 0 && store.status == 0, "\(files.error)\(store.error)", sourceLocation: sourceLocation)
            let fileBytes = try #require(files.peakBytes, sourceLocation: sourceLocation)
            let storeBytes = try #require(store.peakBytes, sourceLocation: sourceLocation)
            print("\(what): at most \(fileBytes >> 20) MiB through files, \(storeBytes >> 20) MiB through a store")
            #expect(storeBytes - fileBytes <= Self.allowance, sourceLocation: sourceLocation)
        }

        @Test(.enabled(if: Media.isPresent, "needs the folder of clips"))
        func `A clip of 1080p takes little more through a store than through files`() async throws {
            let bench = try Self.bench()
            let clip = Media.file("video/highway_1080p25_30s.mp4")
            bench.server.put("in.mp4", try FileSource(path: clip).readAll(limit: 64 << 20))
            let words = try await Work.words.bytes()
            try bench.scratch.put("words.srt", words)
            bench.server.put("words.srt", words)
            let options = ["--crf", "12", "--end", Streaming.isSoak ? "30" : "10"]
            let files = try await KilnProcess.run(
                burn(clip, bench.scratch("words.srt"), bench.scratch("out.mp4")) + options, watchesMemory: true)
            let store = try await KilnProcess.run(
                burn(bench.location("in.mp4"), bench.location("words.srt"), bench.location("out.mp4")) + options,
                environment: bench.environment, watchesMemory: true)
            #expect(bench.server.requests(.uploadPart).count >= 3)
            try expectModest("1080p, \(bench.server["out.mp4"]?.size ?? 0) bytes made", files: files, store: store)
        }

        /// Every byte goes through: 4 GiB in the long form.
        @Test func `An input of any size takes no more through a store than a short one`() async throws {
            let bench = try Self.bench()
            let film = RawMovie.ofSize(Streaming.isSoak ? 4 << 30 : 320 << 20, width: 1920, height: 1080, grain: 90)
            // What an engine holds of files does not grow with them, so a short one is what to compare with.
            let short = RawMovie(width: 1920, height: 1080, frames: 40, grain: 90)
            try bench.scratch.put("film.mkv", short.bytes)
            bench.server["film.mkv"] = S3Object(.made(size: film.size) { film.bytes($0) })
            let words = try await Work.words.bytes()
            try bench.scratch.put("words.srt", words)
            bench.server.put("words.srt", words)
            // As much comes out as several parts hold, and at 4 GiB no more than this process can keep.
            let options = ["--crf", Streaming.isSoak ? "24" : "6"]
            let files = try await KilnProcess.run(
                burn(bench.scratch("film.mkv"), bench.scratch("words.srt"), bench.scratch("out.mp4")) + options,
                watchesMemory: true)
            let store = try await KilnProcess.run(
                burn(bench.location("film.mkv"), bench.location("words.srt"), bench.location("out.mp4")) + options,
                environment: bench.environment, watchesMemory: true)
            #expect(bench.server.bodyBytesSent > film.size, "all of it was read")
            #expect(bench.server.requests(.uploadPart).count >= 3)
            try expectModest(
                "\(film.size >> 20) MiB of raw film, \(bench.server["out.mp4"]?.size ?? 0) bytes made", files: files,
                store: store)
        }

        /// A film whose index says that it is large, of which little has to be read.
        @Test func `A movie of 4 GiB with its index at the end is read where its samples are`() async throws {
            let bench = try StreamingBench()
            let movie = try await Work.lastIndex.bytes()
            let spread = try SpreadMovie(movie, size: 4 << 30)
            bench.server["film.mp4"] = S3Object(.made(size: spread.size) { spread.bytes($0) })
            let words = try await Work.words.bytes()
            bench.server.put("words.srt", words)
            try bench.scratch.put("words.srt", words)
            try bench.scratch.put("film.mp4", movie)
            let options = ["--bitexact"]
            let files = try await KilnProcess.run(
                burn(bench.scratch("film.mp4"), bench.scratch("words.srt"), bench.scratch("out.mp4")) + options,
                watchesMemory: true)
            let store = try await KilnProcess.run(
                burn(bench.location("film.mp4"), bench.location("words.srt"), bench.location("out.mp4")) + options,
                environment: bench.environment, watchesMemory: true)
            #expect(difference(bench.server.bytes("out.mp4"), bench.scratch.bytes("out.mp4")) == nil)
            print(
                "read \(bench.server.bodyBytesSent >> 20) MiB of 4 GiB by \(bench.server.requests(.get).count) requests"
            )
            #expect(bench.server.bodyBytesSent < 1 << 30)
            try expectModest("4 GiB, of which \(movie.count >> 10) KiB are used", files: files, store: store)
        }
    }
}
