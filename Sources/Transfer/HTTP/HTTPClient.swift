import Locking
public import Logging

/// Sends requests over HTTP/1.1 and HTTP/2.
///
/// ```swift
/// let client = try HTTPClient()
/// let page = try await client.send(HTTPRequest(.get, try HTTPURL("https://example.com/captions.srt")))
///
/// try await client.withResponse(HTTPRequest(.get, url)) { response in
///     for try await chunk in response.body { try sink.write(chunk) }
/// }
/// ```
/// One thread of its own does the work, for any number of requests; no thread of Swift's pool ever waits for the
/// network. Connections are kept and used again. A request ends within a moment of its task being cancelled.
///
/// Redirects are followed and failures retried as the request and the configuration say. No proxy, cookie or `.netrc`
/// is used, whatever the environment says.
///
/// Thread-safe. A program needs one. When the last reference goes, requests that are under way fail with `closed`.
public final class HTTPClient: Sendable {
    /// As it was made with.
    public let configuration: HTTPConfiguration
    private let loop: CurlLoop
    private let buckets: Locked<RetryBuckets>
    private let logger: Logger

    /// - Throws: ``TransferError`` with code `internal` if libcurl or the thread cannot be started.
    public init(
        _ configuration: HTTPConfiguration = HTTPConfiguration(), logger: Logger = Logger(label: "kiln.transfer")
    ) throws(TransferError) {
        self.configuration = configuration
        self.logger = logger
        loop = try CurlLoop(configuration)
        buckets = Locked(RetryBuckets(configuration.retryBudget))
    }

    deinit { loop.stop() }

    /// Sends a request and calls `body` with the answer once its head is there.
    ///
    /// Failures up to then are retried; what happens within `body` is not, as it may have used what it got. When `body`
    /// returns without having read to the end, the rest is dropped with its connection.
    ///
    /// - Returns: what `body` returns.
    /// - Throws: ``TransferError``, also for every status of 400 or more; what `body` throws.
    public func withResponse<R>(
        _ request: HTTPRequest, isolation: isolated (any Actor)? = #isolation,
        _ body: (HTTPResponse) async throws -> sending R
    ) async throws -> sending R {
        let response = try await retrying(request) { try await self.open($0, $1) }
        let result: R
        do {
            result = try await body(response)
        } catch {
            await response.body.exchange.close()
            throw error
        }
        await response.body.exchange.finish(response.head)
        return result
    }

    /// Sends a request and reads its answer to the end. Failures amid the body are retried, too.
    ///
    /// - Parameter limit: bytes of the body; a longer one is an error of code `tooLarge`. Default 1 MiB.
    /// - Throws: ``TransferError``, also for every status of 400 or more.
    public func send(_ request: HTTPRequest, limit: Int = 1 << 20) async throws -> HTTPReply {
        try await retrying(request) { request, deadline in
            let response = try await self.open(request, deadline)
            let body: [UInt8]
            do {
                body = try await response.body.collect(limit: limit)
            } catch {
                await response.body.exchange.close()
                throw error
            }
            await response.body.exchange.close()
            return HTTPReply(
                status: response.status, headers: response.headers, url: response.url, version: response.version,
                body: body)
        }
    }

    /// Ends the requests that are under way, with `closed`, and closes all connections. Returns when the thread has
    /// ended.
    public func shutdown() async {
        loop.stop()
        await loop.waitUntilStopped()
    }

    /// What it has done so far. Bytes are counted when their request is over.
    public var statistics: HTTPStatistics { loop.statistics }

    // MARK: Retries

