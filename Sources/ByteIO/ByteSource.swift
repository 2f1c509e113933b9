/// Bytes that can be read at an offset: a file, memory, a pipe, an object in a store.
///
/// A source is read by one thread at a time, which it may block. `cancel()` may come from any other thread.
///
/// Thread safety: conforming types are `Sendable`; calls to `read` are never concurrent for one source.
public protocol ByteSource: AnyObject, Sendable {
    /// A name for messages, without credentials or signatures: a path, or a URL without its query.
    var name: String { get }

    /// Length in bytes, or `nil` where it cannot be known before the end (a pipe).
    var length: Int64? { get }

    /// Whether `read` accepts any offset. If false, each read must begin where the one before it ended.
    var isSeekable: Bool { get }

    /// What a person should know who wonders why reading is slow, each a sentence.
    var notices: [String] { get }

    /// Reads up to `buffer.count` bytes that begin `offset` bytes from the start.
    ///
    /// Blocks until at least one byte is there.
    /// - Returns: the count of bytes read; 0 only at the end.
    /// - Throws: ``ByteIOError``, or an error of the source's own, which reaches the caller of the engine unchanged.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int

    /// Makes a `read` that is waiting, and all later ones, throw soon. Called from any thread, any number of times.
    func cancel()
}

extension ByteSource {
    /// None.
    public var notices: [String] { [] }

    /// Does nothing: a `read` that is waiting goes on.
    public func cancel() {}

    /// Reads all that is left from `offset`, for small inputs such as subtitles and fonts.
    ///
    /// - Throws: ``ByteIOError`` with code `tooLarge` if there are more than `limit` bytes.
    public func readAll(from offset: Int64 = 0, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var position = offset
        while true {
            let count = try chunk.withUnsafeMutableBytes { try read(into: $0, at: position) }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else {
                throw ByteIOError(.tooLarge, "\(name) is larger than \(limit) bytes")
            }
            bytes.append(contentsOf: chunk[..<count])
            position += Int64(count)
        }
    }
}
