import Glibc
import Synchronization

/// A file that appears under its name only when it is whole.
///
/// The bytes go to a hidden file beside it, which `finish()` renames. A crash leaves at most that hidden file, and
/// never a half-written one under the final name.
public final class FileSink: ReadableByteSink {
    public let name: String
    public var rewritableHead: Int64 { .max }

    private enum State {
        case open, finished, aborted
    }

    private let path: String
    private let partialPath: String
    private let overwrite: Bool
    private let file: OwnedDescriptor
    private let state = Mutex((state: State.open, end: Int64(0)))

    /// Creates the hidden file beside `path`.
    ///
    /// - Parameter overwrite: whether `finish` may replace a file that is there; if not, `exists` is thrown, here
    ///   if it is there already, and by `finish` if it came meanwhile.
    /// - Throws: ``ByteIOError``.
    public init(path: String, overwrite: Bool) throws {
        self.path = path
        self.overwrite = overwrite
        name = path
        var info = stat()
        if stat(path, &info) == 0 {
            guard info.st_mode & S_IFMT == S_IFREG else {
                throw ByteIOError(.permission, "cannot write \(path): it is not a regular file")
            }
            guard overwrite else { throw ByteIOError.alreadyExists(path) }
        }
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { path[...$0] } ?? ""
        let base = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let unique = String(UInt64.random(in: .min ... .max), radix: 36)
        partialPath = "\(folder).\(base.prefix(200)).\(unique).partial"
        file = try OwnedDescriptor.open(partialPath, O_RDWR | O_CREAT | O_EXCL, name: path)
    }

    deinit { abort() }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        let end = state.withLock { $0.end }
        try file.writeAll(bytes, at: end)
        state.withLock { $0.end = end + Int64(bytes.count) }
    }

    public func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        let end = state.withLock { $0.end }
        guard offset >= 0, offset + Int64(bytes.count) <= end else {
            throw ByteIOError(.notSeekable, "cannot rewrite \(name) at byte \(offset): only \(end) are written")
        }
        try file.writeAll(bytes, at: offset)
    }

    public func readBack(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try file.read(into: buffer, at: offset)
    }

    public func finish() throws {
        guard state.withLock({ $0.state == .open }) else {
            throw ByteIOError(.io, "cannot finish \(name): it was finished or aborted before")
        }
        do {
            try file.synchronize()
            // A hard link fails when the name is taken, which a rename does not: no check-then-act.
            if overwrite {
                guard rename(partialPath, path) == 0 else { throw ByteIOError.system("create", path, errno: errno) }
            } else if link(partialPath, path) == 0 {
                unlink(partialPath)
            } else if errno == EEXIST {
                throw ByteIOError.alreadyExists(path)
            } else {
                // File systems without hard links.
                guard access(path, F_OK) != 0 else { throw ByteIOError.alreadyExists(path) }
                guard rename(partialPath, path) == 0 else { throw ByteIOError.system("create", path, errno: errno) }
            }
        } catch {
            abort()
            throw error
        }
        state.withLock { $0.state = .finished }
        file.close()
    }

    public func abort() {
        let wasOpen = state.withLock { held in
            defer { if held.state == .open { held.state = .aborted } }
            return held.state == .open
        }
        guard wasOpen else { return }
        file.close()
        unlink(partialPath)
    }
}

extension ByteIOError {
    static func alreadyExists(_ path: String) -> ByteIOError {
        ByteIOError(.exists, "\(path) exists already; allow overwriting or choose another name")
    }
}
