import Foundation
import JobQueue

/// Workflows: jobs that wait for each other.
extension API {
    var workflowRoutes: [Route] {
        let id = Route.Parameter(name: "id", place: .path, schema: Schemas.uuid, summary: "The workflow's id.")
        let counted = Schemas.answer(["id": Schemas.uuid, "jobs": ["type": "integer"]], required: ["id", "jobs"])
        return [
            Route(
                method: .post, path: "/v1/workflows", name: "enqueueWorkflow",
                summary: "Enqueue jobs that wait for each other, all of them or none.",
                details: """
                    `jobs` holds them by name; `after` names those of the same workflow that must finish before, and \
                    may say what becomes of the job if one of them fails.
                    """, group: "Workflows", scopes: [.produce],
                body: .init(
                    schema: Schemas.reference("NewWorkflow"),
                    example: [
                        "name": "publish",
                        "jobs": [
                            "encode": ["kind": "media.transcode", "payload": ["input": "store://in.mov"]],
                            "notify": ["kind": "mail", "after": ["encode"]],
                        ],
                    ]),
                isIdempotentByKey: true,
                replies: [
                    .init(
                        status: 201, summary: "It is enqueued.",
                        schema: Schemas.answer(
                            [
                                "id": Schemas.uuid, "url": Schemas.text,
                                "jobs": ["type": "object", "additionalProperties": Schemas.uuid],
                            ], required: ["id", "url", "jobs"]), headers: ["Location": "Where the workflow is."])
                ]
            ) { request in
                let workflow = try self.workflow(request.body ?? .null)
                let outcome = try await idempotency.once(request) { connection in
                    try await Self.refusingUnknown { try await queue.enqueueWorkflow(workflow, on: connection) }
                }
                let answer = Enqueued(
                    id: outcome.result.id.text, url: settings.location("/v1/workflows/\(outcome.result.id.text)"),
                    jobs: outcome.result.jobs.mapValues(\.text))
                return try Answer.json(
                    answer, status: 201, headers: outcome.headers.merging(["Location": answer.url]) { $1 })
            },
            Route(
                method: .get, path: "/v1/workflows/{id}", name: "getWorkflow",
                summary: "How far a workflow has come, and its jobs, parents before children.", group: "Workflows",
                scopes: [.read, .produce], parameters: [id],
                replies: [.init(status: 200, summary: "The workflow.", schema: Schemas.anyObject)]
            ) { request in
                let id = try request.jobID(of: "workflow")
                guard let workflow = try await queue.workflow(id) else {
                    throw Problem.notFound("workflow \(id.text) does not exist")
                }
                return try Answer.json(Told(workflow: workflow, jobs: try await queue.workflowNodes(id)))
            },
            Route(
                method: .post, path: "/v1/workflows/{id}/cancel", name: "cancelWorkflow",
                summary: "Cancel every unfinished job of a workflow.", group: "Workflows", scopes: [.produce],
                parameters: [id], body: .init(schema: Schemas.reference("Reason"), isRequired: false),
                replies: [.init(status: 200, summary: "How many were cancelled or told to stop.", schema: counted)]
            ) { request in
                let id = try request.jobID(of: "workflow")
                let count = try await queue.cancelWorkflow(id, reason: request["reason"]?.string)
                return try Answer.json(Count(id: id.text, jobs: count))
            },
            Route(
                method: .post, path: "/v1/workflows/{id}/retry", name: "retryWorkflow",
                summary: "Run the dead and cancelled jobs of a workflow again.", group: "Workflows",
                scopes: [.produce], parameters: [id],
                replies: [.init(status: 200, summary: "How many.", schema: counted)]
            ) { request in
                let id = try request.jobID(of: "workflow")
                return try Answer.json(Count(id: id.text, jobs: try await queue.retryWorkflow(id)))
            },
        ]
    }

    private func workflow(_ body: JSONValue) throws(Problem) -> WorkflowRequest {
        var nodes: [String: WorkflowJob] = [:]
        for (name, node) in body.member("jobs")?.members ?? [:] {
            let job = try jobs.job(node, at: "/jobs/" + JSONSchema.escaped(name))
            let parents = (node.member("after")?.elements ?? []).map { parent in
                WorkflowParent(
                    parent.string ?? parent.member("node")?.string ?? "",
                    onFailure: parent.member("onFailure")?.string.flatMap { ParentFailure(rawValue: $0) })
            }
            nodes[name] = WorkflowJob(job.kind, job.payload, after: parents, job.options)
        }
        return WorkflowRequest(
            body.member("name")?.string ?? "", jobs: nodes, metadata: body.member("metadata"))
    }

    private struct Enqueued: Codable, Sendable {
        var id: String
        var url: String
        var jobs: [String: String]
    }

    private struct Told: Codable, Sendable {
        var workflow: WorkflowInfo
        var jobs: [WorkflowNode]
    }

    private struct Count: Codable, Sendable {
        var id: String
        var jobs: Int
    }
}
