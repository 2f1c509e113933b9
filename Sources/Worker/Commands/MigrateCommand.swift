import ArgumentParser
import JobQueue
import Server

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Set the queue up in a database, or bring it up to date.",
        discussion: """
            Any number may do it at a time; each migration is a transaction. For those who run migrations by other means:

              kiln migrate --sql | psql -v ON_ERROR_STOP=1 "$DATABASE_URL"
            """)

    @OptionGroup var database: DatabaseOptions
    @Flag(help: "Tell what would be applied, and change nothing.")
    var dryRun = false
    @Flag(help: "Tell what has been applied and what is missing.")
    var status = false
    @Flag(help: "Print the SQL. Needs no database.")
    var sql = false
    @Option(help: "With --sql: only the migrations after this number.")
    var after = 0
    @Flag(help: "Neither make roles nor grant them anything.")
    var noRoles = false
    @Option(help: "Name the roles PREFIX_producer, PREFIX_worker and PREFIX_reader.")
    var rolePrefix = "kiln"

    mutating func validate() throws {
        guard [dryRun, status, sql].count(where: { $0 }) <= 1 else {
            throw ValidationError("--dry-run, --status and --sql exclude each other.")
        }
    }

    /// What `--json` prints.
    struct Report: Codable {
        struct Entry: Codable {
            var version: Int
            var name: String
        }

        var schema: String
        /// By this call.
        var applied: [Entry]?
        /// What this call could not do, and the queue can do without.
        var skipped: String?
        /// Before this call.
        var present: [Entry]?
        var pending: [Entry]?
        /// Of a newer library.
        var unknown: [Entry]?
    }

    func run() async throws {
        try await database.reporting {
            let roles: MigrationRoles = noRoles ? .none : .create(prefix: rolePrefix)
            if sql {
                let migrations = try Migrations("", schema: database.schema, logger: database.logger)
                var text = try migrations.sql(after: after, roles: roles)
                // The API's own and those of calls are few, and come whole.
                if after == 0 {
                    text += try "\n" + ServerSchema.migrations("", besides: database.schema).sql(roles: roles)
                    text += try "\n" + CallSchema.migrations("", besides: database.schema).sql(roles: roles)
                }
                try Console.output.print(text)
                return
            }
            let connection = try database.connectionString()
            let migrations = try Migrations(connection, schema: database.schema, logger: database.logger)
            let server = try ServerSchema.migrations(connection, besides: database.schema)
            let calls = try CallSchema.migrations(connection, besides: database.schema)
            if status {
                return try printStatus([
                    try await migrations.status(), try await server.status(), try await calls.status(),
                ])
            }
            if dryRun {
                let pending = try await (migrations.plan() + server.plan() + calls.plan()).map(Self.entry)
                let list = pending.map { "would apply \(Self.text($0))" }
                return try database.print(
                    Report(schema: database.schema, pending: pending),
                    list.isEmpty ? "nothing to apply" : list.joined(separator: "\n"))
            }
            var applied = try await migrations.migrate(roles: roles).map(Self.entry)
            var skipped: [String] = []
            for (what, name, more) in [
                ("HTTP API's", ServerSchema.name(besides: database.schema), server),
                ("calls'", CallSchema.name(besides: database.schema), calls),
            ] {
                do {
                    applied += try await more.migrate(roles: roles).map(Self.entry)
                } catch let error as QueueError where error.code == .permission {
                    // The queue is whole without; who was given one schema may not make another.
                    skipped.append(
                        "the \(what) schema \(name.debugDescription) was left out: \(error). Have somebody create it for this role"
                    )
                }
            }
            let list = applied.map { "applied \(Self.text($0))" } + skipped
            try database.print(
                Report(
                    schema: database.schema, applied: applied,
                    skipped: skipped.isEmpty ? nil : skipped.joined(separator: "\n")),
                list.isEmpty ? "the schema \(database.schema) is up to date" : list.joined(separator: "\n"))
        }
    }

    /// - Parameter statuses: of the queue, of the API, and of calls.
    private func printStatus(_ statuses: [MigrationStatus]) throws {
        let present = statuses.flatMap { status in status.applied.filter { !status.unknown.contains($0) } }
            .map(Self.entry)
        let pending = statuses.flatMap(\.pending).map(Self.entry)
        let unknown = statuses.flatMap(\.unknown).map(Self.entry)
        let rows =
            present.map { ["\($0.version)", $0.name, "applied"] }
            + pending.map { ["\($0.version)", $0.name, "missing"] }
            + unknown.map { ["\($0.version)", $0.name, "applied by a newer kiln"] }
        try database.print(
            Report(schema: database.schema, present: present, pending: pending, unknown: unknown),
            QueueText.table(["NO", "MIGRATION", "STATE"], rows, rightAligned: [0], otherwise: "no migrations"))
    }

    private static func entry(_ migration: Migration) -> Report.Entry {
        Report.Entry(version: migration.version, name: migration.name)
    }

    private static func entry(_ migration: AppliedMigration) -> Report.Entry {
        Report.Entry(version: migration.version, name: migration.name)
    }

    private static func text(_ entry: Report.Entry) -> String { "migration \(entry.version) (\(entry.name))" }
}