    /// Repeats `attempt` as the request's policy and the origin's budget allow.
    private func retrying<R: Sendable>(
        _ request: HTTPRequest, _ attempt: (HTTPRequest, Exchange.Deadline?) async throws -> R
    ) async throws -> R {
        let timeouts = request.timeouts ?? configuration.timeouts
        let policy = request.retries ?? configuration.retries
        let deadline = timeouts.whole.map {
            Exchange.Deadline(moment: .now + $0, message: "the request took longer than \($0)")
        }
        var number = 1
        while true {
            do {
                var request = request
                try await request.prepare?(&request)
                let result = try await attempt(request, deadline)
                buckets.withLock { $0.refund(request.url.origin) }
                return result
            } catch let error as TransferError {
                let delay = try delay(after: error, request, policy, attempt: number, deadline)
                logger.debug(
                    "retrying a request",
                    metadata: [
                        "request": "\(request.line)", "attempt": "\(number)", "error": "\(error.code)",
                        "status": error.status.map { "\($0)" } ?? "none", "wait": "\(delay)",
                    ])
                do {
                    try await Task.sleep(for: delay)
                } catch {
                    throw TransferError(
                        .cancelled, "the request was cancelled", request: request.line, isRetryable: false)
                }
                number += 1
                loop.count { $0.retries += 1 }
            }
        }
    }

    /// - Throws: `error`, where there is to be no other attempt.
    private func delay(
        after error: TransferError, _ request: HTTPRequest, _ policy: HTTPRetryPolicy, attempt: Int,
        _ deadline: Exchange.Deadline?
    ) throws(TransferError) -> Duration {
        var generator = SystemRandomNumberGenerator()
        guard request.body.isReplayable,
            let delay = policy.delay(
                after: error, attempt: attempt, isIdempotent: request.isIdempotent, using: &generator)
        else { throw error }
        if let deadline, deadline.moment <= .now + delay { throw error }
        guard buckets.withLock({ $0.take(request.url.origin) }) else {
            var error = error
            error.hint = "too many requests to this server have failed lately for more attempts"
            throw error
        }
        return delay
    }

    // MARK: One attempt

    /// Sends a request once, goes where redirects lead, and returns the answer, whose exchange the caller closes.
    private func open(_ request: HTTPRequest, _ deadline: Exchange.Deadline?) async throws -> HTTPResponse {
        var options = Exchange.Options(
            destination: request.destination, timeouts: request.timeouts ?? configuration.timeouts,
            acceptsCompression: request.acceptsCompression, isIdempotent: request.isIdempotent,
            onRepeat: request.onRepeat)
        var hop = Hop(request)
        var redirects = 0
        while true {
            let exchange = Exchange(hop, options: options, deadline: deadline, loop: loop)
            let head: ResponseFlow.Head
            do {
                if options.destination == .guarded, let objection = configuration.addressGuard.objection(to: hop.url) {
                    throw objection
                }
                head = try await exchange.start()
                guard head.status < 400 else { throw await failure(head, exchange, request) }
                guard case .follow(let limit) = request.redirects, Hop.isRedirect(head.status) else {
                    return HTTPResponse(head: head, url: hop.url, body: HTTPResponseBody(exchange: exchange))
                }
                guard redirects < limit else {
                    throw TransferError(
                        .badRedirect, "the answer is a redirect, the \(redirects + 1)th in a row", isRetryable: false)
                }
                hop = try hop.redirected(head.status, to: head.headers["Location"])
                // Who is trusted to be called is not trusted to say where to go.
                if hop.url.origin != request.url.origin { options.destination = .guarded }
                redirects += 1
            } catch {
                await exchange.close()
                throw (error as? TransferError).map(exchange.describe) ?? error
            }
            await exchange.finish(head)
        }
    }

    /// The error of an answer of 400 or more, with the first bytes of its body as far as they come in time.
    private func failure(
        _ head: ResponseFlow.Head, _ exchange: Exchange, _ request: HTTPRequest
    ) async -> TransferError {
        exchange.limit(
            to: Exchange.Deadline(moment: .now + Self.errorBodyPatience, message: "the answer's body took too long"))
        var body: [UInt8] = []
        while body.count < request.errorBodyLimit, let chunk = try? await exchange.nextChunk() {
            body += chunk.prefix(request.errorBodyLimit - body.count)
        }
        var error = TransferError.status(
            head.status, headers: head.headers, body: body, hop: exchange.hop, now: WallClock.now)
        request.classify?(&error)
        return error
    }

    /// How long the body of an error is waited for.
    private static let errorBodyPatience = Duration.seconds(5)
}
