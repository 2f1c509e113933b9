import Crypto

/// AWS's Signature Version 4, as S3 wants it: the path is encoded once and nothing in it is normalised.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
///
/// A pure value: what it makes follows from what it is given.
package struct SigV4: Sendable {
    /// Whose secret key signs, and whose token, if there is one, is signed along.
    package var credentials: Credentials
    /// The bucket's, "us-east-1".
    package var region: String
    /// "s3", a part of `scope`.
    package var service: String
    /// When it is signed, by the server's clock.
    package var date: AmazonDate

    /// - Parameter time: seconds since 1970, by the server's clock: it takes a quarter of an hour of difference.
    package init(_ credentials: Credentials, region: String, service: String = "s3", time: Double) {
        self.credentials = credentials
        self.region = region
        self.service = service
        date = AmazonDate(time)
    }

    /// What a signature says about the body.
    package enum Payload: Sendable, Hashable {
        /// Its SHA-256, in small hexadecimal letters.
        case sha256(String)
        /// Nothing: TLS protects it.
        case unsigned

        /// The hash of no bytes.
        package static let empty = Payload.sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

        /// The SHA-256 of a body.
        package static func hash(of bytes: [UInt8]) -> Payload {
            bytes.isEmpty ? .empty : .sha256(Hex.encoded(SHA256.hash(data: bytes)))
        }

        /// As it is signed and sent in `x-amz-content-sha256`.
        package var text: String {
            switch self {
            case .sha256(let hash): hash
            case .unsigned: "UNSIGNED-PAYLOAD"
            }
        }
    }

    // MARK: Requests

    /// Signs a request by its `Authorization` header, over all the headers that it has and the client does not change.
    package func sign(_ request: inout HTTPRequest, payload: Payload) {
        request.headers["x-amz-date"] = date.moment
        request.headers["x-amz-content-sha256"] = payload.text
        request.headers["x-amz-security-token"] = credentials.sessionToken
        let canonical = CanonicalRequest(
            request.method, request.url, headers: Self.signable(request.headers, of: request.url), payload: payload)
        request.headers["Authorization"] =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), "
            + "SignedHeaders=\(canonical.signedHeaders), Signature=\(signature(of: canonical))"
    }

    /// The URL with a signature in its query, by which anyone can send this request until it expires.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    ///
    /// - Parameters:
    ///   - headers: which must then be sent exactly like this.
    ///   - seconds: 1...604,800.
    package func presigned(
        _ method: HTTPMethod, _ url: HTTPURL, headers: HTTPHeaders = [:], expiresIn seconds: Int
    ) -> HTTPURL {
        let signable = Self.signable(headers, of: url)
        var query = CanonicalRequest.items(of: url.query)
        query += [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope)"),
            ("X-Amz-Date", date.moment), ("X-Amz-Expires", "\(seconds)"),
            ("X-Amz-SignedHeaders", CanonicalRequest.names(signable)),
        ]
        if let token = credentials.sessionToken { query.append(("X-Amz-Security-Token", token)) }
        var url = url
        url.query = CanonicalRequest.query(query)
        let canonical = CanonicalRequest(method, url, headers: signable, payload: .unsigned)
        url.query = "\(canonical.query)&X-Amz-Signature=\(signature(of: canonical))"
        return url
    }

    /// Those that proxies and clients change or add by themselves.
    private static let unsigned: Set<String> = [
        "authorization", "user-agent", "expect", "connection", "accept-encoding", "transfer-encoding",
        "x-amzn-trace-id",
    ]

    private static func signable(_ headers: HTTPHeaders, of url: HTTPURL) -> HTTPHeaders {
        var signable = HTTPHeaders(headers.fields.filter { !unsigned.contains($0.name.lowercased()) })
        signable["host"] = url.authority
        return signable
    }

    // MARK: The steps

    /// "20130524/us-east-1/s3/aws4_request"
    package var scope: String { "\(date.day)/\(region)/\(service)/aws4_request" }

    /// What the signature is made over: the algorithm, date, scope and the request's hash, a line each.
    package func stringToSign(_ request: CanonicalRequest) -> String {
        "AWS4-HMAC-SHA256\n\(date.moment)\n\(scope)\n" + Hex.encoded(SHA256.hash(data: Array(request.text.utf8)))
    }

    /// In small hexadecimal letters.
    package func signature(of request: CanonicalRequest) -> String {
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
        for text in [date.day, region, service, "aws4_request"] {
            key = SymmetricKey(data: Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)))
        }
        return Hex.encoded(HMAC<SHA256>.authenticationCode(for: Array(stringToSign(request).utf8), using: key))
    }
}

/// Bytes as two digits each, in small letters.
package enum Hex {
    /// Twice as many digits as bytes.
    package static func encoded(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// `nil` for what is no such text.
    package static func decoded(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2), digits.allSatisfy(\.isASCIIHexDigit) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }
}
