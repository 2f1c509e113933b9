import Glibc

/// Bytes that stay where they are: a file in memory, or a body that came.
///
/// `@unchecked Sendable`: filled by the thread that makes it, and only read once others have it.
final class ByteRegion: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    private let isMapped: Bool

    var count: Int { memory.count }

    /// Room for a body.
    init(count: Int) {
        memory = .allocate(byteCount: count, alignment: 64)
        isMapped = false
    }

    /// A file's bytes as the system holds them.
    init(mapping path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        var information = stat()
        guard descriptor >= 0, fstat(descriptor, &information) == 0, information.st_size > 0 else {
            throw ChildProcess.Failure(description: "\(path) cannot be served: \(String(cString: strerror(errno)))")
        }
        let count = Int(information.st_size)
        // All of it now, not page by page while it is asked for.
        guard let start = mmap(nil, count, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, 0), start != MAP_FAILED
        else {
            throw ChildProcess.Failure(description: "\(path) cannot be mapped: \(String(cString: strerror(errno)))")
        }
        memory = UnsafeMutableRawBufferPointer(start: start, count: count)
        isMapped = true
    }

    deinit {
        if isMapped { munmap(memory.baseAddress, memory.count) } else { memory.deallocate() }
    }

    /// To be called before anybody else has it.
    func fill(at offset: Int, with bytes: some Collection<UInt8>) {
        UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + bytes.count]).copyBytes(from: bytes)
    }

    /// Takes in up to `limit` bytes that a socket has. To be called before anybody else has it.
    ///
    /// - Returns: how many; 0 at the end, below it for an error.
    func receive(at offset: Int, limit: Int, from socket: Int32) -> Int {
        let room = UnsafeMutableRawBufferPointer(rebasing: memory[offset..<min(offset + limit, memory.count)])
        return recv(socket, room.baseAddress, room.count, 0)
    }

    /// Hands bytes to a socket.
    ///
    /// - Returns: how many it took; below 0 for an error.
    func send(_ range: Range<Int>, to socket: Int32) -> Int {
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[range])
        return Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
