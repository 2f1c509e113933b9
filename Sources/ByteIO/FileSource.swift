import Glibc

/// A regular file, read at offsets.
public final class FileSource: ByteSource {
    /// The path as it was given.
    public let name: String
    /// Bytes that the file had when it was opened, never `nil`.
    public let length: Int64?
    /// Always true: a read may begin anywhere.
    public var isSeekable: Bool { true }
    private let file: OwnedDescriptor
    private let cancellation = Cancellation()

    /// Opens the file at `path`.
    ///
    /// - Throws: ``ByteIOError``; `notFound`, `permission`, or `io` for a folder, and for a FIFO or device, which
    ///   belongs to ``PipeSource``.
    public init(path: String) throws {
        name = path
        // Opening a FIFO would wait for its writer; for a regular file O_NONBLOCK means nothing.
        file = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, name: path)
        guard let status = file.status else { throw ByteIOError.system("open", path, errno: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw ByteIOError(.io, "cannot read \(path): it is a folder", errno: EISDIR)
        default: throw ByteIOError(.io, "cannot read \(path) as a file: it is a pipe or device", errno: ESPIPE)
        }
        length = Int64(status.st_size)
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try cancellation.check(name)
        return try file.read(into: buffer, at: offset)
    }

    public func cancel() { cancellation.cancel() }
}
