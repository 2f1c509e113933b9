import CPostgres
package import Logging

extension PostgresConnection {
    /// Runs `body` on a libpq connection of the caller's, in whatever transaction is open there.
    ///
    /// The statements run on a private thread while the caller awaits. Nobody may use the pointer until this
    /// returns. The connection stays open, and its notice receiver, notifications and blocking mode stay as
    /// they were; nothing is prepared in it.
    ///
    /// - Parameter pointer: a `PGconn *`, idle: no command under way, no COPY, not in pipeline mode.
    /// - Throws: `badRequest` if the connection is not idle; whatever `body` throws. After `connectionLost` only
    ///   `PQfinish` or `PQreset` is left to do with it.
    package static func withExternalConnection<R>(
        _ pointer: OpaquePointer, settings: PostgresSettings? = nil, logger: Logger,
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> sending R
    ) async throws -> sending R {
        let settings = try settings ?? PostgresSettings("")
        let connection = try PostgresConnection(
            settings, logger: logger, events: PostgresConnectionEvents(),
            borrowing: LentConnection(pointer: pointer))
        let wasNonblocking: Bool
        do {
            wasNonblocking = try await connection.perform(timeout: nil) { session in try session.adopt() }
        } catch {
            await connection.close()
            throw error
        }
        func giveBack() async {
            try? await connection.perform(timeout: nil, isCancellable: false) { session in
                try session.giveBack(nonblocking: wasNonblocking)
            }
            await connection.close()
        }
        do {
            let result = try await body(connection)
            await giveBack()
            return result
        } catch {
            await giveBack()
            throw error
        }
    }
}

extension PostgresSession {
    /// - Returns: whether the connection was in non-blocking mode before.
    fileprivate func adopt() throws(QueueError) -> Bool {
        let connection = try open()
        guard PQstatus(connection) == CONNECTION_OK, PQtransactionStatus(connection) != PQTRANS_ACTIVE,
            PQpipelineStatus(connection) == PQ_PIPELINE_OFF
        else {
            throw QueueError(
                .badRequest, "the connection that was handed over is not idle",
                hint: "finish the command under way, and leave pipeline mode, before")
        }
        let before = PQisnonblocking(connection) == 1
        guard PQsetnonblocking(connection, 1) == 0 else { throw lost() }
        return before
    }

    fileprivate func giveBack(nonblocking: Bool) throws(QueueError) {
        PQsetnonblocking(try open(), nonblocking ? 1 : 0)
    }
}
