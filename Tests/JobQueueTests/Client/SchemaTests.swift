import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

/// Everything that is in a schema, and who may do what with it.
private let contents = """
    SELECT string_agg(line, E'\\n' ORDER BY line COLLATE "C") FROM (
        SELECT format('%s %s %s', relkind, relname, relacl) FROM pg_class WHERE relnamespace = $1::regnamespace
        UNION ALL
        SELECT format('%s(%s) %s %s', proname, pg_get_function_identity_arguments(oid), prosecdef, proacl)
        FROM pg_proc WHERE pronamespace = $1::regnamespace
        UNION ALL SELECT format('%s %s', relname, attname) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = $1::regnamespace) AS list (line)
    """

private func contents(of schema: String, in database: TestDatabase) async throws -> String {
    let connection = try await database.connection()
    let text = try await connection.value(contents, [schema.quotedIdentifier], as: String.self)
    await connection.close()
    return text
}

@Test(arguments: ["kiln", "Weird \"Schema", "it's\\odd", "select", "{role_prefix}}", "größe 猫"])
func `the queue lives in a schema of any name`(schema: String) async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    try await Migrations(database.url, schema: schema, logger: quiet).migrate(roles: .create())
    let queue = try QueueClient(database.url, schema: schema, logger: quiet)
    let id = try await queue.enqueue("mail", ["to": "a@b.c"], options: EnqueueOptions(unique: Unique("k")))
    #expect(try await queue.enqueue("mail", options: EnqueueOptions(unique: Unique("k"))) == id)
    _ = try await queue.enqueueMany([NewJob("mail"), NewJob("mail")])
    try await queue.schedule("daily", cron: "@daily", kind: "mail")
    #expect(try await queue.cancel(id) == .cancelled)
    #expect(try await queue.retry(id) == .ready)
    #expect(try await queue.queues().first?.ready == 3)
    #expect(try await queue.health().ready == 3)
    await queue.close()
    let connection = try await database.connection()
    _ = try await connection.query("SELECT \(schema.quotedIdentifier).maintain()")
    await connection.close()
}

@Test func `psql makes the same of the script as the library does`() async throws {
    let schema = "Weird \"Schema"
    var found: [String] = []
    for byScript in [true, false] {
        let database = try await PostgresCluster.shared.makeDatabase()
        let migrations = try Migrations(database.url, schema: schema, logger: quiet)
        if byScript {
            _ = try await database.psql(migrations.sql(roles: .create()))
            #expect(try await migrations.migrate().isEmpty)
        } else {
            #expect(try await migrations.migrate(roles: .create()).count == EmbeddedMigrations.all.count)
        }
        try await migrations.verify()
        found.append(try await contents(of: schema, in: database))
    }
    #expect(found[0] == found[1])
    #expect(found[0].contains("kiln_producer=X"))
}

@Test func `roles are granted the same however often it is done`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let before = try await contents(of: "kiln", in: database)
    let migrations = try Migrations(database.url, logger: quiet)
    try await withThrowingTaskGroup { group in
        for _ in 0..<3 { group.addTask { _ = try await migrations.migrate(roles: .create()) } }
        try await group.waitForAll()
    }
    #expect(try await contents(of: "kiln", in: database) == before)
}

@Test func `without roles nobody but the owner may use the queue`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    try await Migrations(database.url, logger: quiet).migrate()
    let login = try await database.makeLogin(in: nil)
    let queue = try database.client(login.url)
    let error = await queueError { try await queue.enqueue("mail") }
    #expect(error?.code == .permission)
    #expect(error?.hint?.contains("kiln_producer") == true)
    await queue.close()
}

@Test func `an owner that is no superuser migrates and works`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let owner = try await database.makeLogin(in: nil)
    // A schema of its own is all it has: it may make none, and no roles.
    _ = try await database.psql("CREATE SCHEMA kiln AUTHORIZATION \(owner.name)")
    let migrations = try Migrations(owner.url, logger: quiet)
    #expect(try await migrations.migrate().count == EmbeddedMigrations.all.count)
    let queue = try database.client(owner.url)
    let id = try await queue.enqueue("mail")
    #expect(try await queue.job(id)?.createdBy == owner.name)
    #expect(try await queue.jobs().map(\.id) == [id])
    #expect(try await queue.health().ready == 1)
    await queue.close()
    let connection = try await database.connection(owner.url)
    _ = try await connection.query("SELECT kiln.maintain()")
    await connection.close()
    let prefix = "p" + UUID().uuidString.lowercased().replacing("-", with: "_")
    let error = await queueError { try await migrations.migrate(roles: .create(prefix: String(prefix.prefix(20)))) }
    #expect(error?.code == .permission)
    #expect(error?.message.hasPrefix("the roles") == true)
    #expect(error?.hint?.contains("--no-roles") == true)
}

@Test func `roles may have a prefix of their own`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    try await Migrations(database.url, logger: quiet).migrate(roles: .create(prefix: "acme_jobs"))
    let producer = try await database.makeLogin(in: "acme_jobs_producer")
    let worker = try await database.makeLogin(in: "acme_jobs_worker")
    let queue = try database.client(producer.url)
    let id = try await queue.enqueue("mail")
    await queue.close()
    let other = try database.client(worker.url)
    #expect(try await other.job(id)?.createdBy == producer.name)
    await other.close()
}
