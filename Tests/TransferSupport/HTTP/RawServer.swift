import Foundation
import Locking
import Transfer

/// A TCP server on the loopback whose every byte the test decides on: a thread for each connection runs the test's
/// closure.
///
/// ```swift
/// let server = try RawServer { connection in
///     while let (request, _) = try connection.readRequest() {
///         try connection.respond(200, body: Array("hello \(request.path)".utf8))
///     }
/// }
/// ```
/// Thread-safe.
package final class RawServer: Sendable {
    package typealias Handler = @Sendable (RawConnection) throws -> Void

    private struct State {
        var requests: [RawRequest] = []
        var connections = 0
        /// Descriptors that are open, by the number of their connection.
        var open: [Int: Int32] = [:]
        var hasStarted = false
        var isStopped = false
    }

    /// Four decimal numbers.
    package let address: String
    package let port: Int
    private let listener: Int32
    private let handler: Handler
    private let state = Locked(State())

    /// Listens.
    ///
    /// - Parameters:
    ///   - address: of 127.0.0.0/8.
    ///   - port: 0 for a free one.
    ///   - isListening: `false` for a server that is not there yet: connections are refused until `start`.
    ///   - handler: what to do with a connection, which is closed when it returns or throws.
    package init(
        address: String = "127.0.0.1", port: Int = 0, isListening: Bool = true, _ handler: @escaping Handler
    ) throws {
        self.address = address
        self.handler = handler
        listener = try RawSocket.bind(address, port: port)
        self.port = RawSocket.port(of: listener)
        if isListening { try start() }
    }

    /// Listens, if it does not yet.
    package func start() throws {
        let isFirst = state.withLock { state in
            defer { state.hasStarted = true }
            return !state.hasStarted
        }
        guard isFirst else { return }
        try RawSocket.listen(listener, backlog: 64)
        Thread { [listener, state, handler] in Self.accept(listener, state, handler) }.start()
    }

    deinit { stop() }

    /// "http://127.0.0.1:4711/path"
    package func url(_ path: String = "/") -> String { "http://\(address):\(port)\(path)" }

    /// All requests whose head was read so far, in order.
    package var requests: [RawRequest] { state.withLock { $0.requests } }
    /// How many connections were accepted so far.
    package var connections: Int { state.withLock { $0.connections } }

    /// Closes the port and all connections.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            guard state.hasStarted else {
                close(listener)
                return
            }
            // `close` alone does not wake a thread that is in `accept`; that thread closes it.
            shutdown(listener, Int32(SHUT_RDWR))
            for descriptor in state.open.values { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// What the threads work with holds no reference to the server, which could not end otherwise.
    private static func accept(_ listener: Int32, _ state: Locked<State>, _ handler: @escaping Handler) {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            // A program that another test starts meanwhile would keep the connection open, and its client waiting.
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            let number = state.withLock { state -> Int? in
                guard !state.isStopped else { return nil }
                state.connections += 1
                state.open[state.connections] = descriptor
                return state.connections
            }
            guard let number else {
                close(descriptor)
                continue
            }
            Thread {
                let connection = RawConnection(descriptor, number: number) { request in
                    state.withLock { $0.requests.append(request) }
                } willClose: {
                    state.withLock { $0.open[number] = nil }
                }
                // A client that goes away, or a server that is stopped, ends the handler by an error.
                try? handler(connection)
                connection.close()
            }.start()
        }
        close(listener)
    }
}
