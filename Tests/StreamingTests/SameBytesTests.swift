import MediaKit
import TestSupport
import Testing
import Transfer
import TransferTestSupport
import Worker

extension Streaming {
    @Suite(.timeLimit(.minutes(3))) struct SameBytesTests {
        @Test(arguments: Work.ten)
        func `What comes of a clip through a store is what comes of it through files, byte for byte`(
            _ work: Work
        ) async throws {
            let bench = try StreamingBench()
            try await bench.provide(work)
            let output = try #require(work.output)
            let throughFiles = try await bench.runThroughFiles(work)
            let throughStore = try await bench.runThroughStore(work)
            let expected = bench.scratch.bytes(output)
            #expect(expected.count > 10_000)
            #expect(difference(bench.server.bytes("out/\(output)"), expected) == nil)
            #expect(try throughStore.essence == throughFiles.essence)
            // What does not fit into one part was sent while it was made.
            if expected.count > 256 << 10 {
                #expect(bench.server.requests(.uploadPart).count == (expected.count - 1) >> 18 + 1)
            }
            #expect(bench.server.uploads.isEmpty && bench.server.refusals.isEmpty && bench.ledger.entries.isEmpty)
        }

        /// What a page says of a server: the media by its own URLs, which need no credentials.
        @Test func `Presigned URLs are read like anything else`() async throws {
            let bench = try StreamingBench()
            let work = Work.burn(Work.movie(seconds: 3))
            try await bench.provide(work)
            let store = try #require(try bench.stores.store(for: .bucket("media", key: "in"))?.store)
            func presigned(_ key: String) async throws -> String {
                try await store.presign(.get(), key, expiresIn: .seconds(600)).url
            }
            let places = Work.Places(
                input: try await presigned("in/movie.mp4"), subtitles: try await presigned("in/words.srt"),
                output: bench.location("out.mp4"))
            _ = try await bench.engine.execute(work.request(places), progress: nil)
            _ = try await bench.runThroughFiles(work)
            #expect(difference(bench.server.bytes("out.mp4"), bench.scratch.bytes("burnt.mp4")) == nil)
            #expect(bench.server.requests(.get).allSatisfy { $0["X-Amz-Signature"] != nil })
        }

        /// Another server than ours, with S3's own sizes of parts.
        @Test(.enabled(if: MotoServer.python != nil, Comment(rawValue: MotoServer.absence)))
        func `It is the same through moto`() async throws {
            let bench = try StreamingBench()
            let film = RawMovie(width: 640, height: 360, frames: 100, grain: 120).bytes
            let store = try await MotoServer.shared().bucket(client: bench.client)
            _ = try await store.put("in/film.mkv", film, options: ObjectOptions())
            let work = Work(.made("film.mkv") { film }, to: "out.mp4") { places in
                let video = VideoSettings(codec: .h264, crf: 2, preset: "ultrafast")
                return .transcode(
                    Transcode(input: places.input, output: places.output, video: video, bitexact: true, threads: 2))
            }
            try bench.scratch.put("film.mkv", film)
            _ = try await bench.runThroughFiles(work)
            let engine = MediaEngine(
                resolver: StoreResolver(
                    stores: Stores(client: bench.client, defaultStore: store), upload: UploadOptions(partSize: 5 << 20))
            )
            let places = Work.Places(input: "store://in/film.mkv", subtitles: "", output: "store://out.mp4")
            _ = try await engine.execute(work.request(places), progress: nil)
            let expected = bench.scratch.bytes("out.mp4")
            #expect(expected.count > 10 << 20, "more than two parts")
            let made = try await store.read("out.mp4", range: nil, ifMatch: nil) { content in
                var bytes: [UInt8] = []
                for try await chunk in content.bytes { bytes += chunk }
                return bytes
            }
            #expect(difference(made, expected) == nil)
            #expect(try await store.head("out.mp4").etag?.rawValue.contains("-") == true, "it was made of parts")
            #expect(try await store.listUploads(prefix: "").isEmpty)
        }
    }
}
