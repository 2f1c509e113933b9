import Foundation
import Locking

/// A TCP proxy before a server on the loopback, which can go silent as a network does.
///
/// Thread-safe: its threads share nothing but what is behind the lock.
package final class BlackholeProxy: Sendable {
    package enum Mode: Sendable {
        /// Bytes go through, both ways.
        case pass
        /// Connections are accepted and kept, and nothing is delivered.
        case blackhole
        /// Connections are closed as soon as they come.
        case refuse
    }

    private struct State {
        var mode = Mode.pass
        var isClosed = false
        /// Both ends of every connection.
        var sockets: Set<Int32> = []
    }

    package let port: Int
    private let listener: Int32
    private let target: Int
    private let state = Locked(State())

    /// Listens on a free port, and connects to `target`.
    package init(to target: Int) throws {
        self.target = target
        listener = try LoopbackSocket.listen()
        port = LoopbackSocket.port(of: listener)
        let thread = Thread { [self] in accept() }
        thread.start()
    }

    package var mode: Mode {
        get { state.withLock { $0.mode } }
        set { state.withLock { $0.mode = newValue } }
    }

    /// Breaks off the connections there are.
    package func killAll() {
        state.withLock { state in
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// Stops listening and breaks off the connections.
    package func close() {
        state.withLock { $0.isClosed = true }
        shutdown(listener, Int32(SHUT_RDWR))
        killAll()
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            if state.withLock({ $0.isClosed }) || client < 0 {
                if client >= 0 { Glibc.close(client) }
                break
            }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            if mode == .refuse {
                Glibc.close(client)
                continue
            }
            Thread { [self] in serve(client) }.start()
        }
        Glibc.close(listener)
    }

    private func serve(_ client: Int32) {
        guard let server = try? LoopbackSocket.connect(port: target) else {
            Glibc.close(client)
            return
        }
        state.withLock { $0.sockets.formUnion([client, server]) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var isOpen = true
        while isOpen {
            // Bytes that come while nothing is delivered stay in the sockets' buffers.
            let isSilent = mode == .blackhole
            let events = isSilent ? Int16(0) : Int16(POLLIN)
            var descriptors = [
                pollfd(fd: client, events: events, revents: 0), pollfd(fd: server, events: events, revents: 0),
            ]
            _ = poll(&descriptors, 2, 20)
            for (index, target) in [(0, server), (1, client)] where descriptors[index].revents != 0 {
                let count = recv(descriptors[index].fd, &buffer, buffer.count, 0)
                if count <= 0 || !send(buffer, count, to: target) { isOpen = false }
            }
        }
        state.withLock { $0.sockets.subtract([client, server]) }
        Glibc.close(client)
        Glibc.close(server)
    }

    private func send(_ buffer: [UInt8], _ count: Int, to target: Int32) -> Bool {
        var sent = 0
        while sent < count {
            let more = buffer.withUnsafeBytes {
                Glibc.send(target, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
            }
            if more <= 0 { return false }
            sent += more
        }
        return true
    }
}
