import JobQueue

/// Whether the queue in the database is of this version.
struct SchemaCheck: DoctorCheck {
    let name = "schema"

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        guard let url = context.databaseURL else { return [DoctorContext.noDatabase] }
        let schema = context.configuration.database.schema
        let migrate = schema == "kiln" ? "kiln migrate" : "kiln migrate --schema '\(schema)'"
        let status: MigrationStatus
        do {
            status = try await Migrations(url, schema: schema, logger: DoctorContext.silence).status()
        } catch let error as QueueError where error.code == .permission {
            // The roles that workers log in as have no business there.
            return [
                .note(
                    "this role may not read which migrations were applied",
                    "look as the schema's owner: \(migrate) --status")
            ]
        }
        return Self.findings(status, schema: schema, migrate: migrate)
    }

    static func findings(_ status: MigrationStatus, schema: String, migrate: String) -> [DoctorFinding] {
        if status.applied.isEmpty {
            return [.wrong("there is no queue in the schema \(schema)", "run: \(migrate)")]
        }
        if !status.pending.isEmpty {
            let names = status.pending.map { "\($0.version) (\($0.name))" }.joined(separator: ", ")
            let count = status.pending.count == 1 ? "1 migration is" : "\(status.pending.count) migrations are"
            return [.wrong("\(count) missing in the schema \(schema): \(names)", "run: \(migrate)")]
        }
        let last = status.applied.map(\.version).max() ?? 0
        switch status.unknown.count {
        case 0: return [.ok("the schema \(schema) is up to date (migration \(last))")]
        case 1:
            return [.note("the schema \(schema) is one migration newer than this program", "update this program soon")]
        default:
            return [
                .wrong(
                    "the schema \(schema) is \(status.unknown.count) migrations newer than this program",
                    "update this program: it works with a schema newer by one migration at most")
            ]
        }
    }
}
