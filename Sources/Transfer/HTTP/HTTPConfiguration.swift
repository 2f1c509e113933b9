/// What all requests of a client have in common.
public struct HTTPConfiguration: Sendable {
    /// Where guarded requests may go. Default: public addresses only.
    public var addressGuard: AddressGuard
    /// Where a request says nothing of its own.
    public var timeouts: HTTPTimeouts
    /// Where a request says nothing of its own.
    public var retries: HTTPRetryPolicy
    /// How many retries each origin may cost, over all requests.
    public var retryBudget: RetryBudget
    /// How many requests may be under way to one scheme, host and port; further ones wait their turn, within their
    /// `whole` limit. Default 64.
    public var requestsPerHost: Int
    /// How many connections are kept open without a request on them. Default 32.
    public var idleConnections: Int
    /// A file of certificates in PEM that are trusted instead of the system's, for a private authority.
    public var certificateAuthorities: String?
    /// Whether HTTP/2 is used over TLS where the server has it. Default true.
    public var allowsHTTP2: Bool
    /// The `User-Agent` header of requests that have none. Default "kiln".
    public var userAgent: String

    /// - Parameters:
    ///   - requestsPerHost: 1 or more; less is taken as 1.
    ///   - idleConnections: 1 or more; less is taken as 1.
    public init(
        addressGuard: AddressGuard = AddressGuard(), timeouts: HTTPTimeouts = HTTPTimeouts(),
        retries: HTTPRetryPolicy = HTTPRetryPolicy(), retryBudget: RetryBudget = RetryBudget(),
        requestsPerHost: Int = 64, idleConnections: Int = 32, certificateAuthorities: String? = nil,
        allowsHTTP2: Bool = true, userAgent: String = "kiln"
    ) {
        self.addressGuard = addressGuard
        self.timeouts = timeouts
        self.retries = retries
        self.retryBudget = retryBudget
        self.requestsPerHost = max(1, requestsPerHost)
        self.idleConnections = max(1, idleConnections)
        self.certificateAuthorities = certificateAuthorities
        self.allowsHTTP2 = allowsHTTP2
        self.userAgent = userAgent
    }
}
