/// The one error type of JobQueue.
///
/// `description` is one sentence for a person, free of credentials; the other fields are for programs.
public struct QueueError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. Open: match the ones you know and treat others as `internal`.
    public struct Code: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
        /// The code as programs in any language see it, in snake case.
        public let rawValue: String
        /// Makes any code; those that are known have names.
        public init(rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        /// The connection string cannot be read, or asks for something impossible.
        public static let badConnectionString = Code(rawValue: "bad_connection_string")
        /// No connection could be made: nobody listens, the password is wrong, the server is starting.
        public static let cannotConnect = Code(rawValue: "cannot_connect")
        /// The connection ended while it was in use. Whether the statement took effect is unknown.
        public static let connectionLost = Code(rawValue: "connection_lost")
        /// A time limit passed: a statement's, a connection attempt's, a lock's.
        public static let deadline = Code(rawValue: "deadline")
        /// The task that waited was cancelled, or somebody cancelled the statement.
        public static let cancelled = Code(rawValue: "cancelled")
        /// Every connection of the pool stayed busy until the deadline.
        public static let poolExhausted = Code(rawValue: "pool_exhausted")
        /// The pool, connection or client was closed before.
        public static let closed = Code(rawValue: "closed")
        /// The request makes no sense: an argument out of range, an unknown option, a cycle.
        public static let badRequest = Code(rawValue: "bad_request")
        /// A job, queue, schedule or function that is not there.
        public static let notFound = Code(rawValue: "not_found")
        /// The database role may not do this.
        public static let permission = Code(rawValue: "permission")
        /// The worker's lease ended: its jobs belong to others now.
        public static let leaseLost = Code(rawValue: "lease_lost")
        /// Two transactions stood in each other's way: serialization, deadlock, a lock not had in time.
        public static let conflict = Code(rawValue: "conflict")
        /// A value that came from the database is not of the type that was asked for.
        public static let badRow = Code(rawValue: "bad_row")
        /// The schema in the database does not fit this library.
        public static let schema = Code(rawValue: "schema")
        /// Any other failure that the server reports.
        public static let server = Code(rawValue: "server")
        /// A fault of this library.
        public static let `internal` = Code(rawValue: "internal")
    }

    /// What kind of failure it is.
    public var code: Code
    /// What failed, and on which input.
    public var message: String
    /// Postgres's DETAIL, where it gave one.
    public var detail: String?
    /// What to do about it, where that is known.
    public var hint: String?
    /// The five characters of Postgres's error code, where the failure came from there.
    /// https://www.postgresql.org/docs/current/errcodes-appendix.html
    public var sqlState: String?
    /// The constraint that was violated, where there is one.
    public var constraint: String?
    /// The name of the statement it happened in.
    public var statement: String?
    /// Where in the SQL text the server points to: characters from 1.
    public var position: Int?
    /// The error behind this one.
    public var cause: (any Error)?

    /// Only the code and the message are needed; the rest is nil where it is not known.
    public init(
        _ code: Code, _ message: String, detail: String? = nil, hint: String? = nil, sqlState: String? = nil,
        constraint: String? = nil, statement: String? = nil, position: Int? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.detail = detail
        self.hint = hint
        self.sqlState = sqlState
        self.constraint = constraint
        self.statement = statement
        self.position = position
        self.cause = cause
    }

    public var description: String {
        var text = message
        if let statement { text = "\(statement): \(text)" }
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        if let detail { text += ". \(Self.sentence(detail))" }
        if let hint { text += ". \(Self.sentence(hint))" }
        return text
    }

    private static func sentence(_ text: String) -> String {
        let trimmed = text.hasSuffix(".") ? text.dropLast() : text[...]
        return trimmed.prefix(1).uppercased() + trimmed.dropFirst()
    }

    /// Lets a `switch` or `catch` over a QueueError match its code.
    public static func ~= (code: Code, error: QueueError) -> Bool { error.code == code }
}

extension QueueError {
    /// Whether the same call may succeed a moment later: the connection was lost or refused, the server
    /// restarts or is full, or another transaction stood in the way.
    ///
    /// A statement that was under way when its connection was lost may have taken effect: repeat only calls
    /// that may happen twice.
    public var isTransient: Bool {
        if let sqlState {
            if Self.transientStates.contains(sqlState) { return true }
            if sqlState.hasPrefix("08") { return true }
            return code == .connectionLost
        }
        return code == .connectionLost || code == .cannotConnect || code == .poolExhausted || code == .conflict
    }

    /// Whether a statement did not get a lock within `lock_timeout`. It did nothing.
    var isLockTimeout: Bool { sqlState == "55P03" }

    /// Whether the values that were to be stored may be the reason, so that trying again is of no use: neither the
    /// connection's state nor the server's is.
    var mayBeOfItsData: Bool {
        guard !isTransient else { return false }
        guard let sqlState else { return code == .badRequest }
        return ["22", "23", "54", "XX"].contains(sqlState.prefix(2))
    }

    private static let transientStates: Set<String> = [
        "40001",  // serialization_failure
        "40P01",  // deadlock_detected
        "55P03",  // lock_not_available
        "53300",  // too_many_connections
        "57P01",  // admin_shutdown
        "57P02",  // crash_shutdown
        "57P03",  // cannot_connect_now
        "57P05",  // idle_session_timeout
        "25006",  // read_only_sql_transaction: a failover's old primary
    ]

    /// The kind of failure that an SQLSTATE stands for.
    static func code(sqlState: String) -> Code {
        switch sqlState {
        case "KL001": .leaseLost
        case "KL002", "42883", "42P01", "3F000": .notFound
        case "KL003", "22023": .badRequest
        case "KL004", "42501": .permission
        case "57014": .cancelled
        case "57P01", "57P02", "57P05": .connectionLost
        case "57P03", "53300", "28P01", "28000", "3D000": .cannotConnect
        case "40001", "40P01", "55P03": .conflict
        default:
            switch sqlState.prefix(2) {
            case "08": .connectionLost
            case "22": .badRequest
            default: .server
            }
        }
    }
}
