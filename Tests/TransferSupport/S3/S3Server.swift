import Locking
package import Transfer

/// A server that speaks S3 on the loopback, looks at every signature, and misbehaves as told.
///
/// It is strict where servers differ: parts of unequal size are refused (R2), as are small ones, paths that are not
/// encoded as they are signed, bodies without a length, checksums that do not fit. One bucket, path style.
///
/// ```swift
/// let server = try S3Server { request in
///     request.operation == .uploadPart && request.index == 1 ? .status(503, code: "SlowDown") : nil
/// }
/// ```
/// Thread-safe.
package final class S3Server: Sendable {
    package struct Settings: Sendable {
        package var bucket = "media"
        package var region = "us-east-1"
        /// What comes before the bucket in paths: "/storage/v1/s3".
        package var pathPrefix = ""
        /// Whether requests without a signature are refused.
        package var requiresSignature = true
        /// In bytes.
        package var smallestPart = 5 << 20
        package var needsEqualParts = true
        /// Whether objects have an ETag that is sent with them.
        package var sendsETags = true
        package var sendsLastModified = true
        /// Whether `If-Match` is obeyed, as S3 does, or ignored, as simple servers do.
        package var obeysIfMatch = true
        /// What each request takes before it is answered.
        package var latencyMilliseconds = 0
        /// How fast each connection sends and takes bodies; `nil` for as fast as it can.
        package var bytesPerSecond: Int?
        /// Seconds since 1970 by the server's clock.
        package var now: @Sendable () -> Double = { WallClock.now }

        package init() {}
    }

    package static let credentials = Credentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG")

    struct State {
        var contents = S3Contents()
        var credentials: [Credentials] = [S3Server.credentials]
        var requests: [S3Request] = []
        var refusals: [String] = []
        var counts: [S3Request.Operation: Int] = [:]
        /// Parts whose request was read and not answered yet, now and at most.
        var partsArriving = 0
        var mostPartsArriving = 0
        var bodyBytesSent: Int64 = 0
    }

    package let settings: Settings
    private let state: Locked<State>
    private let server: RawServer

    /// - Parameter fault: what to do wrong about a request, whose body is still to be read; `nil` for nothing.
    package init(
        _ settings: Settings = Settings(), port: Int = 0,
        fault: @escaping @Sendable (S3Request) -> S3Fault? = { _ in nil }
    ) throws {
        let state = Locked(State())
        self.settings = settings
        self.state = state
        server = try RawServer(port: port) { connection in
            while let raw = try connection.readHead() {
                let exchange = S3Exchange(connection: connection, settings: settings, state: state, fault: fault)
                guard try exchange.answer(raw) else { return }
            }
        }
    }

    package func stop() { server.stop() }

    // MARK: For the client

    package var port: Int { server.port }
    /// Scheme, host, port and the prefix of paths.
    package var endpoint: String { "http://127.0.0.1:\(server.port)\(settings.pathPrefix)" }
    /// An object's URL, unsigned.
    package func url(_ key: String) -> String {
        "\(endpoint)/\(settings.bucket)/\(S3Encoding.encoded(key, keepingSlashes: true))"
    }

    /// The keys that are taken from now on.
    package func accept(_ credentials: [Credentials]) { state.withLock { $0.credentials = credentials } }

    // MARK: What is there

    /// An object; setting it replaces it, with another ETag if it has other bytes.
    package subscript(key: String) -> S3Object? {
        get { state.withLock { $0.contents.objects[key] } }
        set { state.withLock { $0.contents.objects[key] = newValue } }
    }

    package func put(_ key: String, _ bytes: [UInt8]) { self[key] = S3Object(.bytes(bytes)) }

    /// The bytes of an object that has them in memory.
    package func bytes(_ key: String) -> [UInt8]? {
        guard let object = self[key] else { return nil }
        return switch object.body {
        case .bytes(let bytes): bytes
        case .parts: object.slice(0..<object.size)
        case .pattern, .made: nil
        }
    }

    package var keys: [String] { state.withLock { $0.contents.keys(prefix: "", after: nil) } }
    /// Uploads that are neither completed nor aborted.
    package var uploads: [S3Upload] { state.withLock { Array($0.contents.uploads.values) } }

    // MARK: What has happened

    /// All requests that could be understood, in the order in which their heads came.
    package var requests: [S3Request] { state.withLock { $0.requests } }
    package func requests(_ operation: S3Request.Operation) -> [S3Request] {
        requests.filter { $0.operation == operation }
    }
    /// What was refused though no fault was asked for, with reasons.
    package var refusals: [String] { state.withLock { $0.refusals } }
    /// How many parts were arriving or arrived and not answered at a time, at most.
    package var mostPartsArriving: Int { state.withLock { $0.mostPartsArriving } }
    /// Bytes of objects that were handed to the system to be sent.
    package var bodyBytesSent: Int64 { state.withLock { $0.bodyBytesSent } }
    package var connections: Int { server.connections }
}
