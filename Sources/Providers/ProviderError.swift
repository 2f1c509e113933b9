/// The one error type of Providers: what a service, or a recogniser in this process, could not do.
///
/// `description` is one or two sentences for a person, without keys, prompts or answers in it.
public struct ProviderError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. Open: match the ones you know and treat others as `internal`.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The code as programs see it, in snake case.
        public let rawValue: String
        /// Makes any code; those that are known have names.
        public init(rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        /// The request makes no sense: a value out of range, a model that cannot do what is asked.
        public static let badRequest = Code(rawValue: "bad_request")
        /// A key, library or model is not set up here, or is refused.
        public static let configuration = Code(rawValue: "configuration")
        /// The service or model is not there.
        public static let notFound = Code(rawValue: "not_found")
        /// The account has no money or quota left: no attempt mends that.
        public static let quota = Code(rawValue: "quota")
        /// The service asks for fewer requests.
        public static let throttled = Code(rawValue: "throttled")
        /// The service failed, or could not be reached.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The answer is not what the protocol says, or not what was asked for.
        public static let badAnswer = Code(rawValue: "bad_answer")
        /// The service will not do this: a refusal, a filter.
        public static let refused = Code(rawValue: "refused")
        /// The input is too large or too long for it.
        public static let tooLarge = Code(rawValue: "too_large")
        /// The task was cancelled.
        public static let cancelled = Code(rawValue: "cancelled")
        /// A fault of this library or the ones below it.
        public static let `internal` = Code(rawValue: "internal")
    }

    /// What kind of failure it is, for programs; `message` tells people.
    public var code: Code
    /// Who failed: "openai", "pocketsphinx".
    public var provider: String
    /// What failed.
    public var message: String
    /// What to do about it, where that is known.
    public var hint: String?
    /// The status of the answer, where there was one.
    public var status: Int?
    /// The service's own name for the request, to show to its operators.
    public var requestID: String?
    /// How long the service asks to wait before the next attempt.
    public var retryAfter: Duration?
    /// Whether the same call may succeed later.
    public var isRetryable: Bool
    /// The error behind this one.
    public var cause: (any Error)?

    /// - Parameter isRetryable: by default true for `throttled`, `unavailable` and `internal` alone.
    public init(
        _ code: Code, _ message: String, provider: String, hint: String? = nil, status: Int? = nil,
        requestID: String? = nil, retryAfter: Duration? = nil, isRetryable: Bool? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.provider = provider
        self.message = message
        self.hint = hint
        self.status = status
        self.requestID = requestID
        self.retryAfter = retryAfter
        self.isRetryable = isRetryable ?? [.throttled, .unavailable, .internal].contains(code)
        self.cause = cause
    }

    public var description: String {
        var text = "\(provider): \(message)"
        if let requestID { text += " (request \(requestID))" }
        if let hint { text += ". \(hint.prefix(1).uppercased())\(hint.dropFirst())" }
        return text
    }
}
