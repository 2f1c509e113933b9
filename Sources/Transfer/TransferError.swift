/// The one error type of Transfer.
///
/// `description` is one or two sentences for a person: what failed, on which host and path, and what to do. It never
/// holds a query string, user info, a header or a body, and so neither a signature nor a token.
public struct TransferError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. Open: match the ones you know and treat others as `internal`.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The code as programs see it, in snake case.
        public let rawValue: String
        /// Makes any code; those that are known have names.
        public init(rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        /// A URL or location that cannot be read, or names a scheme, bucket or folder that is not to be had.
        public static let badURL = Code(rawValue: "bad_url")
        /// The request makes no sense: a header with a line break, a body that is not as long as it says.
        public static let badRequest = Code(rawValue: "bad_request")
        /// The URL leads to an address that the guard does not allow.
        public static let forbiddenAddress = Code(rawValue: "forbidden_address")
        /// The host's name has no address, or nobody answered who knows it.
        public static let cannotResolve = Code(rawValue: "cannot_resolve")
        /// No connection could be made. The request was not sent.
        public static let cannotConnect = Code(rawValue: "cannot_connect")
        /// The certificate is not trusted, or no common version of TLS was found. The request was not sent.
        public static let tls = Code(rawValue: "tls")
        /// A time limit passed: for connecting, for a stall, or for the whole.
        public static let timeout = Code(rawValue: "timeout")
        /// The connection ended early: in the request, before the answer, or amid its body.
        public static let connectionLost = Code(rawValue: "connection_lost")
        /// More redirects than allowed, or one that leads nowhere.
        public static let badRedirect = Code(rawValue: "bad_redirect")
        /// The answer breaks the protocol: not HTTP, a wrong length or range, XML that cannot be read.
        public static let badResponse = Code(rawValue: "bad_response")
        /// The answer is longer than the caller allows.
        public static let tooLarge = Code(rawValue: "too_large")
        /// There is no such object, bucket or page: 404, 410.
        public static let notFound = Code(rawValue: "not_found")
        /// Credentials are missing, wrong, expired, or not allowed to do this: 401, 403.
        public static let accessDenied = Code(rawValue: "access_denied")
        /// No credentials could be had from their provider.
        public static let credentials = Code(rawValue: "credentials")
        /// Something is there already, and replacing it was not asked for.
        public static let exists = Code(rawValue: "exists")
        /// The object is not the one that was opened: its ETag changed while it was read.
        public static let changed = Code(rawValue: "changed")
        /// What arrived is not what was sent, by its checksum.
        public static let checksum = Code(rawValue: "checksum")
        /// The server asks for fewer requests: 429, SlowDown.
        public static let throttled = Code(rawValue: "throttled")
        /// Any other status of 400 or more.
        public static let status = Code(rawValue: "status")
        /// The upload may not be completed: another attempt of the job has taken over.
        public static let superseded = Code(rawValue: "superseded")
        /// This server or store cannot do it.
        public static let unsupported = Code(rawValue: "unsupported")
        /// A read out of order from a server that has no ranges.
        public static let notSeekable = Code(rawValue: "not_seekable")
        /// A local file or folder cannot be read or written.
        public static let io = Code(rawValue: "io")
        /// The task was cancelled, or `cancel()` was called.
        public static let cancelled = Code(rawValue: "cancelled")
        /// The client was shut down before.
        public static let closed = Code(rawValue: "closed")
        /// A fault of this library.
        public static let `internal` = Code(rawValue: "internal")
    }

    /// What kind of failure it is, for programs; `message` tells people.
    public var code: Code
    /// What failed, without the request it failed on: "no answer within 30 s".
    public var message: String
    /// What to do about it, where that is known.
    public var hint: String?
    /// The request that failed, where there was one.
    public var request: RequestLine?
    /// The status of the answer, where there was one.
    public var status: Int?
    /// The error code in the answer's body, of services that speak S3.
    public var serviceCode: ServiceCode?
    /// The service's own name for the request (`x-amz-request-id`, `x-request-id`), to show to its operators.
    public var requestID: String?
    /// The answer's header fields. Not for logs.
    public var headers: HTTPHeaders
    /// The first bytes of the answer's body, at most as many as the request's `errorBodyLimit`. It may hold anything:
    /// not for logs.
    public var body: [UInt8]
    /// How long the server asks to wait before the next attempt.
    public var retryAfter: Duration?
    /// Whether the same call may succeed later. False for what a retry cannot mend: a bad URL, 403, 404.
    public var isRetryable: Bool
    /// Whether the server may have acted on the request: false where it surely was not sent.
    public var mayHaveTakenEffect: Bool
    /// The error behind this one.
    public var cause: (any Error)?

    /// - Parameter isRetryable: by default what ``Code/isRetryable`` says.
    public init(
        _ code: Code, _ message: String, hint: String? = nil, request: RequestLine? = nil, status: Int? = nil,
        serviceCode: ServiceCode? = nil, requestID: String? = nil, headers: HTTPHeaders = [:],
        body: [UInt8] = [], retryAfter: Duration? = nil, isRetryable: Bool? = nil, mayHaveTakenEffect: Bool = true,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.request = request
        self.status = status
        self.serviceCode = serviceCode
        self.requestID = requestID
        self.headers = headers
        self.body = body
        self.retryAfter = retryAfter
        self.isRetryable = isRetryable ?? code.isRetryable
        self.mayHaveTakenEffect = mayHaveTakenEffect
        self.cause = cause
    }

    /// `GET https://example.com/a.mp4: no answer within 30 s. Try again later`
    public var description: String {
        var text = message
        if let request { text = "\(request): \(text)" }
        if let requestID { text += " (request \(requestID))" }
        if let hint { text += ". \(hint.prefix(1).uppercased())\(hint.dropFirst())" }
        return text
    }

    /// Lets a `switch` or `catch` over a TransferError match its code.
    public static func ~= (code: Code, error: TransferError) -> Bool { error.code == code }
}

extension TransferError.Code {
    /// Whether an error of this code may go away by itself, where no status says more.
    public var isRetryable: Bool {
        switch self {
        case .cannotResolve, .cannotConnect, .timeout, .connectionLost, .badResponse, .checksum, .throttled: true
        default: false
        }
    }
}

extension TransferError {
    /// What a request was, as far as it may be shown: without query, fragment, user info, headers and body.
    public struct RequestLine: Hashable, Sendable, CustomStringConvertible {
        public var method: HTTPMethod
        /// "http" or "https".
        public var scheme: String
        /// With the port where it is not the scheme's own.
        public var host: String
        /// Percent-encoded, without the query.
        public var path: String

        /// Takes of the URL what may be shown.
        public init(_ method: HTTPMethod, _ url: HTTPURL) {
            self.method = method
            scheme = url.scheme.rawValue
            host = url.authority
            path = url.path
        }

        public var description: String { "\(method) \(scheme)://\(host)\(path)" }
    }

    /// The `Code` of an S3 error document, with the names that S3 gives them.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    public struct ServiceCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// As S3 spells it: "NoSuchKey".
        public let rawValue: String
        /// Makes any code; those that matter here have names.
        public init(rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }
    }
}
