import Crypto
import Foundation
package import JobQueue
import Locking
package import Transfer
package import TransferTestSupport

/// The app's side of webhooks and requests: keeps what comes, and answers as told.
package final class Receiver: Sendable {
    package struct Message: Sendable {
        package var head: RawRequest
        package var body: [UInt8]

        package var json: JSONValue? { try? JSONDecoder().decode(JSONValue.self, from: Data(body)) }
        package var type: String? { json?["type"]?.string }

        /// Whether it is signed with a key, not long ago, as a receiver of Standard Webhooks checks it.
        package func isSigned(with key: [UInt8]) -> Bool {
            guard let id = head.headers["webhook-id"],
                let timestamp = head.headers["webhook-timestamp"].flatMap({ Int64($0) }),
                abs(Double(timestamp) - Date.now.timeIntervalSince1970) < 300,
                let signatures = head.headers["webhook-signature"]?.split(separator: " ")
            else { return false }
            let content = Array("\(id).\(timestamp).".utf8) + body
            let code = HMAC<SHA256>.authenticationCode(for: content, using: SymmetricKey(data: key))
            return signatures.contains("v1,\(Data(code).base64EncodedString())"[...])
        }
    }

    private let server: RawServer
    private let kept: Locked<[Message]>

    /// - Parameter answer: status, headers and body, by the number of the request from 0.
    package init(
        _ answer: @escaping @Sendable (Int) -> (Int, HTTPHeaders, String) = { _ in (200, [:], "{}") }
    ) throws {
        let kept = Locked<[Message]>([])
        self.kept = kept
        server = try RawServer { connection in
            while let (head, body) = try connection.readRequest() {
                let number = kept.withLock { kept in
                    kept.append(Message(head: head, body: body))
                    return kept.count - 1
                }
                let (status, headers, text) = answer(number)
                try connection.respond(status, headers: headers, body: Array(text.utf8))
            }
        }
    }

    package func url(_ path: String = "/hook") -> String { server.url(path) }
    package var messages: [Message] { kept.withLock { $0 } }
}
