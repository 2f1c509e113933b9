/// A service that hands out credentials within a container or machine, and how it is asked.
///
/// It is where the operator or the platform says, so the guard does not look; and it never leads elsewhere.
struct MetadataService: Sendable {
    /// For messages: "instance metadata".
    let name: String
    let client: HTTPClient
    let timeouts: HTTPTimeouts
    /// `nil`: as the client's configuration says.
    var retries: HTTPRetryPolicy?

    /// - Parameter absence: the error to throw instead if the failure means that there is no such service, or no role.
    /// - Throws: ``TransferError``, with code `credentials` unless the request was cancelled or the client is closed.
    func send(
        _ method: HTTPMethod, _ url: HTTPURL, headers: HTTPHeaders,
        absence: (TransferError) -> TransferError? = { _ in nil }
    ) async throws -> HTTPReply {
        let request = HTTPRequest(
            method, url, headers: headers, destination: .trusted, redirects: .none, timeouts: timeouts,
            retries: retries)
        do { return try await client.send(request, limit: 64 << 10) } catch let error as TransferError {
            throw absence(error) ?? noAnswer(error)
        }
    }

    /// It should have credentials and did not answer, or not well.
    private func noAnswer(_ error: TransferError) -> TransferError {
        if error.code == .cancelled || error.code == .closed { return error }
        var failure = error
        failure.message = "no credentials from the \(name): \(error.message)"
        failure.code = .credentials
        failure.isRetryable = true
        failure.cause = error
        return failure
    }
}
