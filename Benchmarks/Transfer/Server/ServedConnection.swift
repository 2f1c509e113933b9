import Glibc
import Locking
import Transfer

/// A client's connection to the object server: reads requests and sends answers, as fast as the line.
///
/// Not thread-safe: its thread's own.
struct ServedConnection: ~Copyable {
    /// The client is gone.
    struct Gone: Error {}

    /// What passes between two looks at the clock, in bytes: 2.6 ms of 50 MB/s.
    private static let slice = 128 << 10
    private let socket: Int32
    private let shelf: Locked<ObjectShelf>
    private var pace: Pace
    /// What came behind the last head.
    private var pending: [UInt8] = []

    init(takingOwnershipOf socket: Int32, shelf: Locked<ObjectShelf>, bytesPerSecond: Double?) {
        self.socket = socket
        self.shelf = shelf
        pace = Pace(bytesPerSecond: bytesPerSecond)
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(socket) }

    // MARK: Reading

    /// - Returns: `nil` when there are no more.
    mutating func nextRequest() throws(Gone) -> ServedRequest? {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        var searched = 0
        while true {
            if let end = endOfHead(from: max(0, searched - 3)) {
                let head = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeFirst(end + 4)
                guard let request = ServedRequest(head) else { throw Gone() }
                return request
            }
            searched = pending.count
            let count = recv(socket, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            pending += chunk[..<count]
        }
    }

    private func endOfHead(from start: Int) -> Int? {
        guard pending.count >= 4 else { return nil }
        return (start...max(start, pending.count - 4)).first {
            pending[$0] == 13 && pending[$0 + 1] == 10 && pending[$0 + 2] == 13 && pending[$0 + 3] == 10
        }
    }

    /// - Parameter isObject: whether the bytes are those of an object, which are counted.
    mutating func body(of request: ServedRequest, isObject: Bool) throws(Gone) -> ByteRegion {
        let length = request.contentLength
        if request["expect"]?.lowercased() == "100-continue" { try write("HTTP/1.1 100 Continue\r\n\r\n") }
        let region = ByteRegion(count: length)
        var filled = min(length, pending.count)
        region.fill(at: 0, with: pending[..<filled])
        pending.removeFirst(filled)
        pace.begin()
        arrived(filled, isObject)
        while filled < length {
            let count = region.receive(at: filled, limit: Self.slice, from: socket)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Gone() }
            filled += count
            arrived(count, isObject)
        }
        return region
    }

    private mutating func arrived(_ count: Int, _ isObject: Bool) {
        guard count > 0, isObject else { return }
        let now = SharedClock.now
        shelf.withLock {
            $0.counts.firstOutput = $0.counts.firstOutput ?? now
            $0.counts.bytesIn += Int64(count)
        }
        pace.carry(count)
    }

    // MARK: Writing

    mutating func send(_ object: ServedObject, _ range: Range<Int>) throws(Gone) {
        pace.begin()
        try send(object, range, inSlicesOf: Self.slice) { count, connection in
            connection.pace.carry(count)
            connection.shelf.withLock { $0.counts.bytesOut += Int64(count) }
        }
    }

    /// As fast as it goes, and not counted.
    mutating func sendAtOnce(_ object: ServedObject) throws(Gone) {
        try send(object, 0..<object.size, inSlicesOf: 4 << 20) { _, _ in }
    }

    private mutating func send(
        _ object: ServedObject, _ range: Range<Int>, inSlicesOf slice: Int,
        before: (Int, inout ServedConnection) -> Void
    ) throws(Gone) {
        var start = 0
        for region in object.regions {
            var position = max(0, range.lowerBound - start)
            let end = min(region.count, range.upperBound - start)
            while position < end {
                let next = min(end, position + slice)
                before(next - position, &self)
                while position < next {
                    let count = region.send(position..<next, to: socket)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw Gone() }
                    position += count
                }
            }
            start += region.count
        }
    }

    func write(_ text: String) throws(Gone) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Gone() }
            rest = rest.dropFirst(count)
        }
    }

    /// The head of an answer, with all of its body where that is text.
    func answer(_ status: Int, _ headers: [String] = [], text: String = "", length: Int? = nil) throws(Gone) {
        let lines = ["HTTP/1.1 \(status) Status", "Content-Length: \(length ?? text.utf8.count)"] + headers
        try write(lines.joined(separator: "\r\n") + "\r\n\r\n" + text)
    }
}
