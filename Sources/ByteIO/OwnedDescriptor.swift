import Glibc
import Synchronization

/// The one owner of a file descriptor. Retries interrupted calls and turns errno into ``ByteIOError``.
///
/// Thread safety: positional reads and writes may be concurrent; `close` must not race with them.
final class OwnedDescriptor: Sendable {
    let name: String
    private let descriptor: Atomic<Int32>
    private let closesOnDeinit: Bool

    init(takingOwnershipOf descriptor: Int32, name: String, closes: Bool = true) {
        self.descriptor = Atomic(descriptor)
        self.name = name
        closesOnDeinit = closes
    }

    deinit { close() }

    var raw: Int32 { descriptor.load(ordering: .acquiring) }

    /// One that is not open yet: see `openLater`.
    init(pending name: String) {
        descriptor = Atomic(Self.pending)
        self.name = name
        closesOnDeinit = true
    }
    private static let pending: Int32 = -2

    var isPending: Bool { raw == Self.pending }

    /// Opens one that is pending.
    func openLater(_ path: String, _ flags: Int32) throws {
        let opened = Self.retrying { openFile(path, flags | O_CLOEXEC, 0) }
        guard opened >= 0 else { throw ByteIOError.system("open", name, errno: errno) }
        let (isOurs, _) = descriptor.compareExchange(
            expected: Self.pending, desired: opened, ordering: .acquiringAndReleasing)
        if !isOurs { _ = closeFile(opened) }
    }

    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o666, name: String) throws -> OwnedDescriptor {
        let descriptor = retrying { openFile(path, flags | O_CLOEXEC, mode) }
        guard descriptor >= 0 else {
            throw ByteIOError.system(flags & O_CREAT != 0 ? "create" : "open", name, errno: errno)
        }
        return OwnedDescriptor(takingOwnershipOf: descriptor, name: name)
    }

    func close() {
        let old = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if old >= 0, closesOnDeinit { _ = closeFile(old) }
    }

    /// Flushes to the device: an error that the system kept back (a full disk, a lost network mount) shows here.
    func synchronize() throws {
        if Self.retrying({ fsync(raw) }) != 0, errno != EINVAL, errno != EROFS {
            throw ByteIOError.system("write", name, errno: errno)
        }
    }

    var status: stat? {
        var info = stat()
        return fstat(raw, &info) == 0 ? info : nil
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return 0 }
        let count = Self.retrying { pread(raw, base, buffer.count, off_t(offset)) }
        guard count >= 0 else { throw ByteIOError.system("read", name, errno: errno) }
        return count
    }

    func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var written = 0
        while written < bytes.count, let base = bytes.baseAddress {
            let count = Self.retrying {
                pwrite(raw, base + written, bytes.count - written, off_t(offset + Int64(written)))
            }
            guard count > 0 else { throw ByteIOError.system("write", name, errno: count == 0 ? EIO : errno) }
            written += count
        }
    }

    /// One read or write of a descriptor that cannot seek.
    ///
    /// - Returns: the count of bytes, or `nil` if it would have to wait: whoever gave us the descriptor may have made
    ///   it non-blocking, and another process may have been faster.
    func readSome(into buffer: UnsafeMutableRawBufferPointer) throws -> Int? {
        try some("read") { readFile(raw, buffer.baseAddress, buffer.count) }
    }

    /// See `readSome`.
    func writeSome(_ bytes: UnsafeRawBufferPointer) throws -> Int? {
        try some("write") { writeFile(raw, bytes.baseAddress, bytes.count) }
    }

    private func some(_ operation: String, _ call: () -> Int) throws -> Int? {
        let count = Self.retrying(call)
        if count >= 0 { return count }
        let number = errno
        if number == EAGAIN || number == EWOULDBLOCK { return nil }
        throw ByteIOError.system(operation, name, errno: number)
    }

    /// Waits until the descriptor is ready for `events`, in slices, so that a cancel is noticed.
    func wait(for events: Int16, unless cancellation: borrowing Cancellation) throws {
        while true {
            try cancellation.check(name)
            // `poll` takes no notice of a descriptor of -1, and would wait for ever.
            guard raw >= 0 else { throw ByteIOError(.io, "cannot use \(name): it is closed") }
            var poller = pollfd(fd: raw, events: events, revents: 0)
            let ready = poll(&poller, 1, 50)
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw ByteIOError.system("wait for", name, errno: errno) }
        }
    }

    private static func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            if result == -1, errno == EINTR { continue }
            return result
        }
    }
}

// The class's own `read`, `open` and `close` hide the system's inside it.
private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
private func closeFile(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func readFile(_ descriptor: Int32, _ base: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, base, count)
}
private func writeFile(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, base, count)
}
