import Transfer

/// Signature Version 4 from the server's side: computed from the request line and headers as they came over the wire,
/// without any code of `Transfer`.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
struct S3Signature {
    struct Refusal: Error {
        var status: Int
        var code: String
        var message: String
        init(_ status: Int, _ code: String, _ message: String) {
            self.status = status
            self.code = code
            self.message = message
        }
    }

    let credentials: [Credentials]
    let region: String
    /// Seconds since 1970.
    let now: Double

    // MARK: Verifying

    /// - Parameter body: `nil` if it was not read yet.
    func verify(_ request: RawRequest, body: [UInt8]?) throws {
        let query = try Self.query(request)
        if query.contains(where: { $0.name == "X-Amz-Signature" }) { return try verifyPresigned(request, query) }
        guard let authorization = request.headers["Authorization"] else {
            throw Refusal(403, "AccessDenied", "no signature")
        }
        let prefix = "AWS4-HMAC-SHA256 "
        var fields: [Substring: Substring] = [:]
        for field in authorization.dropFirst(prefix.count).split(separator: ",") {
            let pair = field.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { fields[pair[0]] = pair[1] }
        }
        guard authorization.hasPrefix(prefix), let credential = fields["Credential"],
            let signed = fields["SignedHeaders"], let signature = fields["Signature"],
            let timestamp = request.headers["x-amz-date"]
        else { throw Refusal(400, "AuthorizationHeaderMalformed", "the Authorization header is not one") }
        guard let payload = request.headers["x-amz-content-sha256"] else {
            throw Refusal(400, "InvalidRequest", "x-amz-content-sha256 is missing")
        }
        let names = signed.split(separator: ";").map(String.init)
        guard let moment = S3Digest.seconds(timestamp: timestamp), abs(moment - now) <= 900 else {
            throw Refusal(403, "RequestTimeTooSkewed", "the clocks differ too much")
        }
        let token = request.headers["x-amz-security-token"]
        let signer = try signer(String(credential), timestamp: timestamp, token: token)
        try checkNames(names, request)
        let canonical = try Self.canonical(
            request, query: query, names: names, payload: payload)
        guard signer.signature(canonical) == signature else {
            throw Refusal(403, "SignatureDoesNotMatch", "expected the signature of:\n\(canonical)")
        }
        if let body, payload != "UNSIGNED-PAYLOAD", S3Digest.hex(S3Digest.sha256(body)) != payload {
            throw Refusal(400, "XAmzContentSHA256Mismatch", "the body is not what was signed")
        }
    }

    private func verifyPresigned(_ request: RawRequest, _ query: [(name: String, value: String)]) throws {
        func value(_ name: String) throws -> String {
            guard let item = query.first(where: { $0.name == name }) else {
                throw Refusal(400, "AuthorizationQueryParametersError", "\(name) is missing")
            }
            return item.value
        }
        let timestamp = try value("X-Amz-Date")
        guard try value("X-Amz-Algorithm") == "AWS4-HMAC-SHA256", query.last?.name == "X-Amz-Signature",
            let moment = S3Digest.seconds(timestamp: timestamp), let life = Double(try value("X-Amz-Expires")),
            (1...604_800).contains(life)
        else { throw Refusal(400, "AuthorizationQueryParametersError", "the query is not a signed one") }
        guard moment - 900 <= now, now < moment + life else {
            throw Refusal(403, "AccessDenied", "Request has expired")
        }
        let token = query.first { $0.name == "X-Amz-Security-Token" }?.value
        let signer = try signer(try value("X-Amz-Credential"), timestamp: timestamp, token: token)
        let names = try value("X-Amz-SignedHeaders").split(separator: ";").map(String.init)
        try checkNames(names, request)
        let canonical = try Self.canonical(
            request, query: query.filter { $0.name != "X-Amz-Signature" }, names: names, payload: "UNSIGNED-PAYLOAD")
        guard try signer.signature(canonical) == value("X-Amz-Signature") else {
            throw Refusal(403, "SignatureDoesNotMatch", "expected the signature of:\n\(canonical)")
        }
    }

    private func checkNames(_ names: [String], _ request: RawRequest) throws {
        let needed = request.headers.fields.map { $0.name.lowercased() }
            .filter { $0 == "host" || $0.hasPrefix("x-amz-") }
        guard names == names.sorted(), Set(names).isSuperset(of: needed),
            Set(names).isDisjoint(with: ["authorization", "user-agent", "expect", "connection", "accept-encoding"])
        else { throw Refusal(403, "AccessDenied", "headers that must be signed are not, or ones that must not be are") }
    }

    // MARK: Signing

    struct Signer {
        var secret: String
        var timestamp: String
        var scope: String

        func signature(_ canonical: String) -> String {
            let hash = S3Digest.hex(S3Digest.sha256(Array(canonical.utf8)))
            let text = "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n\(hash)"
            let key = scope.split(separator: "/").reduce(Array("AWS4\(secret)".utf8)) { S3Digest.hmac($0, String($1)) }
            return S3Digest.hex(S3Digest.hmac(key, text))
        }
    }

    private func signer(_ credential: String, timestamp: String, token: String?) throws -> Signer {
        let parts = credential.split(separator: "/", maxSplits: 1)
        let scope = "\(timestamp.prefix(8))/\(region)/s3/aws4_request"
        guard parts.count == 2, parts[1] == scope else {
            throw Refusal(
                400, "AuthorizationHeaderMalformed", "the scope is wrong; expecting '\(region)'")
        }
        guard let key = credentials.first(where: { $0.accessKeyID == parts[0] }) else {
            throw Refusal(403, "InvalidAccessKeyId", "there is no such key")
        }
        guard key.sessionToken == token else { throw Refusal(403, "InvalidToken", "the token is not the key's") }
        if let expires = key.expires, expires <= now {
            throw Refusal(400, "ExpiredToken", "The provided token has expired.")
        }
        return Signer(secret: key.secretAccessKey, timestamp: timestamp, scope: scope)
    }

    // MARK: The canonical request

    private static func query(_ request: RawRequest) throws -> [(name: String, value: String)] {
        try (request.query ?? "").split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = S3Encoding.decoded(parts[0]),
                let value = S3Encoding.decoded(parts.dropFirst().first ?? "")
            else { throw Refusal(400, "InvalidURI", "the query has a broken escape") }
            return (name, value)
        }
    }

    static func canonical(
        _ request: RawRequest, query: [(name: String, value: String)], names: [String], payload: String
    ) throws -> String {
        guard let path = S3Encoding.decoded(request.path),
            S3Encoding.encoded(path, keepingSlashes: true) == request.path
        else { throw Refusal(400, "InvalidURI", "the path is not encoded as it is signed") }
        let items = query.map { (S3Encoding.encoded($0.name), S3Encoding.encoded($0.value)) }
            .sorted { Array($0.0.utf8).lexicographicallyPrecedes(Array($1.0.utf8)) || $0.0 == $1.0 && $0.1 < $1.1 }
        let headers = try names.map { name in
            let values = request.headers.values(name)
            guard !values.isEmpty else { throw Refusal(403, "AccessDenied", "\(name) is signed and was not sent") }
            let text = values.map { $0.split(separator: " ").joined(separator: " ") }.joined(separator: ",")
            return "\(name):\(text)\n"
        }
        return [
            request.method, request.path, items.map { "\($0.0)=\($0.1)" }.joined(separator: "&"), headers.joined(),
            names.joined(separator: ";"), payload,
        ].joined(separator: "\n")
    }
}
