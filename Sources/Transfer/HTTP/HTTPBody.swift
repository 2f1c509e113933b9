/// The body of a request.
///
/// ```swift
/// let parts = HTTPBody.stream(length: nil, isReplayable: false) { writer in
///     for try await part in encoder { try await writer.write(part) }
/// }
/// ```
public struct HTTPBody: Sendable {
    typealias Producer = @Sendable (HTTPBodyWriter) async throws -> Void

    enum Content: Sendable {
        case empty
        case bytes([UInt8])
        case stream(length: Int64?, isReplayable: Bool, Producer)
    }

    let content: Content

    /// No body at all.
    public static let empty = HTTPBody(content: .empty)

    /// Bytes in memory, which are not copied.
    public static func bytes(_ bytes: [UInt8]) -> HTTPBody { HTTPBody(content: .bytes(bytes)) }

    /// Text in UTF-8.
    public static func text(_ text: String) -> HTTPBody { .bytes(Array(text.utf8)) }

    /// Bytes that are made while they are sent.
    ///
    /// - Parameters:
    ///   - length: in bytes, if it is known; else the body is sent in chunks. To write more or fewer is an error.
    ///   - isReplayable: whether `produce` may be called again, for a retry or redirect, and writes the same.
    ///   - produce: writes the body, and returns when it is complete. It is cancelled when the request ends early, which
    ///     waits for it to return. What it throws is what the request throws.
    public static func stream(
        length: Int64?, isReplayable: Bool, _ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void
    ) -> HTTPBody {
        HTTPBody(content: .stream(length: length, isReplayable: isReplayable, produce))
    }

    /// In bytes; `nil` if it is not known before the end.
    public var length: Int64? {
        switch content {
        case .empty: 0
        case .bytes(let bytes): Int64(bytes.count)
        case .stream(let length, _, _): length
        }
    }

    /// Whether it can be sent again.
    public var isReplayable: Bool {
        if case .stream(_, let isReplayable, _) = content { isReplayable } else { true }
    }
}

/// Where a streamed body is written to.
public struct HTTPBodyWriter: Sendable {
    let upload: UploadFlow

    /// Hands `bytes` over. Waits until those before are on their way, so that a slow network slows the writer down.
    ///
    /// - Throws: ``TransferError`` if the request has ended, with its reason; `CancellationError`.
    public func write(_ bytes: [UInt8]) async throws { try await upload.write(bytes) }
}
