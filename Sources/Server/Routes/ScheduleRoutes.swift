import JobQueue

/// Schedules: jobs by the clock.
extension API {
    var scheduleRoutes: [Route] {
        let name = Route.Parameter(name: "name", place: .path, schema: Schemas.name, summary: "The schedule's name.")
        return [
            Route(
                method: .get, path: "/v1/schedules", name: "listSchedules", summary: "Schedules, by name.",
                group: "Schedules", scopes: [.read],
                replies: [
                    .init(
                        status: 200, summary: "The schedules.",
                        schema: Schemas.list(of: Schemas.reference("Schedule"), as: "schedules"))
                ]
            ) { _ in
                try Answer.json(["schedules": try await queue.schedules()])
            },
            Route(
                method: .put, path: "/v1/schedules/{name}", name: "putSchedule",
                summary: "Make a schedule, or change the one of that name.", group: "Schedules", scopes: [.admin],
                parameters: [name],
                body: .init(
                    schema: Schemas.reference("NewSchedule"),
                    example: [
                        "cron": "30 2 * * *", "timezone": "Europe/Berlin", "kind": "media.sweep",
                        "payload": ["deep": true],
                    ]),
                replies: [.init(status: 200, summary: "The schedule.", schema: Schemas.reference("Schedule"))]
            ) { request in
                let name = try scheduleName(request)
                let body = request.body ?? .null
                let kind = body.member("kind")?.string ?? ""
                let payload = body.member("payload") ?? .object([:])
                try jobs.refuseReserved(kind, at: "/kind")
                try jobs.check(payload, of: kind, at: "/payload")
                try await queue.schedule(
                    name, cron: body.member("cron")?.string ?? "",
                    timezone: body.member("timezone")?.string ?? "UTC", kind: kind, payload: payload,
                    options: try jobs.options(body.member("options") ?? .object([:]), at: "/options"),
                    missed: body.member("missed")?.string.flatMap { MissedTicks(rawValue: $0) } ?? .last,
                    paused: body.member("paused")?.bool ?? false)
                guard let found = try await queue.schedules().first(where: { $0.name == name }) else {
                    throw Problem.conflict("the schedule was removed by somebody else")
                }
                return try Answer.json(found)
            },
            Route(
                method: .delete, path: "/v1/schedules/{name}", name: "deleteSchedule", summary: "Remove a schedule.",
                group: "Schedules", scopes: [.admin], parameters: [name],
                replies: [.init(status: 204, summary: "It is gone.")]
            ) { request in
                let name = try scheduleName(request)
                guard try await queue.unschedule(name) else {
                    throw Problem.notFound("there is no schedule \(name.debugDescription)")
                }
                return Answer.empty()
            },
        ]
    }

    private func scheduleName(_ request: APIRequest) throws(Problem) -> String {
        let name = request.path["name"] ?? ""
        guard (1...200).contains(name.utf8.count) else {
            throw .parameter("name", "a schedule's name has 1 to 200 bytes")
        }
        return name
    }
}
