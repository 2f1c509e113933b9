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
                guard await answers() else { throw Problem.unavailable("the database does not answer") }
                return try Answer.json(["status": "ready"])
            },
        ]
    }

    /// Whether the database answers, soon: who probes does not wait long.
    private func answers() async -> Bool {
        let queue = queue
        let asking = Task { _ = try await queue.withConnection { try await $0.query("SELECT 1").count } }
        let patience = Task {
            try await Task.sleep(for: .seconds(2))
            asking.cancel()
        }
        defer { patience.cancel() }
        return (try? await asking.value) != nil
    }
}
