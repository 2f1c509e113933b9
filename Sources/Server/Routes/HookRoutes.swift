import JobQueue

/// Jobs that come by webhook: from services that sign what they send, and have no token.
extension API {
    var hookRoutes: [Route] {
        typealias Field = StandardWebhookSignature.Field
        let hooks = settings.hooks
        return [
            Route(
                method: .post, path: "/v1/hooks/{kind}", name: "receiveHook",
                summary: "Enqueue a job by a signed message, which is its payload.",
                details: """
                    Signed by [Standard Webhooks](https://www.standardwebhooks.com) with a key that the server knows; no \
                    token is needed. 404 for kinds that the server takes no webhooks for, and where none are set up. A \
                    message that is sent again within a day gets the first one's answer.
                    """, group: "Webhooks", scopes: [],
                // With no kind that may come so, nobody is to find out whose signatures would be good.
                signature: StandardWebhookSignature(keys: hooks.kinds.isEmpty ? [] : hooks.secrets),
                parameters: [
                    .init(name: "kind", place: .path, schema: Schemas.name, summary: "The job's kind."),
                    .init(
                        name: Field.id, place: .header,
                        schema: ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-\\-/-~]+$"],
                        summary: "The message's id, the same whenever it is sent again.", isRequired: true),
                    .init(
                        name: Field.timestamp, place: .header, schema: ["type": "integer"],
                        summary: "When it is sent, in seconds since 1970: within five minutes of the server's clock.",
                        isRequired: true),
                    .init(
                        name: Field.signature, place: .header, schema: Schemas.text,
                        summary: "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several with blanks.",
                        isRequired: true),
                ],
                body: .init(
                    schema: Schemas.described(Schemas.anything, "The payload; checked against the kind's schema."),
                    example: ["input": "store://uploads/talk.mp4"]),
                replies: [Self.enqueued]
            ) { request in
                let kind = request.path["kind"] ?? ""
                guard hooks.kinds.contains(kind), settings.kinds.contains(where: { $0.name == kind }) else {
                    throw Problem.notFound(
                        "jobs of this kind do not come by webhook",
                        hint: "add the kind to KILN_HOOK_KINDS on the server")
                }
                let payload = request.body ?? .null
                try jobs.check(payload, of: kind, at: "")
                return try await enqueue(NewJob(kind, payload, EnqueueOptions()), for: request)
            }
        ]
    }
}
