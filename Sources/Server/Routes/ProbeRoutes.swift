import JobQueue

/// For load balancers that reach the API alone; the health listener tells more.
extension API {
    var probeRoutes: [Route] {
        let reply = Schemas.answer(["status": Schemas.text], required: ["status"])
        return [
            Route(
                method: .get, path: "/health", name: "health", summary: "Whether the server is alive.", group: "About",
                scopes: [], replies: [.init(status: 200, summary: "It is.", schema: reply)]
            ) { _ in
                try Answer.json([
                    "status": "healthy", "timestamp": QueueJSON.text(of: settings.now()), "version": settings.version,
                ])
            },
            Route(
                method: .get, path: "/ready", name: "ready", summary: "Whether the server can do its work now.",
                group: "About", scopes: [],
                replies: [.init(status: 200, summary: "It can: the database answers.", schema: reply)]
            ) { _ in
                _ = try await queue.withConnection { try await $0.query("SELECT 1").count }
                return try Answer.json(["status": "ready"])
            },
        ]
    }
}
