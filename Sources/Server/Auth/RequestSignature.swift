import Foundation
import HTTPTypes

/// Tells by a signature over a request who has sent it, where no token comes with it.
///
/// Each service that calls by webhook has its own way to sign: one of these, and a route that names it.
protocol RequestSignature: Sendable {
    /// - Throws: ``Problem`` 401 for a request that is not signed as it should be. It repeats nothing of the signature.
    func verify(_ request: SignedRequest) throws(Problem) -> Signer
}

/// What of a request a signature may be over.
struct SignedRequest: Sendable {
    var method: String
    /// As the sender has written it: with the public address of the server, path and query as they came.
    var url: String
    var headers: HTTPFields
    /// As it came; empty if there was none.
    var body: [UInt8]
    var receivedAt: Date
}

/// Who has signed a request.
struct Signer: Sendable, Hashable {
    /// A message that may be sent again.
    struct Message: Sendable, Hashable {
        /// The header field that bears the id.
        var field: String
        /// The same whenever it is sent again: 1 to 255 visible characters of ASCII.
        var id: String
    }

    /// Their name, such as "webhooks": what limits are counted by and ids of messages belong to. In logs.
    var name: String
    /// `nil` where nothing tells one message from another.
    var message: Message?
}
