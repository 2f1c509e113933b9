import HummingbirdCore
import JobQueue

/// Queues: what is in them, and their limits.
extension API {
    var queueRoutes: [Route] {
        let name = Route.Parameter(name: "name", place: .path, schema: Schemas.name, summary: "The queue's name.")
        let reply = Route.Reply(status: 200, summary: "The queue.", schema: Schemas.reference("Queue"))
        return [
            Route(
                method: .get, path: "/v1/queues", name: "listQueues", summary: "Queues, their limits and counts.",
                group: "Queues", scopes: [.read],
                replies: [
                    .init(
                        status: 200, summary: "The queues.",
                        schema: Schemas.list(of: Schemas.reference("Queue"), as: "queues"))
                ]
            ) { _ in
                try Answer.json(["queues": try await queue.queues()])
            },
            Route(
                method: .get, path: "/v1/queues/{name}", name: "getQueue", summary: "A queue.", group: "Queues",
                scopes: [.read], parameters: [name], replies: [reply]
            ) { request in
                try await queueAnswer(request)
            },
            Route(
                method: .put, path: "/v1/queues/{name}", name: "setQueue",
                summary: "Set all limits of a queue: those that are left out are lifted.", group: "Queues",
                scopes: [.admin], parameters: [name],
                body: .init(
                    schema: Schemas.reference("QueueLimits"),
                    example: ["concurrency": 8, "rate": ["limit": 100, "seconds": 60]]),
                replies: [reply]
            ) { request in
                let body = request.body ?? .object([:])
                func number(_ name: String) -> Int? { body.member(name)?.integer.map { Int($0) } }
                var limits = QueueLimits(
                    concurrency: number("concurrency"), workerConcurrency: number("workerConcurrency"),
                    keyConcurrency: number("keyConcurrency"))
                if let rate = body.member("rate"), let limit = rate.member("limit")?.integer,
                    let seconds = rate.member("seconds")?.double
                {
                    limits.rate = .init(Int(limit), per: .seconds(seconds))
                }
                try await queue.setQueue(try queueName(request), limits)
                return try await queueAnswer(request)
            },
            Route(
                method: .post, path: "/v1/queues/{name}/pause", name: "pauseQueue",
                summary: "Keep workers from starting jobs of a queue; those that run go on.", group: "Queues",
                scopes: [.admin], parameters: [name], replies: [reply]
            ) { request in
                try await queue.pause(try queueName(request))
                return try await queueAnswer(request)
            },
            Route(
                method: .post, path: "/v1/queues/{name}/resume", name: "resumeQueue", summary: "Undo a pause.",
                group: "Queues", scopes: [.admin], parameters: [name], replies: [reply]
            ) { request in
                try await queue.resume(try queueName(request))
                return try await queueAnswer(request)
            },
        ]
    }

    private func queueName(_ request: APIRequest) throws(Problem) -> String {
        let name = request.path["name"] ?? ""
        guard (1...200).contains(name.utf8.count) else { throw .parameter("name", "a queue's name has 1 to 200 bytes") }
        return name
    }

    private func queueAnswer(_ request: APIRequest) async throws -> Response {
        let name = try queueName(request)
        guard let found = try await queue.queues().first(where: { $0.queue == name }) else {
            throw Problem.notFound("there is no queue \(name.debugDescription)")
        }
        return try Answer.json(found)
    }
}
