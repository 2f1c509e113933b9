/// An answer whose head has arrived, and whose body is still to be read.
///
/// It is good within the closure that ``HTTPClient/withResponse(_:isolation:_:)`` calls with it.
public struct HTTPResponse: Sendable {
    let head: ResponseFlow.Head
    /// Where it came from, after redirects.
    public let url: HTTPURL
    /// The body, to be read once.
    public let body: HTTPResponseBody

    /// 200...399; higher ones are thrown.
    public var status: Int { head.status }
    /// In order, as they came. Those of redirects before it are gone.
    public var headers: HTTPHeaders { head.headers }
    /// The version that its connection spoke.
    public var version: HTTPVersion { head.version }
    /// The length of the body as it is sent, in bytes, where the server says it: `Content-Length`.
    public var contentLength: Int64? { headers["Content-Length"].flatMap { Int64($0) } }
}

/// The version that an answer came in.
public enum HTTPVersion: String, Sendable, Hashable, CustomStringConvertible {
    case http1_0 = "HTTP/1.0"
    case http1_1 = "HTTP/1.1"
    case http2 = "HTTP/2"
    public var description: String { rawValue }
}

/// The bytes of an answer, in chunks as they come.
///
/// No more than some hundred KiB are held: a reader who does not read stops the server from sending. A connection that
/// ends before the promised length is an error, never a short body.
///
/// Thread-safe, but for one reader: each chunk goes to one of them.
public struct HTTPResponseBody: AsyncSequence, Sendable {
    /// A chunk of bytes, of any length but 0.
    public typealias Element = [UInt8]
    let exchange: Exchange

    /// Goes on where the body was read to, by whichever iterator.
    public struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        let exchange: Exchange
        /// The next chunk, never empty, or `nil` at the end.
        ///
        /// - Throws: ``TransferError``.
        public func next() async throws -> [UInt8]? { try await exchange.nextChunk() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(exchange: exchange) }

    /// All of the body.
    ///
    /// - Throws: ``TransferError`` with code `tooLarge` if it is longer than `limit` bytes.
    public func collect(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in self {
            guard chunk.count <= limit - bytes.count else {
                throw exchange.describe(TransferError(.tooLarge, "the answer is longer than \(limit) bytes"))
            }
            if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
        }
        return bytes
    }
}

/// An answer with its whole body.
public struct HTTPReply: Sendable {
    /// 200...399; higher ones are thrown.
    public let status: Int
    /// In order, as they came.
    public let headers: HTTPHeaders
    /// Where it came from, after redirects.
    public let url: HTTPURL
    /// The version that its connection spoke.
    public let version: HTTPVersion
    /// All of it, decoded where it was sent compressed.
    public let body: [UInt8]
}
