import JobQueue

/// Cancelling and retrying.
extension API {
    var jobChangeRoutes: [Route] {
        [
            Route(
                method: .post, path: "/v1/jobs/{id}/cancel", name: "cancelJob", summary: "Cancel a job.",
                details: """
                    One that waits is cancelled at once; one that runs is told to stop, and `outcome` is `cancelling` \
                    until its worker has. One that was over before stays as it is.
                    """, group: "Jobs", scopes: [.produce], parameters: [Self.jobID],
                body: .init(schema: Schemas.reference("Reason"), isRequired: false, example: ["reason": "a mistake"]),
                replies: [
                    .init(
                        status: 200, summary: "What came of it.",
                        schema: Schemas.answer(
                            ["id": Schemas.uuid, "outcome": Schemas.text], required: ["id", "outcome"]))
                ]
            ) { request in
                let id = try request.jobID()
                let outcome: String
                switch try await queue.cancel(id, reason: request["reason"]?.string) {
                case .cancelled: outcome = "cancelled"
                case .cancelling: outcome = "cancelling"
                case .finished(let state): outcome = state.rawValue
                }
                return try Answer.json(["id": id.text, "outcome": outcome])
            },
            Route(
                method: .post, path: "/v1/jobs/{id}/retry", name: "retryJob", summary: "Run a job again.",
                details: "A dead or cancelled one with fresh attempts; one that waits for its next attempt, at once.",
                group: "Jobs", scopes: [.produce], parameters: [Self.jobID],
                replies: [
                    .init(
                        status: 200, summary: "Its state now.",
                        schema: Schemas.answer(
                            ["id": Schemas.uuid, "state": Schemas.state], required: ["id", "state"])),
                    .init(
                        status: 409, summary: "It has succeeded, or a parent must be retried first.",
                        schema: Schemas.reference("Problem"), type: "application/problem+json"),
                ]
            ) { request in
                let id = try request.jobID()
                return try Answer.json(["id": id.text, "state": try await queue.retry(id).rawValue])
            },
        ]
    }
}
