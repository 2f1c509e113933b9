/// The names that go into the SQL files.
struct SchemaNames: Sendable {
    let schema: String
    let rolePrefix: String

    /// - Throws: `badRequest`.
    init(schema: String, rolePrefix: String) throws(QueueError) {
        guard (1...63).contains(schema.utf8.count), !schema.utf8.contains(0) else {
            throw QueueError(
                .badRequest, "the schema's name \(schema.debugDescription) is not of 1 to 63 bytes, without NUL",
                hint: "the default is kiln")
        }
        guard !schema.hasPrefix("pg_") else {
            throw QueueError(
                .badRequest,
                "the schema's name \(schema.debugDescription) begins with pg_, which Postgres keeps to itself"
            )
        }
        // Either would end the quotation of a function's body, or be taken for a name to fill in.
        guard !schema.contains("$"), !schema.contains("{{") else {
            throw QueueError(
                .badRequest, "the schema's name \(schema.debugDescription) contains $ or {{",
                hint: "the default is kiln")
        }
        // It becomes part of identifiers without quotes around it.
        let isPlain = rolePrefix.wholeMatch(of: /[a-z_][a-z0-9_]{0,39}/) != nil && !rolePrefix.hasPrefix("pg_")
        guard isPlain else {
            throw QueueError(
                .badRequest,
                "the prefix of the roles \(rolePrefix.debugDescription) is not of a-z, 0-9 and _, at most 40, from a letter",
                hint: "the default, kiln, gives kiln_producer, kiln_worker and kiln_reader")
        }
        self.schema = schema
        self.rolePrefix = rolePrefix
    }

    /// Puts the names in, in one pass, so that a name may look like anything.
    func fill(_ sql: String) -> String {
        let names = [
            "schema": schema.quotedIdentifier, "schema_literal": schema.quotedLiteral, "role_prefix": rolePrefix,
            // With what comes between it and a role's own name.
            "role_prefix_literal": (rolePrefix + "_").quotedLiteral,
        ]
        return sql.replacing(/\{\{(\w+)\}\}/) { match in names[String(match.1)] ?? String(match.0) }
    }
}
