import Glibc

/// A regular file, read at offsets.
public final class FileSource: ByteSource {
    public let name: String
    public let length: Int64?
    public var isSeekable: Bool { true }
    private let file: OwnedDescriptor

    /// Opens the file at `path`.
    ///
    /// - Throws: ``ByteIOError``; `notFound`, `permission`, or `io` for a directory. A FIFO or device belongs to
    ///   ``PipeSource``.
    public init(path: String) throws {
        name = path
        file = try OwnedDescriptor.open(path, O_RDONLY, name: path)
        guard let status = file.status else { throw ByteIOError.system("open", path, errno: errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw ByteIOError(.io, "cannot read \(path): it is a folder", errno: EISDIR)
        }
        length = Int64(status.st_size)
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try file.read(into: buffer, at: offset)
    }
}
