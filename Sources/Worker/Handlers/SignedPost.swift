import Transfer

extension JobServices {
    /// Posts JSON with its signature, once: trying again is the queue's matter.
    ///
    /// - Parameters:
    ///   - id: see `StandardWebhook.id`.
    ///   - patience: from connecting to the last byte of the answer.
    ///   - answerLimit: bytes.
    /// - Throws: ``TransferError``, also for every status of 300 or more.
    func post(
        _ body: [UInt8], to url: HTTPURL, id: String, headers: HTTPHeaders = [:], patience: Duration, answerLimit: Int
    ) async throws -> HTTPReply {
        let message = StandardWebhook(id: id, timestamp: Int64(WallClock.now), body: body)
        var request = HTTPRequest(
            .post, url, headers: headers, body: .bytes(body), redirects: .none,
            timeouts: HTTPTimeouts(stall: nil, whole: patience), retries: HTTPRetryPolicy.none, errorBodyLimit: 2 << 10)
        request.headers["Content-Type"] = "application/json"
        for field in message.headers(keys: configuration.webhooks.secrets).fields {
            request.headers[field.name] = field.value
        }
        let reply = try await client.send(request, limit: answerLimit)
        guard reply.status < 300 else {
            throw TransferError(
                .badRedirect, "the server answered \(reply.status), a redirect, which what is signed does not follow",
                hint: "name the URL that it leads to", request: request.line, status: reply.status, isRetryable: false)
        }
        return reply
    }
}
