import CPostgres
import Foundation
import Logging

/// What a connection tells without being asked. The closures are called on its thread: they must not block.
package struct PostgresConnectionEvents: Sendable {
    /// A message came on a channel that the connection listens to.
    package var onNotification: (@Sendable (PostgresNotification) -> Void)?
    /// The connection is of no more use.
    package var onBroken: (@Sendable (QueueError) -> Void)?

    /// By default nobody is told.
    package init(
        onNotification: (@Sendable (PostgresNotification) -> Void)? = nil,
        onBroken: (@Sendable (QueueError) -> Void)? = nil
    ) {
        self.onNotification = onNotification
        self.onBroken = onBroken
    }
}

/// A message that somebody sent with NOTIFY.
package struct PostgresNotification: Sendable, Hashable {
    /// The channel that it was sent to.
    package var channel: String
    /// Empty if it was sent without.
    package var payload: String
}

/// A PGconn and everything that waits for its socket. Lives on one thread and never leaves it.
///
/// libpq is driven in its non-blocking mode, so that every wait also ends at a deadline or when the task that
/// waits is cancelled. https://www.postgresql.org/docs/current/libpq-async.html
final class PostgresSession {
    let settings: PostgresSettings
    let inbox: PostgresInbox
    let logger: Logger
    let events: PostgresConnectionEvents
    /// False for a connection that a caller lent.
    let isOwner: Bool
    private(set) var connection: OpaquePointer?
    /// What ends the operation that is running.
    var control = OperationControl(timeout: nil)
    /// SQL of the statements that the server has, by name.
    var prepared: [String: String] = [:]
    var prepares: Bool
    /// The last thing the server said with the severity FATAL: why it then hung up.
    var lastWords: QueueError?

    var wake: WakeSignal { inbox.wake }

    /// A session that is not connected yet, or one on a connection of the caller's.
    init(
        settings: PostgresSettings, inbox: PostgresInbox, logger: Logger, events: PostgresConnectionEvents,
        borrowing connection: OpaquePointer? = nil
    ) {
        self.settings = settings
        self.inbox = inbox
        self.logger = logger
        self.events = events
        self.connection = connection
        isOwner = connection == nil
        prepares = isOwner && settings.pooling == .session
    }

    // MARK: Connecting

    func connect() throws(QueueError) {
        let keywords = settings.keywords
        let started = withCStrings(keywords.map(\.0)) { names in
            withCStrings(keywords.map(\.1)) { values in PQconnectStartParams(names, values, 1) }
        }
        guard let started else { throw QueueError(.internal, "libpq is out of memory") }
        connection = started
        guard PQstatus(started) != CONNECTION_BAD else { throw connectFailed(started) }
        PQsetNoticeReceiver(
            started,
            { context, result in
                guard let context, let result else { return }
                // PQsetNoticeReceiver's context is the session, which closes the connection before it goes away.
                Unmanaged<PostgresSession>.fromOpaque(context).takeUnretainedValue().received(notice: result)
            }, Unmanaged.passUnretained(self).toOpaque())

        var state = PGRES_POLLING_WRITING
        while true {
            switch state {
            case PGRES_POLLING_OK:
                guard PQsetnonblocking(started, 1) == 0 else { throw connectFailed(started) }
                return
            case PGRES_POLLING_READING, PGRES_POLLING_WRITING:
                let writing = state == PGRES_POLLING_WRITING
                let events = wake.wait(
                    socket: PQsocket(started), forWriting: writing, forReading: !writing, until: control.deadline)
                if let interruption = control.interruption { throw connectInterrupted(interruption) }
                if writing ? events.writable : events.readable { state = PQconnectPoll(started) }
            default:
                throw connectFailed(started)
            }
        }
    }

    private func connectInterrupted(_ interruption: Interruption) -> QueueError {
        finish()
        switch interruption {
        case .cancelled: return interruption.error(statement: nil)
        case .deadline(let timeout):
            return QueueError(
                .cannotConnect, "no connection to the database (\(settings)) within \(timeout)",
                hint: "see whether host and port are right and reachable; connect_timeout sets the time")
        }
    }

