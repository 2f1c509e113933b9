public import Transfer

/// The queue of fal.ai: an order is taken at once, made some time later, and kept for some time then.
///
/// The key is sent to the queue that is set and to hosts of the same service, wherever an answer or a stored ticket
/// points.
///
/// Wire protocol: https://fal.ai/docs/model-apis/model-endpoints/queue
public struct FalQueue: Sendable {
    /// When to ask for the state of an order.
    public struct Polling: Sendable, Hashable {
        /// Before asking first. It grows by half each time.
        public var first: Duration
        /// The longest wait between two.
        public var longest: Duration
        /// For an order to be made, from the call that waits.
        public var total: Duration

        public init(
            first: Duration = .seconds(2), longest: Duration = .seconds(15), total: Duration = .seconds(1800)
        ) {
            self.first = first
            self.longest = longest
            self.total = total
        }
    }

    /// How far an order is.
    enum State: Sendable, Equatable {
        case waiting
        /// With what the service says went wrong; `nil` if nothing did.
        case completed(error: String?, kind: String?)
    }

    private let url: HTTPURL
    private let hosts: [String]
    private let polling: Polling
    private let call: JSONCall

    /// - Parameters:
    ///   - url: "https://queue.fal.run".
    ///   - key: "id:secret".
    ///   - hosts: hosts that the key goes to besides the queue's own, over https only; "*.fal.run" is all below. `nil`
    ///     for fal.run's own if the queue is one of them, else none.
    ///   - retries: `nil` for two more attempts.
    public init(
        url: HTTPURL, key: String, client: HTTPClient, polling: Polling = Polling(), hosts: [String]? = nil,
        retries: HTTPRetryPolicy? = nil, timeouts: HTTPTimeouts? = nil
    ) {
        self.url = url
        self.hosts = hosts ?? (Self.matches(url.host, "*.fal.run") ? ["fal.run", "*.fal.run"] : [])
        self.polling = polling
        call = JSONCall(
            provider: "fal", client: client, headers: ["Authorization": "Key \(key)"],
            requestIDHeader: "x-fal-request-id", keyHint: "check FAL_KEY, and that its account is not locked",
            retries: retries ?? JSONCall.usualRetries,
            timeouts: timeouts ?? HTTPTimeouts(connect: .seconds(10), stall: .seconds(60), whole: .seconds(120)))
    }

