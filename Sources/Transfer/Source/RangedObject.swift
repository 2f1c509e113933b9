/// Something that lies elsewhere and is read by ranges: what ``RangeSource`` needs to know of it.
///
/// All calls throw ``TransferError``.
public protocol RangedObject: Sendable {
    /// A name for messages, without credentials or query.
    var name: String { get }

    /// Finds out what it is. Called once, before the first `read`.
    ///
    /// - Parameter count: how many bytes from the start are welcome at once, where they can be had with the same request.
    func open(first count: Int) async throws -> RangedObjectInfo

    /// Reads, in order, to the end of the range.
    ///
    /// - Parameters:
    ///   - range: bytes from the start, within the object; `nil` for all of it.
    ///   - etag: what `open` said. An object with another one is an error of code `changed`.
    ///   - sink: gets the chunks as they come; what it throws is thrown unchanged.
    func read(
        range: Range<Int64>?, ifMatch etag: ETag?, _ sink: @Sendable ([UInt8]) async throws -> Void
    ) async throws
}

/// What an object said when it was opened.
public struct RangedObjectInfo: Sendable, Hashable {
    /// In bytes; `nil` where the server does not say it.
    public var size: Int64?
    /// What later reads are pinned to; `nil` where the server has none.
    public var etag: ETag?
    /// Whether parts of it can be asked for.
    public var acceptsRanges: Bool
    /// Whether an answer of another version would be noticed.
    public var isPinned: Bool
    /// Bytes from its start that came with the answer; all of them if they are `size`.
    public var head: [UInt8]

    /// For those who implement ``RangedObject``.
    public init(
        size: Int64?, etag: ETag? = nil, acceptsRanges: Bool, isPinned: Bool = true, head: [UInt8] = []
    ) {
        self.size = size
        self.etag = etag
        self.acceptsRanges = acceptsRanges
        self.isPinned = isPinned
        self.head = head
    }
}

extension TransferError {
    static func changed(_ name: String) -> TransferError {
        TransferError(
            .changed, "\(name) was replaced while it was read", hint: "start again from its beginning",
            isRetryable: false)
    }
}
