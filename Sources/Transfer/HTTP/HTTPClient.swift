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
    public let configuration: HTTPConfiguration

    /// - Throws: ``TransferError`` with code `internal` if libcurl or the thread cannot be started.
    public init(
        _ configuration: HTTPConfiguration = HTTPConfiguration(), logger: Logger = Logger(label: "kiln.transfer")
    ) throws(TransferError) {
        self.configuration = configuration
    }

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
        throw TransferError(.unsupported, "not there yet")
    }

    /// Sends a request and reads its answer to the end. Failures amid the body are retried, too.
    ///
    /// - Parameter limit: bytes of the body; a longer one is an error of code `tooLarge`. Default 1 MiB.
    /// - Throws: ``TransferError``, also for every status of 400 or more.
    public func send(_ request: HTTPRequest, limit: Int = 1 << 20) async throws -> HTTPReply {
        throw TransferError(.unsupported, "not there yet")
    }

    /// Ends the requests that are under way, with `closed`, and closes all connections. Returns when the thread has
    /// ended.
    public func shutdown() async {}

    /// What it has done so far.
    public var statistics: HTTPStatistics { HTTPStatistics() }
}
