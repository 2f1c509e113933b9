import Foundation
import HTTPTypes
import Transfer

/// The symmetric signatures of Standard Webhooks.
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
struct StandardWebhookSignature: RequestSignature {
    /// Any of them will do. Empty: nobody can sign.
    let keys: [[UInt8]]

    /// How far the time of a message may be from ours, before or after it.
    static let tolerance = Duration.seconds(300)

    enum Field {
        static let id = "webhook-id"
        static let timestamp = "webhook-timestamp"
        static let signature = "webhook-signature"
    }

    func verify(_ request: SignedRequest) throws(Problem) -> Signer {
        guard !keys.isEmpty else {
            throw .notFound(
                "incoming webhooks are not set up", hint: "set KILN_HOOK_SECRETS and KILN_HOOK_KINDS on the server")
        }
        let id = try field(Field.id, of: request)
        let timestamp = try field(Field.timestamp, of: request)
        let signatures = try field(Field.signature, of: request)
        guard Self.isID(id) else {
            throw .badSignature("\(Field.id) has 1 to 255 visible characters of ASCII, and no dot")
        }
        guard let seconds = Int64(timestamp), "\(seconds)" == timestamp else {
            throw .badSignature("\(Field.timestamp) is the time in whole seconds since 1970")
        }
        let age = request.receivedAt.timeIntervalSince1970 - Double(seconds)
        guard abs(age) <= Self.tolerance / .seconds(1) else {
            throw .badSignature(
                "\(Field.timestamp) is more than \(Self.tolerance.components.seconds) s \(age > 0 ? "ago" : "ahead")",
                hint: "sign anew each time it is sent, and see that both clocks are right")
        }
        guard StandardWebhook(id: id, timestamp: seconds, body: request.body).isSigned(by: keys, signatures) else {
            throw .badSignature(
                "\(Field.signature) holds no v1 signature of this message by a key that is known here",
                hint: "sign id.timestamp.body with the body as it is sent, and with a key of KILN_HOOK_SECRETS")
        }
        return Signer(name: "webhooks", message: .init(field: Field.id, id: id))
    }

    private func field(_ name: String, of request: SignedRequest) throws(Problem) -> String {
        guard let value = request.headers[text: name] else { throw .badSignature("the request has no \(name)") }
        return value
    }

    /// A dot would let a part of the id pass for the timestamp.
    private static func isID(_ id: String) -> Bool {
        (1...255).contains(id.utf8.count)
            && id.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ".") }
    }
}
