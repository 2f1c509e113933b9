import FoundationEssentials
import Transfer

/// Sends JSON to a service and reads the JSON it answers; what goes wrong becomes a ``ProviderError``.
///
/// Short waits that a service asks for are waited here; longer ones are thrown with ``ProviderError/retryAfter``, for a
/// queue to come back later.
struct JSONCall: Sendable {
    /// Who it is in errors: "openai".
    var provider: String
    var client: HTTPClient
    /// Credentials among them.
    var headers: HTTPHeaders
    /// The header in which the service names a request.
    var requestIDHeader: String
    /// What to do about 401 and 403: "check OPENAI_API_KEY".
    var keyHint: String
    var retries: HTTPRetryPolicy
    var timeouts: HTTPTimeouts

    /// What is tried again.
    enum Repeats: Sendable {
        /// What changes nothing: after any failure that may pass.
        case reading
        /// What costs only where it is answered: also after an answer that it failed, not where it is unknown.
        case asking
        /// What is paid once it is taken: only where it surely was not.
        case ordering
    }

    /// The numbers of the services' own libraries: 2 more attempts after 0.5 s and more. Waits of more than 10 s are the
    /// queue's.
    static let usualRetries = HTTPRetryPolicy(
        maxAttempts: 3, base: .milliseconds(500), cap: .seconds(8), longestRetryAfter: .seconds(10))
    /// An answer comes when it is complete, so that there is silence until then.
    static let usualTimeouts = HTTPTimeouts(connect: .seconds(10), stall: .seconds(300), whole: .seconds(600))
    /// Bytes of an answer at most.
    static let answerLimit = 8 << 20

    /// - Throws: ``ProviderError``.
    func send(_ method: HTTPMethod, _ url: HTTPURL, _ body: JSONTree? = nil, repeats: Repeats) async throws
        -> HTTPReply
    {
        let text = body?.text
        return try await send(
            method, url, text.map { .text($0) } ?? .empty, contentType: text == nil ? nil : "application/json",
            saying: text, repeats: repeats)
    }

    /// Sends what is no JSON.
    ///
    /// - Parameters:
    ///   - saying: the words that are sent, which errors do not repeat.
    ///   - limit: bytes of an answer at most.
    /// - Throws: ``ProviderError``, whose cause is a `TransferError` where the service answered.
    func send(
        _ method: HTTPMethod, _ url: HTTPURL, _ body: HTTPBody, contentType: String?, saying: String?,
        repeats: Repeats, limit: Int = answerLimit
    ) async throws -> HTTPReply {
        var request = HTTPRequest(
            method, url, headers: headers, body: body, destination: .trusted, redirects: .none, timeouts: timeouts,
            retries: retries, isIdempotent: repeats == .reading)
        request.headers["Accept"] = "application/json"
        if let contentType { request.headers["Content-Type"] = contentType }
        request.classify = { Self.classify(&$0, repeats) }
        do {
            let reply = try await client.send(request, limit: limit)
            guard reply.status < 300 else {
                throw ProviderError(
                    .configuration, "the service answered \(reply.status), a redirect", provider: provider,
                    hint: "set its URL to where it leads", status: reply.status)
            }
            return reply
        } catch let error as TransferError {
            throw failure(error, sent: saying)
        }
    }

    /// Reads an answer.
    ///
    /// - Throws: ``ProviderError`` of code `badAnswer`, which may be tried again: JSON that ends early is a fault on the way.
    func read<Value: Decodable>(_ type: Value.Type, of reply: HTTPReply) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(reply.body))
        } catch {
            throw ProviderError(
                .badAnswer, "the answer is not what the protocol says", provider: provider, status: reply.status,
                requestID: requestID(reply.headers), isRetryable: true)
        }
    }

    func requestID(_ headers: HTTPHeaders) -> String? {
        guard let text = headers[requestIDHeader], text.utf8.count <= 128,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return text
    }

    // MARK: What an error means

    private static func classify(_ error: inout TransferError, _ repeats: Repeats) {
        guard let status = error.status else { return }
        let order = error.headers["x-should-retry"]
        if order == nil, status == 408 || status == 409 || status >= 500 { error.isRetryable = true }
        if ServiceComplaint(error.body).isQuota { error.isRetryable = false }
        // An answer that it failed is no answer that is paid for.
        if repeats == .asking { error.mayHaveTakenEffect = false }
    }

    private func failure(_ error: TransferError, sent: String?) -> ProviderError {
        guard let status = error.status else { return transportFailure(error) }
        let complaint = ServiceComplaint(error.body)
        let code: ProviderError.Code
        var hint: String?
        switch status {
        case _ where complaint.isQuota || status == 402:
            code = .quota
            hint = "add credit to the account, or raise its limit"
        case _ where complaint.isTooLong:
            code = .tooLarge
        case 401, 403:
            code = .configuration
            hint = keyHint
        case 404:
            code = .notFound
            hint = "check the model's name and the service's URL"
        case 413: code = .tooLarge
        case 429: code = .throttled
        case 408, 409, 500...: code = .unavailable
        default: code = .badRequest
        }
        var message = "the service answered \(status)"
        if status == 529 { message += " (overloaded)" }
        // What it says of a key may repeat a part of it.
        if status != 401, status != 403, let text = complaint.shown(besides: sent, keys: headers) {
            message += ": \(text)"
        } else if let kind = complaint.kind {
            message += " (\(kind))"
        }
        return ProviderError(
            code, message, provider: provider, hint: hint, status: status, requestID: requestID(error.headers),
            retryAfter: error.retryAfter,
            isRetryable: [.quota, .tooLarge].contains(code) ? false : error.isRetryable, cause: error)
    }

    private func transportFailure(_ error: TransferError) -> ProviderError {
        let code: ProviderError.Code
        switch error.code {
        case .cancelled: code = .cancelled
        case .badURL, .badRequest, .forbiddenAddress, .tls: code = .configuration
        case .tooLarge, .badResponse: code = .badAnswer
        case .cannotResolve, .cannotConnect, .timeout, .connectionLost: code = .unavailable
        default: code = .internal
        }
        return ProviderError(
            code, error.message, provider: provider, hint: error.hint, requestID: error.requestID,
            retryAfter: error.retryAfter, isRetryable: error.isRetryable, cause: error)
    }
}
