import Foundation
import JobQueue
import MediaKit
import PostgresTestSupport
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// The ways into the queue, each with what comes out at the other end, in a store that is not ours.
    @Suite(.enabled(if: MotoServer.python != nil, Comment(rawValue: MotoServer.absence)), .timeLimit(.minutes(10)))
    struct DoorTests {
        @Test(.enabled(if: PythonApp.python != nil, Comment(rawValue: PythonApp.absence)))
        func `A burn-in that an app in Python enqueues in SQL shows its words while it should`() async throws {
            let bench = try await ProofBench.onMoto()
            let clip = try await ProofClip.film()
            let input = "in/\(clip.name)"
            try await bench.put(input, clip.bytes)
            let words = #"1\n00:00:00,000 --> 00:00:01,500\nWWWWWWWWWW\n"#
            let jobs = try await PythonApp.enqueue(
                "media.burn_subtitles",
                #"""
                {"input": "store://\#(input)", "subtitles": {"text": "\#(words)"}, "style": {"fontSize": 0.15},
                 "video": {"preset": "ultrafast", "crf": 12}, "end": 3}
                """#, database: bench.database.url)
            #expect(try await bench.queue.job(jobs.undone) == nil)
            let worker = try await bench.worker()
            let result = try await bench.result(jobs.kept)

            let scratch = try Scratch()
            let file = try await bench.file(result, in: scratch)
            let info = try await Workbench().probe(file)
            #expect(info.streams.map(\.kind).sorted() == ["audio", "video"])
            let made = try #require(try DecodedMedia(path: file).video)
            let source = try #require(try clip.decoded(until: 3.5).video)
            #expect(made.errors == 0 && abs(made.end - made.start - 3) < 0.1)
            // The pictures are those of the clip; below they are so only once the words have gone.
            for (second, hasWords) in [(0.5, true), (1.2, true), (2.0, false), (2.8, false)] {
                let picture = try #require(made.picture(at: second)),
                    original = try #require(source.picture(at: second))
                let middle = picture.height * 6 / 10
                #expect(psnr(picture.rows(..<middle), original.rows(..<middle)) > 28, "\(second)")
                let words = psnr(picture.rows(middle...), original.rows(middle...))
                #expect((words < 22) == hasWords && (words > 28) == !hasWords, "\(second): \(words) dB")
            }
            worker.signal(SIGTERM)
            #expect(await worker.end() == 0, "\(bench.logs)")
        }

        @Test func `A transcode that is enqueued by HTTP is followed and fetched by HTTP`() async throws {
            let database = try await PostgresCluster.shared.makeDatabase()
            let migration = try await KilnProcess.run(["migrate"], environment: ["DATABASE_URL": database.url])
            #expect(migration.status == 0, "\(migration.error)")
            let bench = try await ProofBench.onMoto(database: database)
            let clip = try await ProofClip.phone()
            try await bench.put("in/\(clip.name)", clip.bytes)
            let worker = try await bench.worker(["KILN_HTTP_PORT": "0"], ["--http"])
            let port = try await bench.until { worker.port(of: "API") }
            // What the API leads to is a store on this machine.
            let client = try HTTPClient(
                HTTPConfiguration(
                    addressGuard: AddressGuard(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })))
            func send(_ method: HTTPMethod, _ path: String, _ body: String? = nil) async throws -> HTTPReply {
                try await client.send(
                    HTTPRequest(
                        method, try HTTPURL("http://127.0.0.1:\(port)\(path)"),
                        headers: body == nil ? [:] : ["Content-Type": "application/json"],
                        body: body.map { .text($0) } ?? .empty, destination: .trusted), limit: 64 << 20)
            }
            func json(_ reply: HTTPReply) throws -> JSONValue {
                try JSONDecoder().decode(JSONValue.self, from: Data(reply.body))
            }
            _ = try await bench.until { () async throws -> Bool? in
                guard !worker.hasEnded else { throw BenchFailure(bench.logs) }
                return try? await send(.get, "/ready").status == 200
            }

            let reply = try await send(
                .post, "/v1/jobs",
                #"""
                {"kind": "media.transcode", "payload": {"input": "store://in/\#(clip.name)", "end": 2,
                 "video": {"codec": "h264", "preset": "ultrafast", "crf": 12, "size": {"width": 240}}}}
                """#)
            #expect(reply.status == 201)
            let id = try #require(try json(reply)["id"]?.string)
            // The stream of events ends with the job.
            let events = try await send(.get, "/v1/jobs/\(id)/events")
            let text = String(decoding: events.body, as: UTF8.self)
            #expect(text.contains("event: state") && text.contains(#""state":"succeeded""#), "\(text)\n\(bench.logs)")
            let job = try json(try await send(.get, "/v1/jobs/\(id)"))
            #expect(job["state"] == "succeeded" && job["attempt"] == 1)
            let film = try await send(.get, "/v1/jobs/\(id)/download")

            let scratch = try Scratch()
            let file = try scratch.put("film.mp4", film.body)
            let made = try #require(try DecodedMedia(path: file, pictureWidth: 120).video)
            let source = try #require(try clip.decoded(width: 120, until: 2.5).video)
            #expect(made.frames.allSatisfy { $0.width == 240 } && made.errors == 0)
            #expect(abs(made.end - made.start - 2) < 0.1)
            for second in [0.2, 1.0, 1.8] {
                let picture = try #require(made.picture(at: second)),
                    original = try #require(source.picture(at: second))
                #expect(psnr(picture, original) > 25, "\(second)")
            }
            worker.signal(SIGTERM)
            #expect(await worker.end() == 0, "\(bench.logs)")
        }

        @Test func `Sound that is enqueued by the command comes out as it went in`() async throws {
            let bench = try await ProofBench.onMoto()
            let clip = try ProofClip.speech()
            try await bench.put("in/\(clip.name)", clip.bytes)
            let worker = try await bench.worker()
            let enqueued = try await KilnProcess.run(
                [
                    "enqueue", "media.extract_audio",
                    #"{"input": "store://in/\#(clip.name)", "container": "flac", "output": "store://out/{jobId}.flac"}"#,
                ], environment: ["DATABASE_URL": bench.database.url])
            let id = try #require(
                JobID(uuidString: enqueued.text.trimmingCharacters(in: .whitespacesAndNewlines)), "\(enqueued.error)")
            let followed = try await KilnProcess.run(
                ["job", enqueued.text.trimmingCharacters(in: .whitespacesAndNewlines), "--follow"],
                environment: ["DATABASE_URL": bench.database.url])
            #expect(followed.status == 0, "\(followed.text)\n\(followed.error)\n\(bench.logs)")
            let result = try await bench.result(id)
            #expect(result.key == "out/\(id.uuidString.lowercased()).flac")

            let scratch = try Scratch()
            let made = try #require(try DecodedMedia(path: try await bench.file(result, in: scratch)).audio)
            let source = try #require(try clip.decoded().audio)
            #expect(made.codec == "flac" && made.sampleRate == source.sampleRate)
            // Not a sample is lost or another one.
            #expect(made.samples.first?.count == source.samples.first?.count && made.samples == source.samples)
            worker.signal(SIGTERM)
            #expect(await worker.end() == 0, "\(bench.logs)")
        }
    }
}

extension DecodedStream {
    /// The luma of the picture that is shown at a second of the stream's own.
    fileprivate func picture(at second: Double) -> Plane? {
        let times = times
        return times.indices.min { abs(times[$0] - start - second) < abs(times[$1] - start - second) }
            .map { frames[$0].luma }
    }
}
