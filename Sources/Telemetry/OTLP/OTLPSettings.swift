import Glibc
public import Tracing
public import Transfer

/// Where spans go, and what they say of the process that made them.
public struct OTLPSettings: Sendable {
    /// The whole URL: `http://collector:4318/v1/traces`.
    public var tracesURL: HTTPURL
    /// Sent along, for authentication. Never shown.
    public var headers: HTTPHeaders
    /// What all spans have in common: `service.name` and so on.
    /// https://opentelemetry.io/docs/specs/semconv/resource/
    public var resource: SpanAttributes
    /// For one attempt: to connect, and for nothing to arrive or leave. Default 10 s.
    public var attemptTimeout: Duration
    /// For a batch, with all attempts and waits. Default 30 s.
    public var timeout: Duration
    /// The wait before the first retry is at most `retryBase`, and doubles. Default 1 s.
    public var retryBase: Duration

    /// - Parameters:
    ///   - endpoint: of the collector, as in `OTEL_EXPORTER_OTLP_ENDPOINT`; "/v1/traces" is put behind its path.
    ///   - serviceName: `service.name`.
    ///   - serviceVersion: `service.version`.
    ///   - attributes: more of the resource; they override what is known otherwise.
    public init(
        endpoint: HTTPURL, headers: HTTPHeaders = [:], serviceName: String, serviceVersion: String? = nil,
        attributes: [String: String] = [:]
    ) {
        var url = endpoint
        while url.path.hasSuffix("/") { url.path.removeLast() }
        url.path += "/v1/traces"
        self.init(
            tracesURL: url, headers: headers, serviceName: serviceName, serviceVersion: serviceVersion,
            attributes: attributes)
    }

    /// - Parameters:
    ///   - tracesURL: used as it is, as in `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    ///   - serviceName: `service.name`.
    ///   - serviceVersion: `service.version`.
    ///   - attributes: more of the resource; they override what is known otherwise.
    public init(
        tracesURL: HTTPURL, headers: HTTPHeaders = [:], serviceName: String, serviceVersion: String? = nil,
        attributes: [String: String] = [:]
    ) {
        self.tracesURL = tracesURL
        self.headers = headers
        attemptTimeout = .seconds(10)
        timeout = .seconds(30)
        retryBase = .seconds(1)
        resource = [
            "service.name": .string(serviceName), "telemetry.sdk.name": "kiln", "telemetry.sdk.language": "swift",
            "process.pid": .int(Int64(getpid())),
        ]
        if let serviceVersion { resource["service.version"] = serviceVersion }
        if let host = Self.hostName { resource["host.name"] = host }
        for (name, value) in attributes { resource[name] = value }
    }

    private static var hostName: String? {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
