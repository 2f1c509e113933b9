/// One SQL command with its parameters, `$1` and on.
package struct PostgresStatement: Sendable {
    package var sql: String
    /// A name makes the server parse and plan it once per connection. Give one to what runs often; the same
    /// name always goes with the same SQL. Errors mention it.
    package var name: String?
    var parameters: PostgresParameters

    package init(_ sql: String, _ parameters: [(any PostgresEncodable)?] = [], name: String? = nil) {
        self.sql = sql
        self.name = name
        self.parameters = PostgresParameters(parameters)
    }
}

/// The isolation of a transaction.
package enum PostgresIsolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
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
