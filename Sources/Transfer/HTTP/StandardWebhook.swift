import Crypto

/// A message and its signature, by which its receiver knows who sent it, when, and that nothing was changed.
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package struct StandardWebhook: Sendable {
    /// The same whenever the message is sent again, so that its receiver can tell.
    package var id: String
    /// Seconds since 1970.
    package var timestamp: Int64
    /// As it is sent.
    package var body: [UInt8]

    package init(id: String, timestamp: Int64, body: [UInt8]) {
        self.id = id
        self.timestamp = timestamp
        self.body = body
    }

    /// `webhook-id`, `webhook-timestamp` and, where there is a key, `webhook-signature`: one for each of them.
    ///
    /// - Parameter keys: as bytes, without "whsec_" and base64.
    package func headers(keys: [[UInt8]]) -> HTTPHeaders {
        var headers: HTTPHeaders = ["webhook-id": id, "webhook-timestamp": "\(timestamp)"]
        if !keys.isEmpty { headers["webhook-signature"] = keys.map(signature).joined(separator: " ") }
        return headers
    }

    /// As it stands in `webhook-signature`: "v1," and base64.
    package func signature(_ key: [UInt8]) -> String { "v1," + Base64.encoded(Array(code(key))) }

    /// Whether one of the signatures is made with one of the keys. How long it takes says nothing of how near they come.
    ///
    /// - Parameter signatures: what stands in `webhook-signature`. Those of other versions than v1 are for others.
    package func isSigned(by keys: [[UInt8]], _ signatures: String) -> Bool {
        let given = signatures.split(separator: " ").filter { $0.hasPrefix("v1,") }
            .compactMap { Base64.decoded($0.dropFirst(3)) }
        // The body is gone through once for each key, however many signatures there are.
        return keys.contains { key in
            let expected = code(key)
            return given.contains { expected == $0 }
        }
    }

    /// HMAC-SHA256 over id, timestamp and body with dots between them.
    private func code(_ key: [UInt8]) -> HMAC<SHA256>.MAC {
        var code = HMAC<SHA256>(key: SymmetricKey(data: key))
        code.update(data: Array("\(id).\(timestamp).".utf8))
        code.update(data: body)
        return code.finalize()
    }
}
