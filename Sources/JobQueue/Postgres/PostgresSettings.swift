import CPostgres
import Foundation

/// How to reach the database, and the time limits that hold on the way.
///
/// The connection string is libpq's, as a URI or in keyword form, with everything it knows: `sslmode`, several
/// hosts, `service`, `passfile`, and the `PG…` environment for what it leaves out.
/// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
package struct PostgresSettings: Sendable, CustomStringConvertible {
    /// Whether a server session belongs to one connection, or changes from transaction to transaction.
    package enum Pooling: Sendable {
        /// Straight to the server, or through a pooler in session mode: statements are prepared once.
        case session
        /// Through a pooler in transaction mode: no prepared statements, no LISTEN, no session locks.
        case transaction
    }

    /// How long a statement may take before it is cancelled, unless the call says otherwise.
    package var statementTimeout: Duration = .seconds(30)
    /// How long a connection attempt may take, for each host: `connect_timeout` or 10 s. nil: no limit.
    package var connectTimeout: Duration?
    /// How long to wait for the server to give up a cancelled statement before the connection is closed.
    package var cancelGrace: Duration = .seconds(5)
    /// What lies before the server. Default `session`.
    package var pooling: Pooling = .session

    private let connectionString: String
    private let options: [String: String]
    private let password: String?

    /// Reads a connection string.
    ///
    /// - Throws: `badConnectionString`, without a word of the string that could be a password.
    package init(_ connectionString: String) throws(QueueError) {
        let options = try Self.parse(connectionString)
        self.connectionString = connectionString
        self.options = options.filter { !Self.secrets.contains($0.key) }
        password = options["password"] ?? ProcessInfo.processInfo.environment["PGPASSWORD"]

        let environment = ProcessInfo.processInfo.environment
        switch (options["connect_timeout"] ?? environment["PGCONNECT_TIMEOUT"]).flatMap({ Int($0) }) {
        case .none: connectTimeout = .seconds(10)
        case .some(let seconds) where seconds <= 0: connectTimeout = nil
        // libpq's own smallest value.
        case .some(let seconds): connectTimeout = .seconds(max(2, seconds))
        }
    }

    /// Where it leads, without credentials: `host=db port=5432 user=app dbname=app`.
    package var description: String {
        let shown = ["service", "host", "hostaddr", "port", "user", "dbname", "sslmode"].compactMap { key in
            options[key].map { "\(key)=\($0)" }
        }
        return shown.isEmpty ? "the default database" : shown.joined(separator: " ")
    }

    /// The time for all hosts of the list together.
    var connectBudget: Duration? {
        let list = options["hostaddr"] ?? options["host"] ?? ""
        return connectTimeout.map { $0 * max(1, list.split(separator: ",").count) }
    }

    /// Text of libpq or of the server with the password taken out, should it ever be in there.
    func redacting(_ text: String) -> String {
        guard let password, password.count >= 3 else { return text }
        return text.replacingOccurrences(of: password, with: "…")
    }

    /// The keywords for `PQconnectStartParams` with `expand_dbname`: what comes after `dbname` overrides the
    /// connection string, what comes before only fills in.
    var keywords: [(String, String)] {
        var list: [(String, String)] = []
        // A service's file may set these; a keyword would win over it.
        if options["service"] == nil, ProcessInfo.processInfo.environment["PGSERVICE"] == nil {
            // A peer that stopped answering is noticed after 10 s with data under way, 20 s without.
            list += [
                ("tcp_user_timeout", "10000"), ("keepalives_idle", "10"), ("keepalives_interval", "5"),
                ("keepalives_count", "2"),
            ]
        }
        list += [("fallback_application_name", "kiln"), ("dbname", connectionString), ("client_encoding", "UTF8")]
        return list
    }

    private static let secrets: Set<String> = ["password", "sslpassword", "passfile", "sslkey", "scram_client_key"]

    private static func parse(_ text: String) throws(QueueError) -> [String: String] {
        let hint =
            "write postgresql://user:password@host:port/database, with special characters of the password"
            + " percent-encoded (@ is %40, / is %2F), or host=… port=… user=… dbname=…"
        // libpq would take the rest of such a password for a host or database, and print it.
        guard !hasRawSeparatorInPassword(text), !text.utf8.contains(0) else {
            throw QueueError(.badConnectionString, "the connection string is not a valid URI", hint: hint)
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(text, &message) else {
            let reason = message.map { String(cString: $0) } ?? "out of memory"
            PQfreemem(message)
            throw QueueError(
                .badConnectionString, "the connection string cannot be read: \(withoutQuotations(reason))", hint: hint)
        }
        defer { PQconninfoFree(parsed) }
        var options: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        // libpq would print it when it connects; a password in the wrong place ends up here.
        guard options["port", default: ""].allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ",") }) else {
            throw QueueError(.badConnectionString, "the connection string's port is not a number", hint: hint)
        }
        return options
    }

    private static func hasRawSeparatorInPassword(_ text: String) -> Bool {
        guard let scheme = ["postgresql://", "postgres://"].first(where: text.hasPrefix) else { return false }
        let beforeQuery = text.dropFirst(scheme.count).prefix { $0 != "?" }
        let authority = beforeQuery.prefix { $0 != "/" }
        let path = beforeQuery.dropFirst(authority.count)
        return authority.count { $0 == "@" } > 1 || path.contains("@")
    }

    /// libpq quotes pieces of its input in its messages, and any piece may be of the password.
    private static func withoutQuotations(_ message: String) -> String {
        let pieces = message.trimmingCharacters(in: .whitespacesAndNewlines).split(
            separator: "\"", omittingEmptySubsequences: false)
        return pieces.enumerated().map { $0.offset.isMultiple(of: 2) ? String($0.element) : "\"…\"" }.joined()
    }
}
