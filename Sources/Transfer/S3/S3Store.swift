/// A bucket of S3, R2, MinIO, Supabase Storage, or whatever else speaks S3.
///
/// ```swift
/// let store = S3Store(
///     bucket: "media", settings: S3Settings(region: "eu-central-1"), credentials: EnvironmentCredentials(), client: client)
/// let info = try await store.head("in/a.mp4")
/// ```
/// Requests are signed here, with Signature Version 4, anew for each attempt: with credentials that are good, by the
/// server's clock where ours is wrong, and in the region that AWS names where the settings have another.
///
/// Thread-safe.
public struct S3Store: MultipartStore {
    /// The bucket's name.
    public let bucket: String
    /// As it was made with. Where AWS names another region, that one is used.
    public let settings: S3Settings
    let client: HTTPClient
    let session: S3Session

    /// - Parameters:
    ///   - credentials: asked for each request, but for temporary ones, which are kept until shortly before they end.
    ///   - client: of whose configuration time limits and retries are taken. Its guard is not asked: who configures a
    ///     bucket is trusted.
    public init(bucket: String, settings: S3Settings, credentials: any CredentialsProvider, client: HTTPClient) {
        self.init(bucket: bucket, settings: settings, credentials: credentials, client: client) { WallClock.now }
    }

    /// - Parameter clock: seconds since 1970.
    package init(
        bucket: String, settings: S3Settings, credentials: any CredentialsProvider, client: HTTPClient,
        clock: @escaping @Sendable () -> Double
    ) {
        self.bucket = bucket
        self.settings = settings
        self.client = client
        session = S3Session(S3Address(bucket: bucket, settings: settings), credentials: credentials, clock: clock)
    }

    public var name: String { "s3://\(bucket)" }
    public var multipartLimits: MultipartLimits { settings.multipartLimits }

    // MARK: Requests

    /// A request that signs itself, and what is known of its attempts.
    struct SignedRequest: Sendable {
        var request: HTTPRequest
        let attempts: S3Attempts
        var line: TransferError.RequestLine { request.line }
    }

    /// - Parameters:
    ///   - key: `nil` for the bucket itself.
    ///   - query: names and values, not encoded.
    ///   - body: sent as it is, and signed unless TLS protects it.
    func request(
        _ method: HTTPMethod, _ key: String?, query: [(name: String, value: String)] = [], headers: HTTPHeaders = [:],
        body: [UInt8]? = nil
    ) throws(TransferError) -> SignedRequest {
        let url = try session.address.url(region: session.region, key: key, query: query)
        for field in headers.fields where !field.value.utf8.allSatisfy({ $0 < 0x80 }) {
            // Servers differ in what they make of others, and so the signature would not match.
            throw TransferError(
                .badRequest, "the value of the header \(field.name) has letters beyond ASCII",
                hint: "percent-encode it", mayHaveTakenEffect: false)
        }
        let payload: SigV4.Payload =
            switch body {
            case nil: .empty
            case let body? where url.scheme == .http: .hash(of: body)
            case _?: .unsigned
            }
        var request = HTTPRequest(
            method, url, headers: headers, body: body.map { .bytes($0) } ?? .empty, destination: .trusted,
            redirects: .none)
        let attempts = S3Attempts(session, key: key, query: query, payload: payload)
        request.prepare = { try await attempts.sign(&$0) }
        request.onRepeat = { attempts.noteRepeat() }
        request.classify = { attempts.classify(&$0) }
        return SignedRequest(request: request, attempts: attempts)
    }

    /// Sends a request and returns the whole answer, of a status of 200...299.
    ///
    /// - Parameter limit: bytes of its body.
    func send(_ signed: SignedRequest, limit: Int = 1 << 20) async throws -> HTTPReply {
        while true {
            let reply = try await client.send(signed.request, limit: limit)
            guard reply.status >= 300 else { return reply }
            guard signed.attempts.moves(to: reply.headers["x-amz-bucket-region"]) else {
                throw redirected(reply.status, reply.headers, signed)
            }
        }
    }

    /// Sends a request and calls `body` with the answer once its head is there, of a status of 200...299.
    func withResponse<R: Sendable>(
        _ signed: SignedRequest, _ body: @Sendable (HTTPResponse) async throws -> R
    ) async throws -> R {
        while true {
            let result: R? = try await client.withResponse(signed.request) { response in
                if response.status < 300 { return try await body(response) }
                guard signed.attempts.moves(to: response.headers["x-amz-bucket-region"]) else {
                    throw redirected(response.status, response.headers, signed)
                }
                return nil
            }
            if let result { return result }
        }
    }

    /// Where to is not for us to follow: a signature is good for one host.
    private func redirected(_ status: Int, _ headers: HTTPHeaders, _ signed: SignedRequest) -> TransferError {
        let region = headers["x-amz-bucket-region"].flatMap { S3Address.isRegion($0) ? $0 : nil }
        return TransferError(
            .badRedirect, "the server answered \(status): the bucket is elsewhere",
            hint: region.map { "the bucket is in the region \($0): set that" } ?? "check the endpoint and the region",
            request: signed.line, status: status, headers: headers, isRetryable: false)
    }
}
