extension TransferError {
    /// The error of an answer with a status of 400 or more.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    static func status(
        _ status: Int, headers: HTTPHeaders, body: [UInt8], hop: Hop, now: Double
    ) -> TransferError {
        let advice = RetryAdvice(headers, now: now)
        let code: Code
        var hint: String?
        var isRetryable = false
        switch status {
        case 401, 403:
            code = .accessDenied
            hint = "check the credentials and what they allow"
        case 404, 410: code = .notFound
        case 412: code = hop.headers["If-None-Match"] == nil ? .changed : .exists
        case 429:
            code = .throttled
            isRetryable = true
        case 408, 500, 502, 503, 504:
            code = .status
            isRetryable = true
        default: code = .status
        }
        return TransferError(
            code, "the server answered \(status)\(reasons[status].map { " (\($0))" } ?? "")", hint: hint,
            request: RequestLine(hop.method, hop.url), status: status,
            requestID: (headers["x-amz-request-id"] ?? headers["x-request-id"]).flatMap(shown), headers: headers,
            body: body,
            retryAfter: advice.wait, isRetryable: advice.shouldRetry ?? isRetryable)
    }

    /// A name that a server gave, if it is fit to be shown.
    private static func shown(_ text: String) -> String? {
        text.utf8.count <= 128 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? text : nil
    }

    /// The words of RFC 9110, §15.5 and §15.6; a server's own may be anything.
    private static let reasons: [Int: String] = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
        413: "Content Too Large", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
        422: "Unprocessable Content",
        429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout",
    ]
}
