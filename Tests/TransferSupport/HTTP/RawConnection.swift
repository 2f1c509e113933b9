import Glibc
package import Transfer

/// A connection to a ``RawServer``.
///
/// Not thread-safe: used by its handler's thread.
package final class RawConnection {
    /// From 1, in the order in which they were accepted.
    package let number: Int
    private let descriptor: Int32
    private var isOpen = true
    private var buffer: [UInt8] = []
    private let record: (RawRequest) -> Void
    private let willClose: () -> Void

    init(
        _ descriptor: Int32, number: Int, record: @escaping (RawRequest) -> Void, willClose: @escaping () -> Void
    ) {
        self.descriptor = descriptor
        self.number = number
        self.record = record
        self.willClose = willClose
    }

    // MARK: Reading

    /// The head of the next request; its body is still to be read.
    ///
    /// - Returns: `nil` if the client closed the connection instead.
    package func readHead() throws -> RawRequest? {
        var searched = 0
        while true {
            if let end = Self.endOfHead(buffer, from: max(0, searched - 3)) {
                let head = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 4)
                let request = try RawRequest(head, connection: number)
                record(request)
                return request
            }
            searched = buffer.count
            guard let more = try receive() else {
                guard buffer.isEmpty else { throw RawServerError("the client closed amid a head") }
                return nil
            }
            buffer += more
        }
    }

    /// The next request with its body.
    package func readRequest() throws -> (head: RawRequest, body: [UInt8])? {
        guard let head = try readHead() else { return nil }
        return (head, try readBody(of: head))
    }

    /// The body of a request whose head was read: as long as it says, or in chunks.
    package func readBody(of request: RawRequest) throws -> [UInt8] {
        if let length = request.headers["Content-Length"].flatMap({ Int($0) }) { return try read(length) }
        guard request.headers["Transfer-Encoding"] == "chunked" else { return [] }
        var body: [UInt8] = []
        while true {
            guard let size = Int(try readLine(), radix: 16) else { throw RawServerError("a bad chunk") }
            body += try read(size)
            guard try readLine().isEmpty else { throw RawServerError("a chunk of another length than it says") }
            if size == 0 { return body }
        }
    }

    /// Exactly `count` bytes.
    package func read(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard let more = try receive() else { throw RawServerError("the client closed amid a body") }
            buffer += more
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private func readLine() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<max(0, end - 1)], as: UTF8.self)
            }
            guard let more = try receive() else { throw RawServerError("the client closed amid a line") }
            buffer += more
        }
    }

    /// Waits until the client has closed the connection, and takes no notice of what it still sends.
    package func waitForClose() {
        while let more = try? receive(), !more.isEmpty {}
    }

    /// POLLRDHUP, which is a GNU extension that the module map leaves out.
    private static let peerClosed: Int16 = 0x2000

    /// Whether the client has not closed the connection, as far as that shows: what it has sent is not read.
    ///
    /// - Parameter milliseconds: how long to wait for it to do so.
    package func isPeerOpen(waitingMilliseconds milliseconds: Int = 50) -> Bool {
        var poller = pollfd(fd: descriptor, events: Self.peerClosed, revents: 0)
        return poll(&poller, 1, Int32(milliseconds)) == 0
    }

    private func receive() throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count > 0 { return Array(bytes[..<count]) }
            if count == 0 { return nil }
            guard errno == EINTR else { throw RawServerError("recv", errno) }
        }
    }

    private static func endOfHead(_ bytes: [UInt8], from start: Int) -> Int? {
        var position = start
        while position + 4 <= bytes.count {
            if bytes[position] == 13, bytes[position + 1] == 10, bytes[position + 2] == 13, bytes[position + 3] == 10 {
                return position
            }
            position += 1
        }
        return nil
    }

    // MARK: Writing

    package func write(_ text: String) throws { try write(Array(text.utf8)) }

    /// Waits until the system has taken all of it.
    package func write(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                send(
                    descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw RawServerError("send", errno) }
            done += count
        }
    }

    /// Writes up to `total` bytes of zeros, until the client has not taken any for `patience`.
    ///
    /// - Returns: how many were written.
    package func writeUntilBlocked(_ total: Int, patienceMilliseconds: Int = 300) throws -> Int {
        let zeros = [UInt8](repeating: 0, count: 64 << 10)
        var done = 0
        while done < total {
            var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&poller, 1, Int32(patienceMilliseconds)) == 0 { return done }
            let count = send(
                descriptor, zeros, min(zeros.count, total - done),
                Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else { throw RawServerError("send", errno) }
            done += count
        }
        return done
    }

    /// A whole answer, with its length.
    package func respond(_ status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) throws {
        var head = "HTTP/1.1 \(status) Whatever\r\n"
        for field in headers.fields { head += "\(field.name): \(field.value)\r\n" }
        if headers["Content-Length"] == nil, status >= 200, status != 204, status != 304 {
            head += "Content-Length: \(body.count)\r\n"
        }
        try write(Array((head + "\r\n").utf8) + body)
    }

    // MARK: Ending

    package func close() {
        guard isOpen else { return }
        isOpen = false
        willClose()
        Glibc.close(descriptor)
    }

    /// Closes it so that the client sees a reset (RST), not an end.
    package func reset() {
        guard isOpen else { return }
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }
}
