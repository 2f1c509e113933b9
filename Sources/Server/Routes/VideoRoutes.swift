import Foundation
import JobQueue
import Logging
import Transfer

/// Captions on a video in one call, for apps that know nothing of kinds and payloads.
extension API {
    private static let kind = "pipeline.caption_video"
    /// Those whose jobs are told of here.
    private static let kinds = [kind, "media.burn_subtitles"]

    var videoRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/video/process", name: "processVideo",
                summary: "Caption a video.",
                details: """
                    The video is given by `videoUrl`, or by the key of an upload. What is said is recognised, unless the \
                    subtitles are given, by `subtitlesUrl` or as text (SRT, WebVTT or ASS). `captions` is the name of a \
                    look, such as karaoke, or all that a job of the kind `pipeline.caption_video` may say of it.
                    """, group: "Video", scopes: [.produce],
                body: .init(
                    schema: Schemas.object(
                        [
                            "videoUrl": Schemas.url,
                            "videoKey": ["type": "string", "minLength": 1, "maxLength": 1024],
                            "subtitlesUrl": Schemas.url,
                            "subtitles": ["type": "string", "minLength": 1, "maxLength": 2_000_000],
                            "language": Schemas.described(
                                ["type": "string", "minLength": 2, "maxLength": 35],
                                "What is spoken, as a code such as en; found out if it is left out."),
                            "prompt": Schemas.described(
                                ["type": "string", "minLength": 1, "maxLength": 4000],
                                "Names and terms that occur."),
                            "translateTo": Schemas.described(
                                ["type": "string", "minLength": 2, "maxLength": 35],
                                "The language that the captions are to be in."),
                            "captions": [
                                "description": "The name of a look, or an object.", "type": ["string", "object"],
                            ],
                            "style": Schemas.anyObject,
                            "burn": ["type": "boolean"],
                            "textTrack": ["type": "boolean"],
                            "sidecars": [
                                "type": "array", "maxItems": 8, "items": ["type": "string", "maxLength": 16],
                            ],
                            "output": Schemas.described(
                                ["type": "string", "minLength": 1, "maxLength": 2048],
                                "Where the result goes: a location, or a key in the store."),
                            "webhookUrl": Schemas.url,
                            "metadata": Schemas.anyObject,
                        ]),
                    example: [
                        "videoKey": "uploads/talk.mp4", "language": "en", "captions": "karaoke", "sidecars": ["srt"],
                    ]),
                isIdempotentByKey: true,
                replies: [
                    .init(
                        status: 202, summary: "It is queued.",
                        schema: Schemas.answer(
                            ["jobId": Schemas.uuid, "status": Schemas.text, "statusUrl": Schemas.text],
                            required: ["jobId", "status", "statusUrl"]), headers: ["Location": "The status."])
                ]
            ) { request in
                let body = request.body ?? .null
                let payload = try Self.payload(of: body)
                try jobs.check(payload, of: Self.kind, at: "")
                var metadata = body.member("metadata")?.members ?? [:]
                if let language = body.member("language") { metadata["language"] = language }
                let options = EnqueueOptions(
                    metadata: TraceHeaders.adding(
                        to: metadata.isEmpty ? nil : .object(metadata), from: request.raw))
                let job = NewJob(Self.kind, payload, options)
                let outcome = try await idempotency.once(request) { try await queue.enqueue(job, on: $0) }
                let url = settings.location("/api/video/job/\(outcome.result.text)")
                return try Answer.json(
                    ["jobId": outcome.result.text, "status": "queued", "statusUrl": url], status: 202,
                    headers: outcome.headers.merging(["Location": url]) { $1 })
            },
            Route(
                method: .get, path: "/api/video/job/{id}", name: "videoJob", summary: "How a video is coming along.",
                details: "`progress` is in percent. `resultUrl` is good for some minutes; ask again for a new one.",
                group: "Video", scopes: [.read, .produce], parameters: [Self.jobID],
                replies: [
                    .init(
                        status: 200, summary: "Its status.",
                        schema: Schemas.answer(
                            [
                                "jobId": Schemas.uuid,
                                "status": [
                                    "type": "string",
                                    "enum": ["queued", "processing", "completed", "failed", "cancelled"],
                                ],
                                "progress": ["type": "integer", "minimum": 0, "maximum": 100],
                                "step": ["type": ["string", "null"]], "resultUrl": ["type": ["string", "null"]],
                                "result": Schemas.anything, "error": ["type": ["string", "null"]],
                                "createdAt": Schemas.time, "updatedAt": Schemas.time,
                            ],
                            required: [
                                "jobId", "status", "progress", "step", "resultUrl", "result", "error", "createdAt",
                                "updatedAt",
                            ]))
                ]
            ) { request in
                let job = try await job(of: request)
                guard Self.kinds.contains(job.kind) else {
                    throw Problem.notFound(
                        "job \(job.id.text) is none about a video", hint: "see /v1/jobs/\(job.id.text)")
                }
                return try Answer.json(try await status(of: job, request))
            },
        ]
    }

    /// What the handler is given.
    ///
    /// - Throws: 422 that names what is missing, or there twice.
    static func payload(of body: JSONValue) throws(Problem) -> JSONValue {
        var payload: [String: JSONValue] = [:]
        switch (body.member("videoUrl")?.string, body.member("videoKey")?.string) {
        case (let url?, nil): payload["input"] = .string(url)
        case (nil, let key?): payload["input"] = .string(ObjectLocation.store(key: key).description)
        case (nil, nil): throw .invalid("", "the key \"videoUrl\" or \"videoKey\" is missing")
        case (_?, _?): throw .invalid("/videoKey", "the video is given by \"videoUrl\" already")
        }
        switch (body.member("subtitlesUrl")?.string, body.member("subtitles")?.string) {
        case (let url?, nil): payload["subtitles"] = ["file": .string(url)]
        case (nil, let text?): payload["subtitles"] = ["text": .string(text)]
        case (nil, nil): break
        case (_?, _?): throw .invalid("/subtitles", "the subtitles are given by \"subtitlesUrl\" already")
        }
        var speech: [String: JSONValue] = [:]
        for key in ["language", "prompt"] { speech[key] = body.member(key) }
        if !speech.isEmpty { payload["speech"] = .object(speech) }
        payload["translate"] = body.member("translateTo")
        if let captions = body.member("captions") {
            payload["captions"] = captions.string.map { ["preset": .string($0)] } ?? captions
        }
        for key in ["style", "burn", "textTrack", "sidecars"] { payload[key] = body.member(key) }
        if let output = body.member("output")?.string {
            payload["output"] = .string(output.contains("://") ? output : location(ofKey: output))
        }
        if let url = body.member("webhookUrl") { payload["webhook"] = ["url": url] }
        if let metadata = body.member("metadata") { payload["metadata"] = metadata }
        return .object(payload)
    }

    /// A key in the default store, with its placeholders left for the worker to fill in.
    private static func location(ofKey key: String) -> String {
        ["jobId", "timestamp", "kind", "extension"].reduce(ObjectLocation.store(key: key).description) {
            $0.replacing("%7B\($1)%7D", with: "{\($1)}")
        }
    }

    private func status(of job: JobInfo, _ request: APIRequest) async throws -> [String: JSONValue] {
        let result = job.state == .succeeded ? try job.result?.decode(JSONValue.self) : nil
        let url = settings.makesFiles(job.kind) ? try await resultURL(result, of: request) : nil
        let fraction = min(max(job.progress?.fraction ?? 0, 0), 1)
        let percent = job.state == .succeeded ? 100 : Int((fraction * 100).rounded(.down))
        let updated = [job.progress?.updatedAt, job.finishedAt, job.changedAt, job.createdAt].compactMap { $0 }.max()
        let error: String? =
            switch job.state {
            case .dead: job.errors?.last?.message ?? job.reason ?? "it has failed"
            case .cancelled: job.cancelReason ?? job.reason
            default: nil
            }
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        return [
            "jobId": .string(job.id.text), "status": .string(Self.status(job.state)),
            "progress": .integer(Int64(percent)), "step": text(job.progress?.phase),
            "resultUrl": text(url), "result": result ?? .null, "error": text(error),
            "createdAt": .string(Self.time(job.createdAt)), "updatedAt": .string(Self.time(updated ?? job.createdAt)),
        ]
    }

    /// Where the file is; nil also where the store cannot say so now: the job is told all the same.
    private func resultURL(_ result: JSONValue?, of request: APIRequest) async throws -> String? {
        guard let result else { return nil }
        if let url = Self.webURL(of: result) { return url }
        do {
            return try await presigned(result)
        } catch let error as TransferError {
            request.logger.warning("there is no URL of a result: \(error)")
            return nil
        }
    }

    private static func status(_ state: JobState) -> String {
        switch state {
        case .blocked, .scheduled, .ready, .failed: "queued"
        case .running: "processing"
        case .succeeded: "completed"
        case .dead: "failed"
        case .cancelled: "cancelled"
        }
    }

    /// The URL of a result that is public, or was sent to the web.
    private static func webURL(of result: JSONValue) -> String? {
        if let url = result.member("publicURL")?.string { return url }
        guard case .web(let url) = ResultLocation.find(in: result) else { return nil }
        return url.text
    }

    private static func time(_ date: Date) -> String { QueueJSON.text(of: date) }
}
