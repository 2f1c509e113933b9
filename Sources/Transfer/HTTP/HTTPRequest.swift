/// A request, as a value. It is sent by ``HTTPClient``.
///
/// ```swift
/// var request = HTTPRequest(.get, try HTTPURL("https://example.com/a.srt"))
/// request.headers["Authorization"] = "Bearer \(token)"
/// ```
public struct HTTPRequest: Sendable {
    /// Who chose the URL, and so where it may lead.
    public enum Destination: Sendable, Hashable {
        /// Somebody who is not to be trusted with our network: a job's payload, a webhook. The guard looks at every
        /// address that is connected to.
        case guarded
        /// The operator, by configuration: an S3 endpoint, a metadata service. Any address will do; not so where that
        /// server redirects to another, which the guard looks at.
        case trusted
    }

    /// What to do about an answer that says to look elsewhere (301, 302, 303, 307, 308).
    public enum Redirects: Sendable, Hashable {
        /// The redirect is the answer. For signed requests, which are good for one host only.
        case none
        /// Goes there, up to that many times. Credentials stay behind where scheme, host or port differ.
        case follow(limit: Int)
    }

    /// Changing it later leaves `isIdempotent` as it is.
    public var method: HTTPMethod
    /// Where it goes first; redirects may lead on.
    public var url: HTTPURL
    /// The request's own fields; those for length, transfer and host are made by the client.
    public var headers: HTTPHeaders
    /// Default ``HTTPBody/empty``.
    public var body: HTTPBody
    /// Default ``Destination/guarded``.
    public var destination: Destination
    /// Default up to 5.
    public var redirects: Redirects
    /// `nil` (default): as the client's configuration says.
    public var timeouts: HTTPTimeouts?
    /// `nil` (default): as the client's configuration says.
    public var retries: HTTPRetryPolicy?
    /// Whether sending it twice does no harm. Default: what its method says.
    public var isIdempotent: Bool
    /// Whether the server may send the body compressed (gzip), which is then decoded here. Lengths and ranges are
    /// those of what is sent; so not for ranges. Default false.
    public var acceptsCompression: Bool
    /// How many bytes of an answer of 400 or more are kept in the error. Default 16 KiB.
    public var errorBodyLimit: Int
    /// Called before each attempt with a copy of the request, to complete it: a signature is good for minutes only.
    /// What it throws ends the request. Not called for what a redirect leads to.
    public var prepare: (@Sendable (inout HTTPRequest) async throws -> Void)?
    /// Called with each error of a status of 400 or more before it is decided on a retry, to add what the service
    /// means by it.
    public var classify: (@Sendable (inout TransferError) -> Void)?

    /// Called when an attempt was sent and is sent again on another connection, as the one that was open already has died
    /// before an answer: what came before may have taken effect. Only where `isIdempotent`.
    package var onRepeat: (@Sendable () -> Void)?

    /// Nothing is checked before it is sent. `prepare`, `classify` and `onRepeat` are set afterwards.
    public init(
        _ method: HTTPMethod, _ url: HTTPURL, headers: HTTPHeaders = [:], body: HTTPBody = .empty,
        destination: Destination = .guarded, redirects: Redirects = .follow(limit: 5), timeouts: HTTPTimeouts? = nil,
        retries: HTTPRetryPolicy? = nil, isIdempotent: Bool? = nil, acceptsCompression: Bool = false,
        errorBodyLimit: Int = 16 << 10
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.destination = destination
        self.redirects = redirects
        self.timeouts = timeouts
        self.retries = retries
        self.isIdempotent = isIdempotent ?? method.isIdempotent
        self.acceptsCompression = acceptsCompression
        self.errorBodyLimit = errorBodyLimit
    }

    /// What of it may be shown in messages.
    public var line: TransferError.RequestLine { TransferError.RequestLine(method, url) }
}
