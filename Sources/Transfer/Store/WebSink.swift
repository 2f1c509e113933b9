public import ByteIO
import Locking

/// Writes to a URL by PUT, with one request once all is there: a presigned URL, a WebDAV folder.
///
/// Most servers, S3 among them, want to know the length before the first byte, and so all of it is held in memory:
/// nothing longer than `limit` can be written. What is larger belongs in a store.
///
/// Thread safety: as ``ByteSink``; `cancel` may come from any thread. `finish` blocks its thread, which must not be one
/// of Swift's pool.
public final class WebSink: ByteSink {
    /// The URL without its query.
    public let name: String
    /// `Int64.max`: all of it.
    public var rewritableHead: Int64 { .max }
    private let client: HTTPClient
    private let request: HTTPRequest
    private let limit: Int
    private let state = Locked(State())

    private struct State {
        var bytes: [UInt8] = []
        /// Why nothing may be called any more.
        var end: TransferError?
        var call: BlockingCall<Void>?
    }

    /// - Parameters:
    ///   - destination: whether the URL goes through the client's guard (default).
    ///   - options: `metadata` is not sent: there is no common way to.
    ///   - limit: in bytes. Default 128 MiB.
    public init(
        _ client: HTTPClient, _ url: HTTPURL, options: ObjectOptions = ObjectOptions(),
        destination: HTTPRequest.Destination = .guarded, limit: Int = 128 << 20
    ) {
        self.client = client
        self.limit = limit
        name = url.description
        var request = HTTPRequest(.put, url, destination: destination)
        request.headers["Content-Type"] = options.contentType
        request.headers["Content-Disposition"] = options.contentDisposition
        request.headers["Cache-Control"] = options.cacheControl
        if !options.overwrite { request.headers["If-None-Match"] = "*" }
        self.request = request
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        try state.withLock { state in
            if let end = state.end { throw end }
            guard bytes.count <= limit - state.bytes.count else {
                throw TransferError(
                    .tooLarge, "more than \(limit) bytes cannot be written to \(name)", hint: "write to a store: s3://",
                    isRetryable: false, mayHaveTakenEffect: false)
            }
            state.bytes += bytes
        }
    }

    public func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try state.withLock { state in
            if let end = state.end { throw end }
            guard offset >= 0, bytes.count <= state.bytes.count, offset <= Int64(state.bytes.count - bytes.count) else {
                throw TransferError(
                    .notSeekable, "cannot rewrite \(name) at byte \(offset): only \(state.bytes.count) are written")
            }
            state.bytes.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
        }
    }

    public func finish() throws {
        let call = try state.withLock { state in
            if let end = state.end { throw end }
            var request = request
            request.body = .bytes(state.bytes)
            state.bytes = []
            state.end = Self.over("finished")
            let call = BlockingCall { [client, request] in _ = try await client.send(request) }
            state.call = call
            return call
        }
        defer { state.withLock { $0.call = nil } }
        try call.wait()
    }

    public func abort() {
        state.withLock { state in
            state.bytes = []
            state.end = state.end ?? Self.over("aborted")
        }
    }

    public func cancel() {
        let call = state.withLock { state in
            state.end = state.end ?? TransferError(.cancelled, "\(name) was cancelled", isRetryable: false)
            return state.call
        }
        call?.cancel()
    }

    private static func over(_ how: String) -> TransferError {
        TransferError(.io, "the sink was \(how) before", isRetryable: false)
    }
}
