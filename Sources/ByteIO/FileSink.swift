import Glibc
import Synchronization

/// A file that appears under its name only when it is whole.
///
/// The bytes go to a hidden file beside it, which `finish()` renames. A crash leaves at most that hidden file, and
/// never a half-written one under the final name.
public final class FileSink: ReadableByteSink {
    /// The path as it was given.
    public let name: String
    /// `Int64.max`: all of it.
    public var rewritableHead: Int64 { .max }

    private let path: String
    private let partialPath: String
    private let overwrite: Bool
    private let file: OwnedDescriptor
    private struct State {
        var progress = SinkProgress.open
        var end: Int64 = 0
        /// Whether all that was written is on the device.
        var isSynchronized = false
        /// The file under its final name.
        var published: stat?
    }
    private let state = Mutex(State())
    private let cancellation = Cancellation()

    /// Creates the hidden file beside `path`.
    ///
    /// - Parameter overwrite: whether `finish` may replace a file that is there; if not, `exists` is thrown, here
    ///   if it is there already, and by `finish` if it came meanwhile.
    /// - Throws: ``ByteIOError``.
    public init(path: String, overwrite: Bool) throws {
        self.overwrite = overwrite
        name = path
        var info = stat()
        if stat(path, &info) == 0 {
            guard info.st_mode & S_IFMT == S_IFREG else {
                throw ByteIOError(.permission, "cannot write \(path): it is not a regular file")
            }
            guard overwrite else { throw ByteIOError.alreadyExists(path) }
        } else if lstat(path, &info) == 0, !overwrite {
            // A symbolic link that leads nowhere has the name, too.
            throw ByteIOError.alreadyExists(path)
        }
        // A symbolic link stays, and the file that it leads to is replaced.
        self.path = Self.resolvingLinks(path)
        partialPath = try Self.hiddenPath(beside: self.path)
        do {
            file = try OwnedDescriptor.open(partialPath, O_RDWR | O_CREAT | O_EXCL, name: path)
        } catch let error as ByteIOError where error.code == .notFound {
            throw ByteIOError(.notFound, "cannot create \(path): its folder does not exist", errno: error.errno)
        }
    }

    deinit { abort() }

    private static func resolvingLinks(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// A name in the same folder, and so on the same file system, that `rename` can move to `path`. File names hold
    /// 255 bytes at most: a long one is shortened by whole characters.
    private static func hiddenPath(beside path: String) throws -> String {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { path[...$0] } ?? ""
        var base = slash.map { path[path.index(after: $0)...] } ?? path[...]
        guard !base.isEmpty else {
            throw ByteIOError(.notFound, "cannot create \(path.isEmpty ? "a file" : path): a file name is missing")
        }
        while base.utf8.count > 200 { base.removeLast() }
        let unique = String(UInt64.random(in: .min ... .max), radix: 36)
        return "\(folder).\(base).\(unique).partial"
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        let end = try begin("write")
        try file.writeAll(bytes, at: end)
        state.withLock {
            $0.end = end + Int64(bytes.count)
            $0.isSynchronized = false
        }
    }

    public func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        let end = try begin("rewrite")
        guard offset >= 0, offset <= end - Int64(bytes.count) else {
            throw ByteIOError(.notSeekable, "cannot rewrite \(name) at byte \(offset): only \(end) are written")
        }
        try file.writeAll(bytes, at: offset)
        state.withLock { $0.isSynchronized = false }
    }

    public func readBack(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        _ = try begin("read back")
        return try file.read(into: buffer, at: offset)
    }

    /// - Returns: where the file ends now.
    private func begin(_ operation: String) throws -> Int64 {
        try cancellation.check(name)
        return try state.withLock { held in
            try held.progress.expectOpen(operation, name)
            return held.end
        }
    }

    public func prepare() throws {
        _ = try begin("prepare")
        if !state.withLock({ $0.isSynchronized }) { try file.synchronize() }
        state.withLock { $0.isSynchronized = true }
        if !overwrite, access(path, F_OK) == 0 { throw ByteIOError.alreadyExists(name) }
    }

    public func finish() throws {
        do {
            try prepare()
            // The last moment to take it back.
            try cancellation.check(name)
            // A hard link fails when the name is taken, which a rename does not: no check-then-act.
            if overwrite {
                guard rename(partialPath, path) == 0 else { throw ByteIOError.system("create", name, errno: errno) }
            } else if link(partialPath, path) == 0 {
                unlink(partialPath)
            } else if errno == EEXIST {
                throw ByteIOError.alreadyExists(name)
            } else {
                // File systems without hard links.
                guard access(path, F_OK) != 0 else { throw ByteIOError.alreadyExists(name) }
                guard rename(partialPath, path) == 0 else { throw ByteIOError.system("create", name, errno: errno) }
            }
        } catch {
            abort()
            throw error
        }
        let published = file.status
        state.withLock {
            $0.progress = .finished
            $0.published = published
        }
        file.close()
    }

    public func retract() {
        // Another program may have put its own file there meanwhile.
        var current = stat()
        guard let published = state.withLock({ $0.published }), stat(path, &current) == 0,
            current.st_ino == published.st_ino, current.st_dev == published.st_dev
        else { return }
        unlink(path)
    }

    public func abort() {
        let wasOpen = state.withLock { held in
            guard held.progress == .open else { return false }
            held.progress = .aborted
            return true
        }
        guard wasOpen else { return }
        file.close()
        unlink(partialPath)
    }

    public func cancel() { cancellation.cancel() }
}

extension ByteIOError {
    static func alreadyExists(_ path: String) -> ByteIOError {
        ByteIOError(.exists, "\(path) exists already; allow overwriting or choose another name")
    }
}
