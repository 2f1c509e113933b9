import Crypto
import FoundationEssentials
import Transfer

/// The signature of a message, by which its receiver knows who sent it, when, and that nothing was changed.
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
struct StandardWebhook: Sendable {
    /// The same whenever the message is sent again, so that its receiver can tell.
    var id: String
    /// Seconds since 1970.
    var timestamp: Int64
    /// As it is sent.
    var body: [UInt8]

    /// `webhook-id`, `webhook-timestamp` and, where there is a key, `webhook-signature`: one for each of them.
    ///
    /// - Parameter keys: as bytes, without "whsec_" and base64.
    func headers(keys: [[UInt8]]) -> HTTPHeaders {
        var headers: HTTPHeaders = ["webhook-id": id, "webhook-timestamp": "\(timestamp)"]
        if !keys.isEmpty { headers["webhook-signature"] = keys.map(signature).joined(separator: " ") }
        return headers
    }

    /// HMAC-SHA256 over id, timestamp and body with dots between them.
    func signature(_ key: [UInt8]) -> String {
        let content = Array("\(id).\(timestamp).".utf8) + body
        return "v1," + Base64Text.encoded(HMAC<SHA256>.authenticationCode(for: content, using: SymmetricKey(data: key)))
    }
}

extension JobServices {
    /// Posts JSON with its signature, once: trying again is the queue's matter.
    ///
    /// - Parameters:
    ///   - id: see ``StandardWebhook/id``.
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
