extension TransferError.ServiceCode {
    public static let accessDenied = Self(rawValue: "AccessDenied")
    public static let authorizationHeaderMalformed = Self(rawValue: "AuthorizationHeaderMalformed")
    public static let badDigest = Self(rawValue: "BadDigest")
    public static let conditionalRequestConflict = Self(rawValue: "ConditionalRequestConflict")
    public static let entityTooLarge = Self(rawValue: "EntityTooLarge")
    public static let entityTooSmall = Self(rawValue: "EntityTooSmall")
    public static let expiredToken = Self(rawValue: "ExpiredToken")
    public static let internalError = Self(rawValue: "InternalError")
    public static let invalidAccessKeyID = Self(rawValue: "InvalidAccessKeyId")
    public static let invalidArgument = Self(rawValue: "InvalidArgument")
    public static let invalidBucketName = Self(rawValue: "InvalidBucketName")
    public static let invalidDigest = Self(rawValue: "InvalidDigest")
    public static let invalidObjectState = Self(rawValue: "InvalidObjectState")
    public static let invalidPart = Self(rawValue: "InvalidPart")
    public static let invalidPartOrder = Self(rawValue: "InvalidPartOrder")
    public static let invalidRange = Self(rawValue: "InvalidRange")
    public static let invalidRequest = Self(rawValue: "InvalidRequest")
    public static let invalidToken = Self(rawValue: "InvalidToken")
    public static let keyTooLong = Self(rawValue: "KeyTooLongError")
    public static let malformedXML = Self(rawValue: "MalformedXML")
    public static let methodNotAllowed = Self(rawValue: "MethodNotAllowed")
    public static let noSuchBucket = Self(rawValue: "NoSuchBucket")
    public static let noSuchKey = Self(rawValue: "NoSuchKey")
    public static let noSuchUpload = Self(rawValue: "NoSuchUpload")
    public static let notImplemented = Self(rawValue: "NotImplemented")
    public static let operationAborted = Self(rawValue: "OperationAborted")
    public static let permanentRedirect = Self(rawValue: "PermanentRedirect")
    public static let preconditionFailed = Self(rawValue: "PreconditionFailed")
    public static let requestExpired = Self(rawValue: "RequestExpired")
    public static let requestTimeout = Self(rawValue: "RequestTimeout")
    public static let requestTimeTooSkewed = Self(rawValue: "RequestTimeTooSkewed")
    public static let serviceUnavailable = Self(rawValue: "ServiceUnavailable")
    public static let signatureDoesNotMatch = Self(rawValue: "SignatureDoesNotMatch")
    public static let slowDown = Self(rawValue: "SlowDown")
    public static let tokenRefreshRequired = Self(rawValue: "TokenRefreshRequired")
    public static let contentChecksumMismatch = Self(rawValue: "XAmzContentChecksumMismatch")
    public static let contentSHA256Mismatch = Self(rawValue: "XAmzContentSHA256Mismatch")
}

/// What the errors of S3 mean to a caller.
enum S3Errors {
    /// Adds what the error's document says: its code, the request's id, whether a retry is of use and what else is.
    /// The document's own words stay out: they may repeat keys and signatures.
    static func classify(_ error: inout TransferError, _ document: S3XML.ErrorDocument?) {
        if let id = document?.requestID, error.requestID == nil, isName(id) { error.requestID = id }
        guard let text = document?.code, isName(text) else {
            // HEAD, a proxy, or no S3 at all.
            if let meaning = byStatus[error.status ?? 0] { apply(meaning, to: &error) }
            return
        }
        let code = TransferError.ServiceCode(rawValue: text)
        error.serviceCode = code
        if let status = error.status { error.message = "the server answered \(status) (\(code))" }
        if let meaning = byCode[code] ?? byStatus[error.status ?? 0] { apply(meaning, to: &error) }
        if code == .authorizationHeaderMalformed || code == .permanentRedirect, let region = document?.region,
            S3Address.isRegion(region)
        {
            error.hint = "the bucket is in the region \(region): set that"
        }
    }

    /// The error that an answer of status 200 holds, of which S3 says to treat it as 500.
    static func embedded(_ document: S3XML.ErrorDocument, in reply: HTTPReply, _ line: TransferError.RequestLine)
        -> TransferError
    {
        var error = TransferError(
            .status, "the server answered 200 and then an error", request: line, status: reply.status,
            requestID: reply.headers["x-amz-request-id"].flatMap { isName($0) ? $0 : nil }, headers: reply.headers,
            isRetryable: true)
        classify(&error, document)
        return error
    }

    private struct Meaning {
        /// `nil`: as the status has it.
        var code: TransferError.Code?
        var isRetryable: Bool
        var hint: String?
        /// Refused before anything was done.
        var hadNoEffect: Bool

