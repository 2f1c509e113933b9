import Foundation
import JobQueue
import Testing
import Transfer

@testable import Server

@Suite struct VideoTests {
    @Test func `A video with its subtitles becomes a job, whose status is told in the app's words`() async throws {
        try await withAPI(settings: {
            $0.publicURL = try? .init("http://localhost:1")
        }) { (api) async throws in
            let made = try await api.post(
                "/api/video/process",
                #"{"videoKey": "in/my talk.mp4", "subtitles": "1\n00:00:00,000 --> 00:00:01,000\nHi", "language": "en", "style": {"bold": true}, "output": "out/a.mp4", "webhookUrl": "https://app.example/hook", "metadata": {"user": 7}}"#
            )
            #expect(made.status == 202 && made["status"] == "queued", "\(made.text)")
            let id = try #require(made["jobId"]?.string)
            #expect(made["statusUrl"] == .string("http://localhost:1/api/video/job/\(id)"))
            let jobID = try #require(UUID(uuidString: id))
            let job = try #require(try await api.queue.job(jobID))
            #expect(job.kind == "pipeline.caption_video")
            let payload = try #require(try job.payload?.decode(JSONValue.self))
            #expect(
                payload == [
                    "input": "store://in/my%20talk.mp4",
                    "subtitles": ["text": "1\n00:00:00,000 --> 00:00:01,000\nHi"], "style": ["bold": true],
                    "speech": ["language": "en"],
                    "output": "store://out/a.mp4", "webhook": ["url": "https://app.example/hook"],
                    "metadata": ["user": 7],
                ])
            #expect(try job.metadata?.decode(JSONValue.self) == ["user": 7, "language": "en"])
            let status = try await api.get("/api/video/job/\(id)")
            #expect(status.status == 200 && status["jobId"] == .string(id) && status["status"] == "queued")
            #expect(status["progress"] == 0 && status["error"] == .null && status["resultUrl"] == .null)
            #expect(
                Set(status.json.members?.keys.map { $0 } ?? []) == [
                    "jobId", "status", "progress", "step", "resultUrl", "result", "error", "createdAt", "updatedAt",
                ])
            #expect(try await api.get("/api/video/job/\(UUID().text)").status == 404)
        }
    }

    @Test func `States have the names that apps know`() async throws {
        let kind = "media.burn_subtitles"
        try await withAPI(settings: {
            $0.kinds = [KindDescription("media.burn_subtitles", makesFiles: true)]
        }) { (api) async throws in
            func status(_ id: JobID) async throws -> Reply { try await api.get("/api/video/job/\(id.text)") }
            let cancelled = try await api.enqueue(kind)
            try await api.queue.cancel(cancelled, reason: "no need")
            let stopped = try await status(cancelled)
            #expect(stopped["status"] == "cancelled" && stopped["error"] == "no need")
            let failed = try await api.queue.enqueue(
                kind, ["fails": true], options: EnqueueOptions(maxAttempts: 1))
            let works = try await api.enqueue(kind)
            try await withWorker(
                api,
                register: { worker in
                    worker.register(kind) { (job: Job<JSONValue>) -> JSONValue in
                        guard job.payload["fails"] == nil else { throw Trouble() }
                        return ["url": "https://cdn.example/a.mp4", "publicURL": "https://cdn.example/a.mp4"]
                    }
                }
            ) {
                _ = try? await api.queue.wait(for: failed, timeout: .seconds(60))
                try await api.queue.wait(for: works, timeout: .seconds(60))
            }
            let told = try await status(failed)
            #expect(
                told["status"] == "failed" && told["error"]?.string?.contains("out of film") == true, "\(told.text)")
            let done = try await status(works)
            #expect(done["status"] == "completed" && done["progress"] == 100)
            #expect(done["resultUrl"] == "https://cdn.example/a.mp4" && done["result"]?["url"] != nil)
        }
    }

    private struct Trouble: Error, CustomStringConvertible { var description: String { "out of film" } }

    @Test func `A video alone becomes a job that finds out what is said`() async throws {
        try await withAPI { (api) async throws in
            let made = try await api.post(
                "/api/video/process",
                #"{"videoUrl": "https://a.example/a.mp4", "prompt": "Kiln", "translateTo": "de", "captions": "karaoke", "sidecars": ["srt", "vtt"], "textTrack": true, "burn": false}"#
            )
            #expect(made.status == 202, "\(made.text)")
            let id = try #require(made["jobId"]?.string.flatMap { UUID(uuidString: $0) })
            let payload = try #require(try await api.queue.job(id)?.payload?.decode(JSONValue.self))
            #expect(
                payload == [
                    "input": "https://a.example/a.mp4", "speech": ["prompt": "Kiln"], "translate": "de",
                    "captions": ["preset": "karaoke"], "sidecars": ["srt", "vtt"], "textTrack": true, "burn": false,
                ])
            // What the worker fills in stays, and what is no placeholder is a part of the key.
            let named = try await api.post(
                "/api/video/process", #"{"videoKey": "a.mp4", "output": "out/{jobId} {x}.{extension}"}"#)
            let other = try #require(named["jobId"]?.string.flatMap { UUID(uuidString: $0) })
            #expect(
                try await api.queue.job(other)?.payload?.decode(JSONValue.self).member("output")
                    == "store://out/{jobId}%20%7Bx%7D.{extension}")
        }
    }

    @Test func `Without a video, or with one too many, it is refused`() async throws {
        try await withAPI(settings: {
            $0.kinds = [
                KindDescription(
                    "pipeline.caption_video",
                    schema: ["properties": ["style": ["properties": ["bold": ["type": "boolean"]]]]])
            ]
        }) { (api) async throws in
            func post(_ body: String) async throws -> Reply { try await api.post("/api/video/process", body) }
            let none = try await post(#"{"language": "en"}"#)
            #expect(none.status == 422 && none["detail"]?.string?.contains("videoUrl") == true)
            #expect(try await post(#"{"subtitles": "x"}"#).status == 422)
            let both = try await post(#"{"videoUrl": "https://a.example/a.mp4", "videoKey": "a", "subtitles": "x"}"#)
            #expect(both.status == 422 && both.pointers == ["/videoKey"])
            let style = try await post(#"{"videoKey": "a", "subtitles": "x", "style": {"bold": "yes"}}"#)
            #expect(style.status == 422 && style.pointers == ["/style/bold"])
            #expect(
                try await post(#"{"videoURL": "https://a.example/a.mp4", "subtitles": "x"}"#).pointers == ["/videoURL"])
            #expect(try await post(#"{"videoUrl": "not a url", "subtitles": "x"}"#).pointers == ["/videoUrl"])
            let ok = try await post(
                #"{"videoUrl": "https://a.example/a.mp4", "subtitlesUrl": "https://a.example/a.srt"}"#)
            #expect(ok.status == 202)
        }
    }
}
