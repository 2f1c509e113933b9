import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

private let first = Migration(
    version: 1, name: "tables",
    sql: """
        CREATE TABLE {{schema}}.thing (id int PRIMARY KEY, schema text DEFAULT {{schema_literal}});
        COMMENT ON TABLE {{schema}}.thing IS '{{role_prefix}}_reader';
        """)
private let second = Migration(
    version: 2, name: "functions",
    sql: "CREATE FUNCTION {{schema}}.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; INSERT INTO thing VALUES (1)")

private func migrations(
    _ database: TestDatabase, schema: String = "kiln", _ list: [Migration] = [first, second], roles: String = ""
) throws -> Migrations {
    try Migrations(database.url, schema: schema, list: list, roles: roles, logger: quiet)
}

private func tables(of database: TestDatabase) async throws -> Int {
    let connection = try await PostgresConnection.connect(PostgresSettings(database.url), logger: quiet)
    let count = try await connection.value("SELECT count(*) FROM pg_class WHERE oid >= 16384", as: Int.self)
    await connection.close()
    return count
}

@Test func `four migrators at once apply each migration once`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let migrator = try migrations(database)
    let applied = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 { group.addTask { try await migrator.migrate().count } }
        return try await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(applied.sorted() == [0, 0, 0, 2])
    let status = try await migrator.status()
    #expect(status.applied.map(\.name) == ["tables", "functions"])
    #expect(status.pending.isEmpty && status.isUsable)
    try await migrator.verify()
}

@Test func `a dry run changes nothing`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let before = try await tables(of: database)
    let migrator = try migrations(database)
    #expect(try await migrator.plan().map(\.version) == [1, 2])
    #expect(try await migrator.status().pending.count == 2)
    #expect(await queueError { try await migrator.verify() }?.hint == "run kiln migrate")
    #expect(try await tables(of: database) == before)
}

@Test func `a migration that changed after it was applied is refused`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    try await migrations(database).migrate()
    var changed = first
    changed.sql += " "
    let error = await queueError { try await migrations(database, [changed, second]).migrate() }
    #expect(error?.code == .schema)
    #expect(error?.message.contains("migration 1 (tables)") == true)
    #expect(error?.detail?.contains(first.checksum) == true)
    #expect(error?.hint?.contains("UPDATE") == true)
}

@Test func `a schema newer by one migration is worked with, by two is not`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let third = Migration(version: 3, name: "more", sql: "SELECT 1")
    try await migrations(database, [first, second, third]).migrate()
    let behind = try migrations(database)
    try await behind.verify()
    #expect(try await behind.migrate().isEmpty)
    #expect(try await behind.status().unknown.map(\.version) == [3])
    let error = await queueError { try await migrations(database, [first]).verify() }
    #expect(error?.message.contains("at migration 3 (more), this library at 1") == true)
}

@Test func `a failing migration names its line and leaves what came before`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let broken = Migration(version: 2, name: "broken", sql: "CREATE TABLE half (n int);\n\nSELECT nothing_here;")
    let error = await queueError { try await migrations(database, [first, broken]).migrate() }
    #expect(error?.message.hasPrefix("migration 2 (broken), line 3: ") == true)
    #expect(try await migrations(database).status().applied.map(\.version) == [1])
    try await migrations(database).migrate()
}

@Test(arguments: ["Weird \"Schema", "it's\\odd", "select"])
func `a schema may have any name`(schema: String) async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    try await migrations(database, schema: schema).migrate()
    let connection = try await PostgresConnection.connect(PostgresSettings(database.url), logger: quiet)
    let kept = try await connection.value("SELECT schema FROM \(schema.quotedIdentifier).thing", as: String.self)
    #expect(kept == schema)
    await connection.close()
}

@Test func `the script gives the same as migrating`() async throws {
    let schema = "Weird \"Schema"
    let query = """
        SELECT string_agg(line, ';' ORDER BY line) FROM (
            SELECT format('%s %s', relkind, oid::regclass) FROM pg_class WHERE oid >= 16384 AND relnamespace <> 'pg_toast'::regnamespace
            UNION ALL SELECT oid::regprocedure::text FROM pg_proc WHERE oid >= 16384
            UNION ALL SELECT format('%s %s %s %s', version, name, checksum, library_version)
                FROM "Weird ""Schema".migration) AS list (line)
        """
    var found: [String] = []
    for byScript in [true, false] {
        let database = try await PostgresCluster.shared.makeDatabase()
        let migrator = try migrations(database, schema: schema, roles: "COMMENT ON SCHEMA {{schema}} IS 'roles'")
        if byScript {
            let sql = try migrator.sql(roles: .create())
            _ = try await database.psql(sql)
            // Again, it refuses.
            await #expect(throws: (any Error).self) { try await database.psql(sql) }
            #expect(try await migrator.migrate().isEmpty)
        } else {
            try await migrator.migrate(roles: .create())
        }
        let connection = try await PostgresConnection.connect(PostgresSettings(database.url), logger: quiet)
        found.append(try await connection.value(query))
        #expect(
            try await connection.value("SELECT obj_description($1::regnamespace)", [schema.quotedIdentifier]) == "roles"
        )
        await connection.close()
    }
    #expect(found[0] == found[1])
}

@Test func `names that cannot be used are refused`() async throws {
    for (schema, prefix) in [
        ("", "kiln"), ("pg_kiln", "kiln"), ("a$$b", "kiln"), ("{{schema}}", "kiln"), ("kiln", "Kiln\""),
        ("kiln", "pg_x"),
    ] {
        #expect(throws: QueueError.self) {
            try Migrations("", schema: schema, list: [], logger: quiet).sql(roles: .create(prefix: prefix))
        }
    }
}

@Test func `checksums are SHA-256 as Postgres computes it`() async throws {
    let connection = try await connect()
    for length in [0, 1, 55, 56, 63, 64, 65, 1000] {
        let text = String(repeating: "aé", count: length)
        let theirs = try await connection.value(
            "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", [text], as: String.self)
        #expect(Migration(version: 1, name: "text", sql: text).checksum == theirs)
    }
    await connection.close()
}

@Test func `every migration in the folder is in the list, in order`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/JobQueue/Schema/Migrations").standardized
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { $0.wholeMatch(of: /m\d{4}_\w+\.sql/) != nil }.sorted()
    let listed = EmbeddedMigrations.all.map { migration in
        "m" + String(repeating: "0", count: 4 - "\(migration.version)".count)
            + "\(migration.version)_\(migration.name).sql"
    }
    #expect(listed == files)
    #expect(EmbeddedMigrations.all.map(\.version) == Array(1...files.count))
    for (migration, file) in zip(EmbeddedMigrations.all, files) {
        #expect(try migration.sql == String(contentsOf: folder.appending(path: file), encoding: .utf8))
    }
}
