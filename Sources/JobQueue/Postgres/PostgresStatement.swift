/// One SQL command with its parameters, `$1` and on.
package struct PostgresStatement: Sendable {
    /// One command.
    package var sql: String
    /// A name makes the server parse and plan it once per connection. Give one to what runs often; the same
    /// name always goes with the same SQL. Errors mention it.
    package var name: String?
    var parameters: PostgresParameters

    /// - Parameter parameters: the values of `$1` and on; nil is NULL.
    package init(_ sql: String, _ parameters: [(any PostgresEncodable)?] = [], name: String? = nil) {
        self.sql = sql
        self.name = name
        self.parameters = PostgresParameters(parameters)
    }
}

/// The isolation of a transaction.
package enum PostgresIsolation: String, Sendable {
    /// Each statement sees what was committed before it.
    case readCommitted = "READ COMMITTED"
    /// All statements see what was committed before the first; writes may fail with `conflict`.
    case repeatableRead = "REPEATABLE READ"
    /// As if transactions ran one after another; any may fail with `conflict`.
    case serializable = "SERIALIZABLE"
}

extension String {
    /// The text as an SQL identifier: `weird "name"` is `"weird ""name"""`.
    package var quotedIdentifier: String { "\"" + replacing("\"", with: "\"\"") + "\"" }

    /// The text as an SQL literal, whatever `standard_conforming_strings` says.
    package var quotedLiteral: String {
        let quoted = "'" + replacing("'", with: "''").replacing("\\", with: "\\\\") + "'"
        return contains("\\") ? "E" + quoted : quoted
    }
}