    /// Orders.
    ///
    /// - Parameter endpoint: "fal-ai/flux/srpo".
    /// - Throws: ``ProviderError``.
    func submit(_ endpoint: String, _ input: JSONTree) async throws -> GenerationTicket {
        let parts = endpoint.split(separator: "/", omittingEmptySubsequences: false)
        let isPath =
            parts.count >= 2
            && parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.utf8.allSatisfy {
                        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                            || "-_.".utf8.contains($0)
                    }
            }
        guard isPath else {
            throw ProviderError(
                .badRequest, "its endpoint is not of the form owner/app/…", provider: "fal",
                hint: "copy it from the model's page")
        }
        let reply = try await call.send(.post, url.endpoint(endpoint), input, repeats: .ordering)
        let order = try call.read(Order.self, of: reply)
        let ticket = GenerationTicket(
            engine: "fal:\(endpoint)", requestID: order.request_id, statusURL: order.status_url,
            resultURL: order.response_url, cancelURL: order.cancel_url)
        // Now rather than after it is paid and stored.
        for text in [ticket.statusURL, ticket.resultURL] { _ = try trusted(text) }
        return ticket
    }

    /// Waits for an order, and reads its result.
    ///
    /// - Throws: ``ProviderError``: `expired`, `overdue`, and what went wrong with it.
    func result(_ ticket: GenerationTicket) async throws -> HTTPReply {
        guard ticket.engine.hasPrefix("fal:") else {
            throw ProviderError(.badRequest, "the ticket is one of another service", provider: "fal")
        }
        let deadline = ContinuousClock.now + polling.total
        var wait = polling.first
        while true {
            switch try await state(ticket) {
            case .completed(let error, let kind): return try await finished(ticket, error: error, kind: kind)
            case .waiting: break
            }
            guard .now + wait < deadline else {
                throw ProviderError(
                    .overdue, "it was not made within \(polling.total)", provider: "fal",
                    hint: "the order stands; wait for it again by its ticket", requestID: ticket.requestID,
                    isRetryable: true)
            }
            do { try await Task.sleep(for: wait) } catch { throw cancelled(ticket) }
            wait = min(wait * 3 / 2, polling.longest)
        }
    }

    /// Asks how far an order is.
    func state(_ ticket: GenerationTicket) async throws -> State {
        let url = try trusted(ticket.statusURL)
        let reply: HTTPReply
        do {
            reply = try await call.send(.get, url, repeats: .reading)
        } catch let error as ProviderError where error.status == 404 || error.status == 410 {
            throw ProviderError.expired(
                provider: "fal", "the order", status: error.status, requestID: ticket.requestID)
        }
        let status = try call.read(Status.self, of: reply)
        switch status.status {
        case "IN_QUEUE", "IN_PROGRESS": return .waiting
        case "COMPLETED": return .completed(error: status.error, kind: status.error_type)
        default:
            throw ProviderError(
                .badAnswer, "the order is in a state that is not known", provider: "fal",
                requestID: ticket.requestID)
        }
    }

    /// Asks for an order to be given up. One that is being made may still be finished; one that is done stays so.
    func cancel(_ ticket: GenerationTicket) async throws {
        guard let text = ticket.cancelURL else { return }
        let url = try trusted(text)
        do {
            _ = try await call.send(.put, url, repeats: .reading)
        } catch let error as ProviderError where [400, 404, 409, 410].contains(error.status) {
            // Finished already, or gone.
        }
    }

    // MARK: Results

    /// The result of a finished order, or what went wrong: there is no state of failure, and the result's own status tells.
    private func finished(_ ticket: GenerationTicket, error: String?, kind: String?) async throws -> HTTPReply {
        let url = try trusted(ticket.resultURL)
        let reply: HTTPReply
        do {
            reply = try await call.send(.get, url, repeats: .reading)
        } catch let failure as ProviderError {
            throw meaning(of: failure, ticket, hasFailed: error != nil)
        }
        guard error == nil else {
            throw ProviderError(
                .failed, "it could not be made\(kind.map { " (\($0.prefix(64)))" } ?? "")", provider: "fal",
                requestID: ticket.requestID, isRetryable: true)
        }
        return reply
    }

    private func meaning(of failure: ProviderError, _ ticket: GenerationTicket, hasFailed: Bool) -> ProviderError {
        var failure = failure
        failure.requestID = ticket.requestID
        let answer = failure.cause as? TransferError
        switch failure.status {
        case 404, 410:
            return hasFailed
                ? failure
                : .expired(provider: "fal", "the result", status: failure.status, requestID: ticket.requestID)
        case 422, 400:
            if ServiceComplaint(answer?.body ?? []).isRefusal { return ProviderError(refusal: failure) }
            // Header fields by which a model tells whether the same input may do better.
            let advice = answer?.headers["X-Fal-Retryable"] ?? answer?.headers["X-Fal-Needs-Retry"]
            failure.isRetryable = advice == "true" || advice == "1"
        case 504 where answer?.headers["X-Fal-Request-Timeout-Type"] == "user": failure.isRetryable = false
        default: break
        }
        // The order's own end, and no hiccup of the service's: whoever asks for this one again is told the same.
        if hasFailed, failure.isRetryable, failure.code == .unavailable || failure.code == .badRequest {
            failure.code = .failed
        }
        return failure
    }

    // MARK: Where the key may go

    /// - Throws: ``ProviderError`` for a URL of another service.
    private func trusted(_ text: String) throws(ProviderError) -> HTTPURL {
        let url: HTTPURL
        do { url = try HTTPURL(text) } catch {
            throw ProviderError(.badAnswer, "the order's address is no URL", provider: "fal", cause: error)
        }
        let isOurs = url.origin == self.url.origin
        let isKnown = url.scheme == .https && url.port == 443 && hosts.contains { Self.matches(url.host, $0) }
        guard isOurs || isKnown, url.userInfo == nil else {
            throw ProviderError(
                .badAnswer, "the order's address leads to \(url.host), which the key is not sent to", provider: "fal",
                hint: "set FAL_QUEUE_URL to the service's own queue")
        }
        return url
    }

    /// `pattern` is a host, or "*." and what it is below.
    private static func matches(_ host: String, _ pattern: String) -> Bool {
        pattern.hasPrefix("*.") ? host.hasSuffix(pattern.dropFirst()) : host == pattern
    }

    private func cancelled(_ ticket: GenerationTicket) -> ProviderError {
        ProviderError(.cancelled, "the wait was cancelled", provider: "fal", requestID: ticket.requestID)
    }

    // MARK: As the service spells it

    private struct Order: Decodable {
        var request_id: String
        var status_url: String
        var response_url: String
        var cancel_url: String?
    }

    private struct Status: Decodable {
        var status: String
        var error: String?
        var error_type: String?
    }

    /// Reads a result.
    func read<Value: Decodable>(_ type: Value.Type, of reply: HTTPReply) throws -> Value {
        try call.read(type, of: reply)
    }
}