        init(
            _ code: TransferError.Code?, retry isRetryable: Bool = false, hadNoEffect: Bool = false,
            _ hint: String? = nil
        ) {
            self.code = code
            self.isRetryable = isRetryable
            self.hadNoEffect = hadNoEffect
            self.hint = hint
        }
    }

    private static func apply(_ meaning: Meaning, to error: inout TransferError) {
        error.code = meaning.code ?? error.code
        error.isRetryable = meaning.isRetryable
        error.hint = meaning.hint
        if meaning.hadNoEffect { error.mayHaveTakenEffect = false }
    }

    private static let throttled = Meaning(.throttled, retry: true, hadNoEffect: true)
    private static let damaged = Meaning(.checksum, retry: true, hadNoEffect: true)

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    private static let byCode: [TransferError.ServiceCode: Meaning] = [
        .accessDenied: Meaning(.accessDenied, "check what the credentials allow, and the bucket's name"),
        .invalidAccessKeyID: Meaning(.accessDenied, "the server does not know this access key"),
        .invalidToken: Meaning(.accessDenied, "the session token does not belong to the access key"),
        .expiredToken: Meaning(.accessDenied, "the credentials have expired"),
        .tokenRefreshRequired: Meaning(.accessDenied, "the credentials have expired"),
        .signatureDoesNotMatch: Meaning(.accessDenied, "check the secret access key and the region"),
        .requestTimeTooSkewed: Meaning(.accessDenied, "set this machine's clock"),
        .requestExpired: Meaning(.accessDenied, "set this machine's clock"),
        .invalidObjectState: Meaning(.accessDenied, "the object is archived and must be restored first"),
        .authorizationHeaderMalformed: Meaning(.accessDenied, "check the region"),
        .permanentRedirect: Meaning(.badRedirect, "check the endpoint and the region"),
        .noSuchBucket: Meaning(.notFound, "there is no such bucket: check its name and the endpoint"),
        .noSuchKey: Meaning(.notFound),
        .noSuchUpload: Meaning(.notFound, "the upload was completed or aborted before"),
        // `changed` or `exists`, by what was asked for.
        .preconditionFailed: Meaning(nil),
        .slowDown: throttled,
        TransferError.ServiceCode(rawValue: "SlowDownRead"): throttled,
        TransferError.ServiceCode(rawValue: "SlowDownWrite"): throttled,
        TransferError.ServiceCode(rawValue: "Throttling"): throttled,
        TransferError.ServiceCode(rawValue: "ThrottlingException"): throttled,
        TransferError.ServiceCode(rawValue: "ThrottledException"): throttled,
        TransferError.ServiceCode(rawValue: "RequestThrottled"): throttled,
        TransferError.ServiceCode(rawValue: "RequestThrottledException"): throttled,
        TransferError.ServiceCode(rawValue: "RequestLimitExceeded"): throttled,
        TransferError.ServiceCode(rawValue: "BandwidthLimitExceeded"): throttled,
        TransferError.ServiceCode(rawValue: "TooManyRequests"): throttled,
        .serviceUnavailable: Meaning(.status, retry: true, hadNoEffect: true),
        .internalError: Meaning(.status, retry: true),
        .operationAborted: Meaning(.status, retry: true),
        .conditionalRequestConflict: Meaning(.status, retry: true),
        .requestTimeout: Meaning(.timeout, retry: true, hadNoEffect: true),
        .badDigest: damaged,
        .contentChecksumMismatch: damaged,
        .contentSHA256Mismatch: damaged,
        .entityTooLarge: Meaning(.tooLarge),
        .entityTooSmall: Meaning(.badRequest, "all parts but the last must be 5 MiB or larger"),
        .invalidPart: Meaning(.badRequest, "a part is not there, has another ETag, or is not as large as the others"),
        .invalidPartOrder: Meaning(.badRequest),
        .invalidRange: Meaning(.badRequest, "the range begins at the object's end or behind it"),
        .invalidRequest: Meaning(.badRequest),
        .invalidArgument: Meaning(.badRequest),
        .invalidBucketName: Meaning(.badRequest),
        .invalidDigest: Meaning(.badRequest),
        .keyTooLong: Meaning(.badRequest),
        .malformedXML: Meaning(.badRequest),
        .methodNotAllowed: Meaning(.unsupported),
        .notImplemented: Meaning(.unsupported, "the server does not have this part of S3"),
    ]

    /// For answers without a code that is known.
    private static let byStatus: [Int: Meaning] = [
        405: Meaning(.unsupported),
        413: Meaning(.tooLarge),
        416: Meaning(.badRequest, "the range begins at the object's end or behind it"),
        501: Meaning(.unsupported, "the server does not have this part of S3"),
    ]

    /// Fit to be shown: a word of letters, digits and a little more.
    private static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "<") }
    }
}