    private func connectFailed(_ connection: OpaquePointer) -> QueueError {
        let text = settings.redacting(message(of: connection))
        finish()
        // libpq does not hand on the SQLSTATE of a refused connection; these texts are fixed in the server,
        // though translated where lc_messages says so, and then the error merely has no SQLSTATE.
        let known: [(String, String)] = [
            ("password authentication failed", "28P01"), ("no pg_hba.conf entry", "28000"),
            ("the database system is starting up", "57P03"), ("the database system is shutting down", "57P03"),
            ("the database system is in recovery", "57P03"), ("not yet accepting connections", "57P03"),
            ("too many clients", "53300"), ("remaining connection slots", "53300"), ("too many connections", "53300"),
            ("no password supplied", "28P01"),
        ]
        var state = known.first { text.contains($0.0) }?.1
        if state == nil, text.contains("does not exist") {
            if text.contains("database \"") { state = "3D000" } else if text.contains("role \"") { state = "28000" }
        }
        let hint =
            switch state {
            case "28P01": "set the password in the connection string, PGPASSWORD or the password file"
            case "28000": "let the role exist and pg_hba.conf allow it from here"
            case "3D000": "create the database, or name another in the connection string"
            case "53300": "raise max_connections, or use smaller pools"
            case "57P03": "the server is starting or stopping; try again"
            case nil where text.contains("certificate"):
                "let sslrootcert name the authority that signed the server's certificate, and host a name in it"
            default: "see whether the server runs, and host and port are right"
            }
        return QueueError(
            .cannotConnect, "no connection to the database (\(settings)): \(text)", hint: hint, sqlState: state)
    }

    // MARK: Ending

    /// Closes the connection; a lent one stays open.
    func finish() {
        if isOwner, let connection { PQfinish(connection) }
        connection = nil
    }

    /// Closes the connection for a reason, which everybody who uses it from now on is told.
    @discardableResult
    func breakOff(_ reason: QueueError) -> QueueError {
        if inbox.failure == nil {
            inbox.failure = reason
            finish()
            events.onBroken?(reason)
        }
        return reason
    }

    /// The error for a connection that libpq says is gone.
    func lost() -> QueueError {
        if let failure = inbox.failure { return failure }
        let text = connection.map { settings.redacting(message(of: $0)) } ?? ""
        return breakOff(
            lastWords
                ?? QueueError(
                    .connectionLost, "the connection to the database was lost: \(text.isEmpty ? "closed" : text)",
                    hint: "see the server's log; a call that may happen twice can be repeated"))
    }

    func open() throws(QueueError) -> OpaquePointer {
        guard let connection else {
            throw inbox.failure ?? QueueError(.closed, "the connection to the database was closed")
        }
        return connection
    }

    // MARK: Between operations

    /// Waits for work. Meanwhile takes notifications, and notices when the server hangs up.
    func idle() {
        guard isOwner, let connection else {
            _ = wake.wait(socket: nil, until: nil)
            return
        }
        let events = wake.wait(socket: PQsocket(connection), until: nil)
        if events.readable {
            let alive = PQconsumeInput(connection) == 1
            takeNotifications()
            if !alive || PQstatus(connection) == CONNECTION_BAD { _ = lost() }
        }
    }

    func takeNotifications() {
        guard isOwner, let connection else { return }
        while let notify = PQnotifies(connection) {
            if let handler = events.onNotification {
                handler(
                    PostgresNotification(
                        channel: String(cString: notify.pointee.relname),
                        payload: notify.pointee.extra.map { String(cString: $0) } ?? ""))
            }
            PQfreemem(notify)
        }
    }

    private func received(notice result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            code.asciiValue.flatMap { PQresultErrorField(result, Int32($0)) }.map { String(cString: $0) }
        }
        let text = settings.redacting(field("M") ?? "")
        let state = field("C")
        let severity = field("V") ?? field("S") ?? "NOTICE"
        switch severity {
        case "FATAL", "PANIC", "ERROR":
            lastWords = QueueError(
                .connectionLost, "the server closed the connection: \(text)", hint: field("H"), sqlState: state)
        case "WARNING": logger.warning("\(text)", metadata: ["sqlstate": "\(state ?? "")"])
        case "INFO", "NOTICE": logger.info("\(text)", metadata: ["sqlstate": "\(state ?? "")"])
        default: logger.debug("\(text)", metadata: ["sqlstate": "\(state ?? "")"])
        }
    }

    private func message(of connection: OpaquePointer) -> String {
        guard let text = PQerrorMessage(connection) else { return "" }
        return String(cString: text).trimmingCharacters(in: .whitespacesAndNewlines)
            .replacingOccurrences(of: "\n", with: " ").replacingOccurrences(of: "\t", with: " ")
    }
}

/// Calls `body` with the strings as a NULL-terminated list of C strings.
private func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    let list = copies.map { UnsafePointer($0) } + [nil]
    return list.withUnsafeBufferPointer { buffer in
        // A list with a NULL in it is never empty.
        withUnsafePointer(to: nil as UnsafePointer<CChar>?) { empty in body(buffer.baseAddress ?? empty) }
    }
}
