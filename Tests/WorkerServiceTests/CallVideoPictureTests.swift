import Foundation
import JobQueue
import Locking
import Logging
import MediaKit
import ProviderTestSupport
import Providers
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// What is seen in the videos of `pipeline.call_video`: pictures that are given, made, or drawn of the sound.
@Suite struct CallVideoPictureTests: CallVideoSuite {
    /// A service that makes pictures, and where it keeps them.
    private struct Studio: Sendable {
        let fal: FalStandIn
        /// How often each file was fetched, by its path.
        let fetched = Locked<[String: Int]>([:])

        /// - Parameters:
        ///   - outcome: of an order, by its number; `nil` for a file.
        ///   - file: the body of a file by its number; `nil` where it is gone.
        init(
            video: Bool = false, _ outcome: @escaping @Sendable (Int) -> FalStandIn.Outcome? = { _ in nil },
            file: @escaping @Sendable (Int) -> [UInt8]?
        ) throws {
            let fetched = fetched
            let site = try RawServer { connection in
                while let (head, _) = try connection.readRequest() {
                    let number = Int(head.path.filter(\.isNumber)) ?? 0
                    fetched.withLock { $0[head.path, default: 0] += 1 }
                    let body = file(number)
                    try connection.respond(body == nil ? 404 : 200, body: body ?? [])
                }
            }
            fal = try FalStandIn(polls: 0) { order, _ in
                if let outcome = outcome(order.number) { return outcome }
                let url = JSONTree.string(site.url("/\(order.number)"))
                return .done(
                    video
                        ? ["video": ["url": url, "content_type": "video/mp4"]]
                        : ["images": [["url": url, "content_type": "image/png"]]])
            }
        }

        func settings(_ bench: ServiceBench) throws -> ServiceBench {
            var bench = bench
            bench.configuration.providers.fal.key = "key-id:key-secret-0123"
            bench.configuration.providers.fal.queueURL = try fal.queueURL
            return bench
        }
    }

    private static let two =
        #""words": false, "thumbnail": false, "crossFade": {"seconds": 0.5}, "generate": {"prompts": ["a", "b"]}"#

