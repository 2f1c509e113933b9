import Foundation
public import Logging
public import Transfer

/// Sends spans to an OpenTelemetry collector, or whoever else speaks OTLP over HTTP with JSON.
/// https://opentelemetry.io/docs/specs/otlp/#otlphttp
///
/// Tried again are answers of 429, 502, 503 and 504, and connections that fail, after the time that the server asks for
/// (`Retry-After`), as long as the batch's time allows; not other answers.
///
/// Thread-safe.
public struct OTLPSpanExporter: SpanExporter {
    private let settings: OTLPSettings
    private let client: HTTPClient
    private let logger: Logger

    /// - Parameter client: the program's. The collector is the operator's, so the client's guard does not apply to it.
    public init(_ settings: OTLPSettings, client: HTTPClient, logger: Logger = Logger(label: "kiln.tracing")) {
        self.settings = settings
        self.client = client
        self.logger = logger
    }

    /// - Throws: ``TransferError``.
    public func export(_ spans: [SpanData]) async throws -> Int {
        let reply = try await client.send(request(spans), limit: 64 << 10)
        guard (200..<300).contains(reply.status) else {
            throw TransferError(
                .badResponse, "the collector answered \(reply.status)", hint: "check the endpoint's URL",
                request: TransferError.RequestLine(.post, settings.tracesURL), status: reply.status)
        }
        guard let partial = OTLPTraceResponse(reply.body)?.partialSuccess else { return 0 }
        let refused = partial.rejectedSpans?.value ?? 0
        if refused > 0 || partial.errorMessage?.isEmpty == false {
            logger.warning(
                "the collector has something to say about a batch of spans",
                metadata: [
                    "refused": "\(refused)", "batch": "\(spans.count)",
                    "answer": "\((partial.errorMessage ?? "").cut(to: 500))",
                ])
        }
        return min(max(0, refused), spans.count)
    }

    private func request(_ spans: [SpanData]) -> HTTPRequest {
        var headers = settings.headers
        headers["Content-Type"] = "application/json"
        var request = HTTPRequest(
            .post, settings.tracesURL, headers: headers,
            body: .bytes(OTLPTraceRequest.body(spans, resource: settings.resource)), destination: .trusted,
            redirects: .none,
            timeouts: HTTPTimeouts(
                connect: settings.attemptTimeout, stall: settings.attemptTimeout, whole: settings.timeout),
            retries: HTTPRetryPolicy(base: settings.retryBase, longestRetryAfter: settings.timeout),
            // A span that arrives twice has the same id twice.
            isIdempotent: true)
        request.classify = { error in error.isRetryable = [429, 502, 503, 504].contains(error.status) }
        return request
    }
}

/// An `ExportTraceServiceResponse`. What cannot be read says nothing.
struct OTLPTraceResponse: Decodable {
    struct PartialSuccess: Decodable {
        var rejectedSpans: WholeNumber?
        var errorMessage: String?
    }
    /// An `int64`, which protobuf's JSON writes as a string and reads as a number, too.
    struct WholeNumber: Decodable {
        let value: Int

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                value = Int(text) ?? 0
            } else {
                value = try container.decode(Int.self)
            }
        }
    }
    var partialSuccess: PartialSuccess?

    init?(_ body: [UInt8]) {
        guard let response = try? JSONDecoder().decode(Self.self, from: Data(body)) else { return nil }
        self = response
    }
}
