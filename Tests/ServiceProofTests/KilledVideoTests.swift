import Foundation
import JobQueue
import Locking
import MediaKit
import ProviderTestSupport
import Providers
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// A video of a call whose worker dies amid a step.
    @Suite(.timeLimit(.minutes(15))) struct KilledVideoTests {
        /// Where the first who comes is kept waiting.
        private struct Gate: Sendable {
            let reached = AsyncFlag()
            let rest = ThreadSignal()
            private let isOpen: Locked<Bool>

            init(isOpen: Bool) { self.isOpen = Locked(isOpen) }

            /// Whether this one is to wait.
            func stops() -> Bool {
                let isFirst = isOpen.withLock { isOpen in
                    defer { isOpen = true }
                    return !isOpen
                }
                if isFirst { reached.raise() }
                return isFirst
            }
        }

        private static let steps = [
            "normalize_audio", "transcribe", "order_picture_1", "fetch_picture_1", "compose", "caption", "assemble",
            "thumbnail",
        ]
        /// What the steps write last.
        private static let written = [
            "normalize_audio": "level.flac", "fetch_picture_1": "picture-1.png", "compose": "body.mkv",
            "caption": "captioned.mkv", "assemble": "call.mp4", "thumbnail": "call.jpg",
        ]
        private static let finished = """
            SELECT string_agg(name || ' ' || finished_at, ', ' ORDER BY seq) FROM kiln.pipeline_steps
            WHERE status = 'succeeded'
            """

        @Test(arguments: steps)
        func `Steps that were done are not done again by the next worker`(_ step: String) async throws {
            let spoken = SpokenClip(), recording = spoken.recording, picture = try await Self.picture()
            let gate = Gate(isOpen: false), fetched = Locked(0)
            defer { gate.rest.raise() }
            let speech = try OpenAIStandIn { samples, _ in
                if step == "transcribe", gate.stops() { gate.rest.wait() }
                return recording(samples)
            }
            let site = try RawServer { connection in
                while try connection.readRequest() != nil {
                    fetched.withLock { $0 += 1 }
                    try connection.respond(200, headers: ["Content-Type": "image/png"], body: picture)
                }
            }
            let fal = try FalStandIn(polls: 0) { _, _ in
                .done(["images": [["url": .string(site.url("/1.png")), "content_type": "image/png"]]])
            }
            // It is taken, and the answer is lost.
            if step == "order_picture_1" { fal.submitFaults.add(.stall) }
            let server = try S3Server { request in
                guard let name = Self.written[step], request.key.hasSuffix(name),
                    [.put, .createUpload].contains(request.operation), gate.stops()
                else { return nil }
                return .hold(gate.rest)
            }
            let bench = try await ProofBench.on(server)
            server.put("in/call.mkv", spoken.clip(width: 0).bytes)
            server.put("in/intro.mkv", TestClip.ordinary(seconds: 1).bytes)
            let settings = [
                "KILN_SPEECH_ENGINE": "openai", "OPENAI_API_KEY": OpenAIStandIn.key, "OPENAI_BASE_URL": speech.baseURL,
                "FAL_KEY": "key-id:key-secret-0123", "FAL_QUEUE_URL": try fal.queueURL.text,
            ]
            let id = try await bench.enqueue(
                "pipeline.call_video",
                ##"""
                {"audio": "store://in/call.mkv", "generate": {"prompts": ["a harbour"]}, "intro": "store://in/intro.mkv",
                    "size": {"width": 320, "height": 180}, "output": "store://out/call.mp4",
                    "captions": {"preset": "classic", "highlightColor": "#0000FF", "fontSize": 0.12}}
                """##)

            let first = try await bench.worker(settings)
            if step == "order_picture_1" {
                _ = try await bench.until { fal.orders.isEmpty ? nil : true }
            } else {
                await gate.reached.wait()
            }
            let before = try await bench.sql(Self.finished)
            let done = before.split(separator: ", ").compactMap { $0.split(separator: " ").first.map(String.init) }
            #expect(done == Array(Self.steps.prefix { $0 != step }))
            first.signal(SIGKILL)
            #expect(await first.end() == -1)
            gate.rest.raise()
            try await bench.endLease(of: first.pid)

            _ = try await bench.worker(settings)
            let result = try await bench.result(id)
            // When a step was finished tells whether it ran again.
            let after = try await bench.sql(Self.finished)
            #expect(after.hasPrefix(before) && after.contains("thumbnail"), "\(before)\n\(after)\n\(bench.logs)")
            #expect(speech.received.count == (step == "transcribe" ? 2 : 1))
            // Of an order whose answer nobody has heard, nothing is known.
            #expect(fal.orders.count == (step == "order_picture_1" ? 2 : 1))
            #expect(fetched.withLock { $0 } == (step == "fetch_picture_1" ? 2 : 1))
            let job = try await bench.job(id)
            #expect(job.attempt == 1 && job.errors?.map(\.outcome) == ["worker_lost"], "\(job)")

            let folder = try Scratch()
            let film = try DecodedMedia(path: try await bench.file(result, in: folder), pictureWidth: 4096)
            let video = try #require(film.video)
            #expect(abs(video.end - spoken.seconds - 1) < 0.05 && abs((film.audio?.end ?? 0) - video.end) < 0.05)
            for word in spoken.words { #expect(video.blue(at: 1 + (word.start + word.end) / 2) != nil, "\(word)") }
            #expect(server.bytes("out/call.jpg")?.starts(with: [0xFF, 0xD8]) == true)
            #expect(
                Set(server.keys) == ["in/call.mkv", "in/intro.mkv", "out/call.mp4", "out/call.jpg", "out/call.json"])
            _ = try await bench.until { () async throws -> Bool? in
                try await bench.sql("UPDATE kiln.effect SET seen_at = NULL")
                try await bench.sweepUploads()
                return try await bench.sql("SELECT count(*) FROM kiln.effect") == "0" ? true : nil
            }
        }

        private static func picture() async throws -> [UInt8] {
            let bench = try Workbench()
            var video = TestClip.Video(frames: 1, width: 320, height: 180)
            video.luma = { _, _, _ in SpokenClip.gray }
            let path = try bench.put(TestClip(video: video))
            _ = try await bench.engine.run(Thumbnail(input: path, output: bench.scratch("p.png")))
            return bench.scratch.bytes("p.png")
        }
    }
}