    @Test func `Clips are made by their descriptions, and shown one after the other`() async throws {
        let files = [
            film(40, seconds: 2, rate: 30).bytes, film(200, seconds: 2, rate: 24, width: 96, height: 160).bytes,
        ]
        let studio = try Studio(video: true) { files[$0 - 1] }
        let bench = try studio.settings(try await bench())
        let id = try await enqueue(
            bench,
            #"""
            "words": false, "thumbnail": false, "crossFade": {"seconds": 0.5},
            "generate": {"prompts": ["waves", "a train"], "kind": "video"}
            """#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        #expect(studio.fal.orders.map { $0.input["prompt"]?.string } == ["waves", "a train"])
        #expect(studio.fal.orders.allSatisfy { $0.input["aspect_ratio"]?.string == "16:9" })
        let video = try #require(try bench.film(answer.key).video)
        #expect(abs(video.end - Self.seconds) < 0.001)
        // 2 s each, half a second of it shared.
        for (time, luma) in [(0.7, 40.0), (2.5, 200), (4.0, 40)] {
            #expect(abs((video.frame(at: time)?.luma.mean() ?? 0) - luma) < 12, "\(time)")
        }
        #expect(
            try await bench.steps(id)
                == "normalize_audio 1, order_picture_1 1, order_picture_2 1, fetch_picture_1 1, fetch_picture_2 1, compose 1"
        )
        try await expectNothingLeft(bench)
    }

    @Test func `An order that comes to nothing is made anew by the next attempt, and the other one is not`()
        async throws
    {
        let files = [try await picture(40), try await picture(200)]
        let studio = try Studio { number in
            number == 2 ? .failed("gone wrong", status: 500, body: #"{"detail":"gone wrong"}"#) : nil
        } file: {
            $0 == 1 ? files[0] : files[1]
        }
        let bench = try studio.settings(try await bench())
        let id = try await enqueue(bench, Self.two)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        #expect(studio.fal.orders.map { $0.input["prompt"]?.string } == ["a", "b", "b"])
        #expect(
            try await bench.steps(id)
                == "normalize_audio 1, order_picture_1 1, order_picture_2 1, fetch_picture_1 1, fetch_picture_2 2, order_picture_2_again_1 2, compose 2"
        )
        #expect(abs((try bench.film(answer.key).video?.frame(at: 1)?.luma.mean() ?? 0) - 40) < 12)
    }

    @Test func `A picture that the service has thrown away is made anew`() async throws {
        let files = [try await picture(40), try await picture(200)]
        // The first is gone, whoever asks for it.
        let studio = try Studio { $0 == 1 ? nil : files[$0 == 2 ? 1 : 0] }
        let bench = try studio.settings(try await bench())
        let id = try await enqueue(bench, Self.two)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        #expect(studio.fal.orders.map { $0.input["prompt"]?.string } == ["a", "b", "a"])
        #expect(try await bench.job(id).errors?.first?.message?.contains("no longer there") == true)
        #expect(abs((try bench.film(answer.key).video?.frame(at: 1)?.luma.mean() ?? 0) - 40) < 12)
    }

    @Test func `Without a key nothing is begun, and it goes on when there is one`() async throws {
        let files = [try await picture(40), try await picture(200)]
        let studio = try Studio { files[$0 - 1] }
        let without = try await bench(), bench = try studio.settings(without)
        let id = try await enqueue(without, Self.two)
        try await without.serving { _ in
            let job = try await without.until(id) { $0.attempt > 1 }
            #expect(job.errors?.first?.message?.contains("FAL_KEY") == true)
        }
        #expect(try await bench.steps(id).isEmpty)
        _ = try await bench.serving { _ in try await bench.answer(id) }
        #expect(studio.fal.orders.count == 2)
    }

    @Test func `Clips of any size and rate, and stills, fill the picture`() async throws {
        let bench = try await bench()
        bench.server.put("in/tall.mkv", film(200, seconds: 2, rate: 30, width: 96, height: 160).bytes)
        bench.server.put("in/square.png", try await picture(40, width: 200, height: 200))
        bench.server.put("in/slow.mkv", film(120, seconds: 2, rate: 10, width: 640, height: 360).bytes)
        let id = try await enqueue(
            bench,
            #"""
            "words": false, "crossFade": {"seconds": 0.2}, "pictures": [{"input": "s3://media/in/tall.mkv", "end": 1.2},
                {"input": "s3://media/in/square.png", "duration": 1.2}, {"input": "s3://media/in/slow.mkv", "start": 0.5}]
            """#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        // Though it is looked at and then shown twice.
        let size = try #require(bench.server.bytes("in/tall.mkv")?.count)
        let read = bench.server.requests(.get).filter { $0.key == "in/tall.mkv" }.reduce(0) { sum, request in
            let ends = (request.raw.headers["Range"] ?? "").split { !$0.isNumber }.compactMap { Int($0) }
            return sum + (ends.count == 2 ? min(ends[1] + 1, size) - ends[0] : size)
        }
        #expect(Double(read) < 1.15 * Double(size), "\(read) of \(size)")
        let video = try #require(try bench.film(answer.key).video)
        #expect(abs(video.end - Self.seconds) < 0.001)
        for (time, luma) in [(0.5, 200.0), (1.6, 40), (2.6, 120), (4.0, 200)] {
            let picture = try #require(video.frame(at: time)?.luma)
            // Up to the edges.
            for part in [0...0.05, 0.45...0.55, 0.95...1.0] {
                #expect(
                    abs(picture.mean(part, 0...1) - luma) < 15 && abs(picture.mean(0...1, part) - luma) < 15, "\(time)")
            }
        }
    }

    @Test(arguments: ["centered", "line", "bars", "spectrum", "frequencies"])
    func `A wave moves with the sound, at the rate that is asked for`(_ style: String) async throws {
        let bench = try await bench()
        let id = try await bench.enqueue(
            "pipeline.call_video",
            #"""
            {"audio": "s3://media/in/call.mkv", "size": {"width": 320, "height": 180}, "words": false,
                "thumbnail": false, "wave": {"style": "\#(style)"},
                "video": {"codec": "h264", "preset": "ultrafast", "frameRate": 10}}
            """#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        let video = try #require(try bench.film(answer.key).video)
        // To a picture, of which there are ten a second.
        #expect(abs(video.frames.count - 44) <= 1 && abs(video.end - Self.seconds) < 0.101)
        func difference(_ a: Double, _ b: Double) -> Double {
            guard let a = video.frame(at: a)?.luma, let b = video.frame(at: b)?.luma else { return 0 }
            return Double(zip(a.samples, b.samples).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) })
                / Double(a.samples.count)
        }
        #expect(difference(0.8, 1.6) > 0.3 && difference(1.6, 2.3) > 0.3, "\(difference(0.8, 1.6))")
    }

    @Test func `A result that goes to a URL is brought there whole, and told of`() async throws {
        let kept = Locked<[[UInt8]]>([])
        // As a signed URL has it: who may write may not read.
        let place = try RawServer { connection in
            while let (head, body) = try connection.readRequest() {
                if head.method == "PUT" { kept.withLock { $0.append(body) } }
                try connection.respond(head.method == "PUT" && head.query == "signature=abc" ? 200 : 403)
            }
        }
        let receiver = try Receiver()
        let bench = try await bench()
        let id = try await enqueue(
            bench,
            #"""
            "words": false, "output": "\#(place.url("/a.mp4?signature=abc"))",
            "webhook": {"url": "\#(receiver.url())", "events": ["completed"]}, "metadata": {"order": 7}
            """#)
        struct Answer: Decodable, Sendable {
            var url: String
            var size: Int64
            var duration: Double
            var thumbnail: PipelineAnswer.Output?
        }
        let answer = try await bench.serving { _ in
            let answer = try await bench.queue.wait(for: id, as: Answer.self, timeout: .seconds(120))
            _ = try await bench.until { receiver.messages.isEmpty ? nil : true }
            return answer
        }
        let bytes = try #require(kept.withLock { $0 }.first), scratch = try Scratch()
        #expect(kept.withLock { $0.count } == 1 && answer.size == Int64(bytes.count))
        #expect(answer.url.hasPrefix(place.url("/a.mp4")) && !answer.url.contains("abc"))
        let media = try DecodedMedia(path: try scratch.put("a.mp4", bytes))
        #expect(abs((media.video?.end ?? 0) - Self.seconds) < 0.05 && abs(answer.duration - Self.seconds) < 0.05)
        #expect(bench.server.bytes(answer.thumbnail?.key ?? "")?.starts(with: [0xFF, 0xD8]) == true)
        #expect(try await bench.steps(id) == "normalize_audio 1, compose 1, thumbnail 1, deliver 1")
        let message = try #require(receiver.messages.first), data = try #require(message.json?["data"])
        #expect(message.isSigned(with: ServiceBench.key) && message.type == "job.completed")
        #expect(data["kind"] == "pipeline.call_video" && data["metadata"]?["order"] == 7)
        #expect(data["result"]?["thumbnail"]?["key"]?.string == answer.thumbnail?.key)
        try await expectNothingLeft(bench)
    }

    @Test(arguments: ["dead", "cancelled"])
    func `What a job leaves that never ends well is swept, but not while it may go on`(_ end: String) async throws {
        let isRefused = Locked(true), reached = AsyncFlag(), go = ThreadSignal()
        defer { go.raise() }
        let bench = try await bench { request in
            guard request.key == "out/call.mp4", [.put, .createUpload].contains(request.operation),
                isRefused.withLock({ $0 })
            else { return nil }
            guard end == "cancelled" else { return .status(403, code: "AccessDenied") }
            reached.raise()
            return .hold(go)
        }
        let id = try await enqueue(bench, #""words": false, "output": "store://out/call.mp4""#)
        try await bench.serving { _ in
            if end == "cancelled" {
                await reached.wait()
                _ = try await bench.queue.cancel(id)
            }
            #expect(try await bench.failed(id).state.rawValue == end)
        }
        go.raise()
        var left: [String] { bench.server.keys.filter { $0.hasPrefix("work/") } }
        let before = left
        #expect(!before.isEmpty)
        let stores = try bench.configuration.storage.stores(web: .guarded)
        var sweeper = UploadSweeper(queue: bench.queue, stores: stores, logger: .init(label: "test"))
        func sweep() async throws {
            // Each is looked at now and then only.
            try await bench.sql("UPDATE kiln.effect SET seen_at = NULL")
            try await sweeper.sweep()
        }
        try await sweep()
        #expect(left == before)
        isRefused.withLock { $0 = false }
        if end == "dead" {
            // Whoever has it run again finds what was done.
            _ = try await bench.queue.retry(id)
            let answer = try await bench.serving { _ in try await bench.answer(id) }
            #expect(
                answer.key == "out/call.mp4"
                    && bench.server.requests(.get).filter { $0.key == "in/call.mkv" }.count == 1)
        } else {
            sweeper.keepsWork = 0
        }
        try await sweep()
        try await expectNothingLeft(bench)
    }
}
