import Foundation
import HummingbirdCore
import JobQueue

/// Enqueueing and looking at jobs.
extension API {
    var jobRoutes: [Route] {
        [
            Route(
                method: .post, path: "/v1/jobs", name: "enqueueJob", summary: "Enqueue a job.", group: "Jobs",
                scopes: [.produce],
                body: .init(
                    schema: Schemas.reference("NewJob"),
                    example: ["kind": "media.probe", "payload": ["input": "store://uploads/talk.mp4"]]),
                isIdempotentByKey: true, replies: [Self.enqueued]
            ) { request in
                try await enqueue(try jobs.job(request.body ?? .null), for: request)
            },
            Route(
                method: .get, path: "/v1/jobs", name: "listJobs", summary: "List jobs, newest first.",
                details: """
                    Without payload, result, metadata, progress and steps, which a single job tells. `next` is the cursor of the \
                    next page; the last page has none.
                    """, group: "Jobs", scopes: [.read], parameters: Self.listParameters,
                replies: [
                    .init(
                        status: 200, summary: "A page.",
                        schema: Schemas.answer(
                            [
                                "jobs": ["type": "array", "items": Schemas.reference("Job")], "next": Schemas.text,
                            ], required: ["jobs"]))
                ]
            ) { request in
                let limit = request.parameter("limit")?.integer.map { Int($0) } ?? 50
                let filter = JobFilter(
                    states: Set(
                        (request.query["state"] ?? []).compactMap { $0.string.flatMap { JobState(rawValue: $0) } }),
                    kind: request.parameter("kind")?.string, queue: request.parameter("queue")?.string,
                    workflow: request.parameter("workflow")?.string.flatMap { JobID(uuidString: $0) },
                    before: request.parameter("cursor")?.string.flatMap { JobID(uuidString: $0) }, limit: limit + 1)
                var found = try await queue.jobs(filter)
                let hasMore = found.count > limit
                if hasMore { found.removeLast() }
                return try Answer.json(JobPage(jobs: found, next: hasMore ? found.last?.id.text : nil))
            },
            Route(
                method: .get, path: "/v1/jobs/{id}", name: "getJob", summary: "Everything about a job.", group: "Jobs",
                scopes: [.read, .produce], parameters: [Self.jobID],
                replies: [.init(status: 200, summary: "The job.", schema: Schemas.reference("Job"))]
            ) { request in
                try Answer.json(try await job(of: request))
            },
            Route(
                method: .get, path: "/v1/jobs/{id}/deliveries", name: "listDeliveries",
                summary: "The webhooks about a job: what was told, to no avail or with success.",
                details:
                    "Oldest first. Each is a job itself, of the kind webhook.deliver: a dead one is sent again by a retry.",
                group: "Jobs", scopes: [.read, .produce], parameters: [Self.jobID],
                replies: [
                    .init(
                        status: 200, summary: "The deliveries.",
                        schema: Schemas.list(
                            of: Schemas.answer(
                                [
                                    "id": Schemas.uuid, "event": Schemas.text, "state": Schemas.text,
                                    "attempt": ["type": "integer"], "maxAttempts": ["type": "integer"],
                                    "createdAt": Schemas.time, "runAt": Schemas.time, "finishedAt": Schemas.time,
                                    "error": Schemas.text,
                                ], required: ["id", "event", "state", "attempt", "maxAttempts", "createdAt", "runAt"]),
                            as: "deliveries"))
                ]
            ) { request in
                let job = try await job(of: request)
                return try Answer.json(["deliveries": try await queue.deliveries(about: job.id)])
            },
            Route(
                method: .get, path: "/v1/kinds", name: "listKinds",
                summary: "The kinds of jobs that this server knows, with the schemas of their payloads.",
                group: "Jobs", scopes: [.read, .produce],
                replies: [
                    .init(
                        status: 200, summary: "The kinds.",
                        schema: Schemas.list(
                            of: Schemas.answer(
                                ["name": Schemas.text, "summary": Schemas.text, "schema": Schemas.anything],
                                required: ["name"]), as: "kinds"))
                ]
            ) { _ in
                try Answer.json([
                    "kinds": settings.kinds.map { kind in
                        var entry: [String: JSONValue] = ["name": .string(kind.name), "summary": .string(kind.summary)]
                        if let schema = kind.schema { entry["schema"] = schema }
                        return JSONValue.object(entry)
                    }
                ])
            },
        ]
    }

    static let enqueued = Route.Reply(
        status: 201, summary: "It is enqueued.", schema: Schemas.reference("EnqueuedJob"),
        headers: ["Location": "Where the job is."])

    /// Enqueues a job, unless a request with the same key has done so before, and answers with where it is.
    func enqueue(_ job: NewJob, for request: APIRequest) async throws -> Response {
        var job = job
        job.options.metadata = TraceHeaders.adding(to: job.options.metadata, from: request.raw)
        let outcome = try await idempotency.once(request) { [job] connection in
            try await Self.refusingUnknown { try await queue.enqueue(job, on: connection) }
        }
        let path = "/v1/jobs/\(outcome.result.text)"
        let answer = EnqueuedJob(
            id: outcome.result.text, kind: job.kind, url: settings.location(path),
            eventsUrl: settings.location(path + "/events"))
        return try Answer.json(answer, status: 201, headers: outcome.headers.merging(["Location": answer.url]) { $1 })
    }

    private static let listParameters: [Route.Parameter] = [
        .init(
            name: "state", place: .query, schema: ["type": "array", "items": Schemas.state],
            summary: "Only jobs in these states, such as `ready,running`.", isList: true),
        .init(name: "kind", place: .query, schema: Schemas.name, summary: "Only jobs of this kind."),
        .init(name: "queue", place: .query, schema: Schemas.name, summary: "Only jobs of this queue."),
        .init(name: "workflow", place: .query, schema: Schemas.uuid, summary: "Only jobs of this workflow."),
        .init(
            name: "limit", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 1000],
            summary: "Jobs of a page; default 50."),
        .init(name: "cursor", place: .query, schema: Schemas.uuid, summary: "`next` of the page before."),
    ]

    /// The job in the request's path.
    ///
    /// - Throws: 404.
    func job(of request: APIRequest) async throws -> JobInfo {
        let id = try request.jobID()
        guard let job = try await queue.job(id) else {
            throw Problem.notFound(
                "job \(id.text) does not exist", hint: "one that finished longer ago than the retention is gone")
        }
        return job
    }

    private struct EnqueuedJob: Codable, Sendable {
        var id: String
        var kind: String
        var url: String
        var eventsUrl: String
    }

    private struct JobPage: Codable, Sendable {
        var jobs: [JobInfo]
        var next: String?
    }
}

extension JobID {
    /// As Postgres writes it.
    var text: String { uuidString.lowercased() }
}
