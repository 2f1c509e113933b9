import Crypto
import Foundation
import HTTPTypes

/// The signature that Twilio sends with its webhooks: HMAC-SHA1, by the account's primary token, over the URL that was
/// called and what the form holds.
/// https://www.twilio.com/docs/usage/security#validating-requests
struct TwilioSignature: RequestSignature {
    /// The account's primary token; `nil`: nobody can sign.
    let authToken: String?

    static let field = "X-Twilio-Signature"

    func verify(_ request: SignedRequest) throws(Problem) -> Signer {
        guard let authToken, !authToken.isEmpty else {
            throw .notFound("webhooks of Twilio are not set up", hint: "set TWILIO_AUTH_TOKEN on the server")
        }
        guard let text = request.headers[text: Self.field] else {
            throw .badSignature("the request has no \(Self.field)")
        }
        let content = try content(of: request)
        let key = SymmetricKey(data: Data(authToken.utf8))
        guard let code = Data(base64Encoded: text),
            Self.spellings(of: request.url).contains(where: { url in
                HMAC<Insecure.SHA1>.isValidAuthenticationCode(
                    code, authenticating: Data((url + content).utf8), using: key)
            })
        else {
            throw .badSignature(
                "\(Self.field) is not that of this request",
                hint: """
                    TWILIO_AUTH_TOKEN is the account's primary token, and KILN_PUBLIC_URL the address that Twilio \
                    was given
                    """)
        }
        return Signer(name: "twilio")
    }

    /// What is signed besides the URL.
    private func content(of request: SignedRequest) throws(Problem) -> String {
        if FormBody.isForm(request.headers[text: "Content-Type"]) {
            return Self.content(of: try FormBody(request.body))
        }
        guard !request.body.isEmpty else { return "" }
        // What is no form is signed by its hash, which is part of the URL.
        let query = request.url.firstIndex(of: "?").map { String(request.url[$0...].dropFirst()) }
        let hash = try PercentDecoding.query(query).first { $0.name == "bodySHA256" }?.value
        let own = SHA256.hash(data: Data(request.body))
        guard let hash, let bytes = Self.bytes(hex: hash), own == bytes else {
            throw .badSignature("bodySHA256 in the URL is not the hash of the body")
        }
        return ""
    }

    /// Each name with each of its values, in the order of their bytes; a value that comes again counts once.
    static func content(of form: FormBody) -> String {
        let values = Dictionary(grouping: form.items, by: \.name).mapValues { Set($0.map(\.value)) }
        return values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { name, values in
            values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { name + $0 }.joined()
        }.joined()
    }

    /// The URL as it is, and with or without its port: Twilio signs it either way.
    static func spellings(of url: String) -> [String] {
        guard let separator = url.range(of: "://") else { return [url] }
        let rest = url[separator.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let (scheme, authority, path) = (url[..<separator.upperBound], rest[..<end], rest[end...])
        let afterHost = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[afterHost...].lastIndex(of: ":") {
            return [url, "\(scheme)\(authority[..<colon])\(path)"]
        }
        return [url, "\(scheme)\(authority):\(scheme.lowercased() == "https://" ? 443 : 80)\(path)"]
    }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: 64, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start...start + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
