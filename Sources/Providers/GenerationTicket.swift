public import Transfer

/// An order at a service, which outlives the task and the process that made it.
public struct GenerationTicket: Codable, Sendable, Equatable {
    /// Who has it, with the model: "fal:fal-ai/flux/srpo".
    public var engine: String
    /// The service's own name for it.
    public var requestID: String
    /// Where its state is.
    public var statusURL: String
    /// Where the result is, once there is one.
    public var resultURL: String
    /// Where it is cancelled; `nil` if it cannot be.
    public var cancelURL: String?

    public init(engine: String, requestID: String, statusURL: String, resultURL: String, cancelURL: String? = nil) {
        self.engine = engine
        self.requestID = requestID
        self.statusURL = statusURL
        self.resultURL = resultURL
        self.cancelURL = cancelURL
    }

    /// Calls `wait`, and `cancel` where nobody is left to wait: the task was cancelled, or the time is over.
    func orCancelling<R: Sendable>(
        _ cancel: @escaping @Sendable (GenerationTicket) async throws -> Void, _ wait: () async throws -> R
    ) async throws -> R {
        do {
            return try await wait()
        } catch {
            let code = (error as? ProviderError)?.code
            if code == .cancelled || code == .overdue || error is CancellationError {
                // A task of its own: this one is cancelled already, and would send nothing more.
                _ = await Task { try await cancel(self) }.result
            }
            throw error
        }
    }
}

extension ProviderError.Code {
    /// What was made is no longer at the service. It can be made again.
    public static let expired = ProviderError.Code(rawValue: "expired")
    /// What was ordered has not been made in the time for it.
    public static let overdue = ProviderError.Code(rawValue: "overdue")
    /// What was ordered could not be made, by no fault of the request: the order is over, and another may do better.
    public static let failed = ProviderError.Code(rawValue: "failed")
}

extension ProviderError {
    /// What was made is gone: a stored ticket or URL is of no use any more.
    static func expired(provider: String, _ what: String, status: Int?, requestID: String?) -> ProviderError {
        ProviderError(
            .expired, "\(what) is no longer there", provider: provider,
            hint: "generate it again, and store what is made at once: the service keeps it for a limited time",
            status: status, requestID: requestID, isRetryable: true)
    }
}

extension GeneratedMedia {
    /// Fetches it, without credentials, and calls `body` with the answer.
    ///
    /// - Throws: ``ProviderError`` of code `expired` if it is gone; ``TransferError``; what `body` throws.
    public func withContents<R>(
        client: HTTPClient, isolation: isolated (any Actor)? = #isolation,
        _ body: (HTTPResponse) async throws -> sending R
    ) async throws -> sending R {
        do {
            // What a service names is looked at like any other URL from outside.
            return try await client.withResponse(HTTPRequest(.get, HTTPURL(url)), body)
        } catch let error as TransferError where error.status == 404 || error.status == 410 {
            throw ProviderError.expired(
                provider: "generator", "what was generated", status: error.status, requestID: requestID)
        }
    }
}
