import Locking
import MediaKit
import TestSupport
import Testing
import Transfer
import TransferTestSupport

extension Streaming {
    /// What a server says for good ends a job with a sentence that tells where, and leaves nothing.
    @Suite(.timeLimit(.minutes(3))) struct PermanentFailureTests {
        /// A server that fails so, a job between two places in it, and what is to be said.
        struct Failure: Sendable, CustomTestStringConvertible {
            var testDescription: String
            /// How the transfer's error is to be called.
            var code: TransferError.Code
            /// Where it happened.
            var place: String
            var fault: @Sendable (S3Request) -> S3Fault?

            init(
                _ description: String, _ code: TransferError.Code, at place: String,
                _ fault: @escaping @Sendable (S3Request) -> S3Fault?
            ) {
                testDescription = description
                self.code = code
                self.place = place
                self.fault = fault
            }
        }

        private static let output = "media/out/film.mp4"
        private static let input = "media/in/film.mkv"

        static let failures: [Failure] = [
            Failure("an output that may not be written", .accessDenied, at: output) { request in
                request.operation == .createUpload ? .status(403, code: "AccessDenied") : nil
            },
            Failure("403 amid the upload", .accessDenied, at: output) { request in
                request.operation == .uploadPart && request.index >= 2 ? .status(403, code: "AccessDenied") : nil
            },
            Failure("credentials that expire amid the upload", .accessDenied, at: output) { request in
                request.operation == .uploadPart && request.index >= 2 ? .status(400, code: "ExpiredToken") : nil
            },
            Failure("an output bucket that goes", .notFound, at: output) { request in
                request.operation == .uploadPart && request.index >= 2 ? .status(404, code: "NoSuchBucket") : nil
            },
            Failure("403 at the end of the upload", .accessDenied, at: output) { request in
                request.operation == .completeUpload ? .status(403, code: "AccessDenied") : nil
            },
            Failure("a server that goes down", .status, at: output) { request in
                request.operation == .uploadPart && request.index >= 2 ? .status(500, code: "InternalError") : nil
            },
            Failure("an input that is not there", .notFound, at: input) { request in
                request.operation == .head ? .status(404, code: "NoSuchKey") : nil
            },
            Failure("an input that may not be read", .accessDenied, at: input) { request in
                request.operation == .get ? .status(403, code: "AccessDenied") : nil
            },
            Failure("an input that may not be read any more", .accessDenied, at: input) { request in
                request.operation == .get && request.index >= 2 ? .status(403, code: "AccessDenied") : nil
            },
        ]

        /// Twelve megabytes, which are read by several requests and become several parts.
        private static let film = RawMovie(width: 320, height: 180, frames: 140, grain: 40)

        private static let work = Work(.made("film.mkv") { film.bytes }, to: "film.mp4") { places in
            let video = VideoSettings(codec: .h264, crf: 20, preset: "ultrafast")
            return .transcode(Transcode(input: places.input, output: places.output, video: video, threads: 2))
        }

        @Test(arguments: failures)
        func `A failure for good names the place, and leaves nothing`(_ failure: Failure) async throws {
            let bench = try StreamingBench(partSize: 64 << 10, fault: failure.fault)
            try await bench.provide(Self.work)
            let error = try #require(await mediaError { _ = try await bench.runThroughStore(Self.work) })
            #expect((error.cause as? TransferError)?.code == failure.code, "\(error)")
            #expect(error.description.contains(failure.place), "\(error)")
            expectNoSecrets(error)
            #expect(bench.server.keys == ["in/film.mkv"])
            #expect(bench.server.uploads.isEmpty)
            #expect(bench.ledger.entries.isEmpty)
        }

        @Test func `An input that is replaced while it is read is an error, not a mixture`() async throws {
            let film = S3Object(.bytes(Self.film.bytes))
            let replacing = Locked<S3Server?>(nil)
            let bench = try StreamingBench(partSize: 64 << 10) { request in
                if request.operation == .get, request.index == 4 {
                    replacing.withLock { $0 }?["in/film.mkv"] = S3Object(
                        .bytes(Self.film.bytes), etag: ETag(rawValue: "\"new\""))
                }
                return nil
            }
            bench.server["in/film.mkv"] = film
            replacing.withLock { $0 = bench.server }
            defer { replacing.withLock { $0 = nil } }
            let error = try #require(await mediaError { _ = try await bench.runThroughStore(Self.work) })
            #expect((error.cause as? TransferError)?.code == .changed, "\(error)")
            #expect(error.description.contains(Self.input) && error.description.contains("replaced"), "\(error)")
            #expect(bench.server["out/film.mp4"] == nil && bench.server.uploads.isEmpty)
        }

        @Test func `A URL that has expired is told without what makes it a key`() async throws {
            let bench = try StreamingBench { request in
                request["X-Amz-Signature"] == nil ? nil : .status(403, code: "AccessDenied")
            }
            try await bench.provide(Self.work)
            let store = try #require(try bench.stores.store(for: .bucket("media", key: "in"))?.store)
            let url = try await store.presign(.get(), "in/film.mkv", expiresIn: .seconds(60)).url
            let places = Work.Places(input: url, subtitles: "", output: bench.location("out/film.mp4"))
            let error = try #require(
                await mediaError { _ = try await bench.engine.execute(Self.work.request(places), progress: nil) })
            #expect((error.cause as? TransferError)?.code == .accessDenied, "\(error)")
            #expect(
                error.description.contains("127.0.0.1") && error.description.contains("/media/in/film.mkv"), "\(error)")
            expectNoSecrets(error)
            #expect(bench.server.keys == ["in/film.mkv"])
        }

        @Test func `A bucket that is not there is told by its name`() async throws {
            let bench = try StreamingBench()
            try await bench.provide(Self.work)
            let places = Work.Places(
                input: bench.location("in/film.mkv"), subtitles: "", output: "s3://nowhere/film.mp4")
            let error = try #require(
                await mediaError { _ = try await bench.engine.execute(Self.work.request(places), progress: nil) })
            #expect((error.cause as? TransferError)?.code == .notFound, "\(error)")
            #expect(error.description.contains("nowhere/film.mp4"), "\(error)")
        }

        @Test func `What is there already is not replaced unasked`() async throws {
            let bench = try StreamingBench()
            try await bench.provide(Self.work)
            bench.server.put("out/film.mp4", [1, 2, 3])
            let error = try #require(await mediaError { _ = try await bench.runThroughStore(Self.work) })
            #expect(error.code == .cannotCreate, "\(error)")
            #expect(error.description.contains(Self.output), "\(error)")
            // It is known before anything is sent.
            #expect(bench.server.bytes("out/film.mp4") == [1, 2, 3] && bench.server.requests(.createUpload).isEmpty)
        }

        private func expectNoSecrets(_ error: MediaError, sourceLocation: SourceLocation = #_sourceLocation) {
            let text = "\(error) \(error.hint ?? "") \(error.log.joined())"
            for secret in ["?", "X-Amz", "Signature", "uploadId", S3Server.credentials.secretAccessKey] {
                #expect(!text.contains(secret), "\(text)", sourceLocation: sourceLocation)
            }
        }
    }
}
