import CPostgres
import Foundation
package import Logging

/// A connection to the database, on a thread of its own.
///
/// ```swift
/// let connection = try await PostgresConnection.connect(PostgresSettings("postgresql://…"), logger: logger)
/// let rows = try await connection.query("SELECT id, payload FROM job WHERE queue = $1", ["mail"])
/// for row in rows { try row.decode("id", as: UUID.self) }
/// ```
/// Every call has a deadline, and ends soon after its task is cancelled: the server is asked to give up, and if
/// it doesn't answer, the connection is closed. No thread of Swift's pool ever waits for the network.
///
/// Thread-safe; calls run one after another, in order.
package final class PostgresConnection: Sendable {
    private let inbox: PostgresInbox
    /// As it was opened with.
    package let settings: PostgresSettings

    /// Connects, within the connect timeout of `settings`. Looking up the host's name comes first, and has the
    /// system's own time limit.
    ///
    /// - Throws: `cannotConnect`, `cancelled`.
    package static func connect(
        _ settings: PostgresSettings, logger: Logger, events: PostgresConnectionEvents = PostgresConnectionEvents()
    ) async throws -> PostgresConnection {
        let connection = try PostgresConnection(settings, logger: logger, events: events, borrowing: nil)
        do {
            try await connection.perform(timeout: settings.connectBudget, isBounded: false) { session in
                try session.connect()
            }
            return connection
        } catch {
            connection.inbox.stop()
            throw error
        }
    }

    /// A pointer on its way to the thread that uses it.
    ///
    /// `@unchecked Sendable`: a PGconn may be used by any thread, one at a time, and whoever lends one promises
    /// not to use it meanwhile.
    struct LentConnection: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    init(
        _ settings: PostgresSettings, logger: Logger, events: PostgresConnectionEvents, borrowing lent: LentConnection?
    ) throws {
        let inbox = PostgresInbox(wake: try WakeSignal())
        self.inbox = inbox
        self.settings = settings
        let thread = Thread {
            let session = PostgresSession(
                settings: settings, inbox: inbox, logger: logger, events: events, borrowing: lent?.pointer)
            loop: while true {
                switch inbox.next() {
                case .operation(let operation):
                    session.control = operation.control
                    operation.run(session)
                case .idle: session.idle()
                case .stop: break loop
                }
            }
            session.finish()
            inbox.stopped()
        }
        thread.name = "kiln.pg"
        thread.stackSize = 512 << 10
        thread.start()
    }

    deinit { inbox.stop() }

    // MARK: State

    /// Why the connection is of no more use, if it isn't.
    package var failure: QueueError? { inbox.failure }
    /// Whether no transaction is open.
    package var isIdle: Bool { inbox.isIdleInSession }
    /// Whether something happened that only a pooler in transaction mode explains.
    package var isPoolerSuspected: Bool { inbox.isPoolerSuspected }

    /// Closes the connection when the calls made before are done.
    package func close() async {
        inbox.stop()
        await inbox.waitUntilStopped()
    }

    // MARK: Statements

    /// Runs a statement and returns its rows.
    ///
    /// - Parameter timeout: instead of the settings' statement timeout.
    package func query(_ statement: PostgresStatement, timeout: Duration? = nil) async throws -> PostgresRows {
        try await perform(timeout: timeout) { session in try session.run(statement) }
    }

    /// The same, with the statement in parts.
    package func query(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], name: String? = nil, timeout: Duration? = nil
    ) async throws -> PostgresRows {
        try await query(PostgresStatement(sql, parameters, name: name), timeout: timeout)
    }

    /// Runs SQL of any number of commands, without parameters or rows. It is one transaction, unless it says
    /// otherwise.
    package func script(_ sql: String, timeout: Duration? = nil) async throws {
        try await perform(timeout: timeout) { session in try session.script(sql) }
    }

    /// Runs statements in one round trip. Outside of a transaction they are one: all take effect, or none.
    package func pipeline(_ statements: [PostgresStatement], timeout: Duration? = nil) async throws -> [PostgresRows] {
        try await perform(timeout: timeout) { session in try session.pipeline(statements) }
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
    ///
    /// Nobody else may use the connection meanwhile. If the connection is lost in the commit, whether it took
    /// effect is unknown, and the error is `connectionLost`.
    package func withTransaction<R>(
        isolation level: PostgresIsolation = .readCommitted, readOnly: Bool = false,
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> sending R
    ) async throws -> sending R {
        try await script("BEGIN ISOLATION LEVEL \(level.rawValue) READ \(readOnly ? "ONLY" : "WRITE")")
        let result: R
        do {
            result = try await body(self)
        } catch {
            // Also when the task is cancelled: an open transaction would hold its locks.
            try? await perform(timeout: nil, isCancellable: false) { session in try session.script("ROLLBACK") }
            throw error
        }
        let tag = try await perform(timeout: nil, isCancellable: false) { session in
            try session.run(PostgresStatement("COMMIT")).tag
        }
        guard tag == "COMMIT" else {
            throw QueueError(
                .server, "the transaction was rolled back at its end",
                hint: "a statement in it had failed, and the error was caught", sqlState: "25P02")
        }
        return result
    }

    /// The process number that the server gave this session when it began. A pooler invents one.
    package func announcedProcess() async throws -> Int {
        try await perform(timeout: nil) { session in Int(PQbackendPID(try session.open())) }
    }

    // MARK: The thread

    /// Runs `body` on the connection's thread.
    ///
    /// - Parameter isBounded: whether no timeout means the settings' statement timeout.
    func perform<R: Sendable>(
        timeout: Duration?, isCancellable: Bool = true, isBounded: Bool = true,
        _ body: @escaping @Sendable (PostgresSession) throws -> R
    ) async throws -> R {
        let control = OperationControl(timeout: timeout ?? (isBounded ? settings.statementTimeout : nil))
        let inbox = inbox
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                inbox.submit(
                    PostgresOperation(control: control) { session in
                        let result = Result { try body(session) }
                        if let connection = session.connection {
                            inbox.isIdleInSession = PQtransactionStatus(connection) == PQTRANS_IDLE
                        }
                        continuation.resume(with: result)
                    } refuse: { error in
                        continuation.resume(throwing: error)
                    })
            }
        } onCancel: {
            if isCancellable {
                control.cancel()
                inbox.wake.raise()
            }
        }
    }
}
