import Locking
import Logging
import Testing
import Transfer
import TransferTestSupport

/// What the tests of the client share.
enum HTTPBench {
    /// A client that may talk to the loopback, waits little between attempts, and logs nothing.
    static func client(_ change: (inout HTTPConfiguration) -> Void = { _ in }) throws -> HTTPClient {
        var configuration = HTTPConfiguration()
        configuration.addressGuard.allowedNetworks = [try #require(IPNetwork("127.0.0.0/8"))]
        configuration.retries = HTTPRetryPolicy(base: .milliseconds(1), cap: .milliseconds(5))
        change(&configuration)
        return try HTTPClient(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    static func get(_ server: RawServer, _ path: String = "/") throws -> HTTPRequest {
        HTTPRequest(.get, try HTTPURL(server.url(path)))
    }

    /// A server that answers every request of a connection with what `answer` does.
    static func server(
        address: String = "127.0.0.1",
        _ answer: @escaping @Sendable (RawConnection, RawRequest, [UInt8]) throws -> Void
    ) throws -> RawServer {
        try RawServer(address: address) { connection in
            while let (request, body) = try connection.readRequest() { try answer(connection, request, body) }
        }
    }

    /// A server that answers the n-th request, of all connections, with the n-th of `answers`, and later ones with the
    /// last.
    static func script(_ answers: [@Sendable (RawConnection) throws -> Void]) throws -> RawServer {
        let next = Locked(0)
        return try server { connection, _, _ in
            let index = next.withLock { next in
                defer { next += 1 }
                return min(next, answers.count - 1)
            }
            try answers[index](connection)
        }
    }
}

/// The error that `body` throws, if it is Transfer's.
func transferError(_ body: () async throws -> Void) async -> TransferError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? TransferError
    }
}
