import Crypto

/// Makes URLs by which whoever has them can read or write a file of a ``LocalStore``, and checks them.
///
/// The query says what is allowed and until when, and bears an HMAC-SHA256 over that, the method and the key. It is in
/// the manner of S3's presigned URLs, but not they: whoever serves the folder calls ``LocalStore/verify(_:_:headers:now:)``.
public struct LocalSigner: Sendable {
    private let secret: SymmetricKey
    private let base: HTTPURL

    /// - Parameters:
    ///   - secret: 16 random bytes or more. All that make and check URLs of a folder have the same.
    ///   - base: under which the folder is served: "https://kiln.example/files".
    /// - Throws: ``TransferError`` with code `credentials` for a secret that is too short.
    public init(secret: [UInt8], base: HTTPURL) throws(TransferError) {
        guard secret.count >= 16 else {
            throw TransferError(
                .credentials, "the secret for signed URLs has \(secret.count) bytes",
                hint: "take 16 random bytes or more",
                mayHaveTakenEffect: false)
        }
        self.secret = SymmetricKey(data: secret)
        self.base = base
    }

    /// What a request may do.
    public struct Permit: Sendable, Hashable {
        /// With percent-encoding resolved.
        public var key: String
        /// With the file name, type or length that were signed.
        public var access: PresignedAccess
        /// Seconds since 1970.
        public var expires: Double
    }

    func presign(
        _ access: PresignedAccess, _ key: String, expiresIn duration: Duration, now: Double
    ) throws(TransferError) -> PresignedURL {
        let seconds = duration.components.seconds
        guard (1...604_800).contains(seconds) else {
            throw TransferError(
                .badRequest, "a presigned URL is good for 1 s to 7 days, not for \(duration)",
                mayHaveTakenEffect: false)
        }
        let expires = Int64(now.rounded(.down)) + seconds
        var items: [(name: String, value: String)] = [(Name.expires, "\(expires)")]
        var headers: HTTPHeaders = [:]
        switch access {
        case .get(let fileName):
            if let fileName { items.append((Name.fileName, fileName)) }
        case .put(let contentType, let contentLength):
            if let contentType {
                items.append((Name.contentType, contentType))
                headers["Content-Type"] = contentType
            }
            if let contentLength {
                items.append((Name.contentLength, "\(contentLength)"))
                headers["Content-Length"] = "\(contentLength)"
            }
        }
        try headers.validate()
        items.append((Name.signature, Hex.encoded(code(Self.method(of: access), key, items))))
        let url = try HTTPURL(
            scheme: base.scheme, host: base.host, port: base.port,
            path: folder + PercentEncoding.encoded(key) { PercentEncoding.isUnreserved($0) || $0 == UInt8(ascii: "/") },
            query: CanonicalRequest.query(items))
        return PresignedURL(url: url.text, headers: headers, expires: Double(expires))
    }

    func verify(
        _ method: HTTPMethod, _ url: HTTPURL, headers: HTTPHeaders, now: Double
    ) throws(TransferError) -> Permit {
        guard url.path.hasPrefix(folder) else { throw Self.denied("the URL is not one of this folder's") }
        let key = PercentEncoding.decoded(url.path.dropFirst(folder.count))
        let items = CanonicalRequest.items(of: url.query)
        var values: [String: String] = [:]
        for item in items {
            guard values.updateValue(item.value, forKey: item.name) == nil else {
                throw Self.denied("the URL says something twice")
            }
        }
        guard Set(values.keys).isSubset(of: Name.all),
            let signature = values[Name.signature].flatMap({ Hex.decoded($0) })
        else { throw Self.denied("the URL is not signed") }
        // HEAD asks for less than GET.
        let signed = method == .head ? .get : method
        let message = Self.message(signed, key, items.filter { $0.name != Name.signature })
        guard HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: message, using: secret) else {
            throw Self.denied("the URL's signature does not match")
        }
        guard let expires = values[Name.expires].flatMap({ Double($0) }), expires.isFinite, now < expires else {
            throw Self.denied("the URL has expired")
        }
        switch signed {
        case .get: return Permit(key: key, access: .get(fileName: values[Name.fileName]), expires: expires)
        case .put:
            let length = values[Name.contentLength]
            guard values[Name.contentType] == nil || values[Name.contentType] == headers["Content-Type"],
                length == nil || length == headers["Content-Length"]
            else { throw Self.denied("the request has another type or length than was signed") }
            let access = PresignedAccess.put(
                contentType: values[Name.contentType], contentLength: length.flatMap { Int64($0) })
            return Permit(key: key, access: access, expires: expires)
        default: throw Self.denied("the URL is good for GET or PUT only")
        }
    }

    /// The path that keys come behind.
    private var folder: String { base.path.hasSuffix("/") ? base.path : base.path + "/" }

    private static func method(of access: PresignedAccess) -> HTTPMethod {
        switch access {
        case .get: .get
        case .put: .put
        }
    }

    private func code(_ method: HTTPMethod, _ key: String, _ items: [(name: String, value: String)]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Self.message(method, key, items), using: secret))
    }

    /// What is signed. All but the first two lines are percent-encoded, and so hold no line break.
    private static func message(
        _ method: HTTPMethod, _ key: String, _ items: [(name: String, value: String)]
    ) -> [UInt8] {
        Array("kiln-local-1\n\(method)\n\(PercentEncoding.encoded(key))\n\(CanonicalRequest.query(items))".utf8)
    }

    static func denied(_ message: String) -> TransferError {
        TransferError(.accessDenied, message, hint: "ask for a new one", isRetryable: false, mayHaveTakenEffect: false)
    }

    private enum Name {
        static let expires = "expires"
        static let fileName = "filename"
        static let contentType = "type"
        static let contentLength = "length"
        static let signature = "signature"
        static let all: Set<String> = [expires, fileName, contentType, contentLength, signature]
    }
}
