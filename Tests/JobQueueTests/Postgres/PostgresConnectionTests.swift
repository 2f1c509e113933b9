import Foundation
import Logging
import PostgresTestSupport
import Testing

@testable import JobQueue

@Test func `the application's name is kiln unless the connection string has another`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    for (suffix, name) in [("", "kiln"), ("&application_name=mine", "mine")] {
        let connection = try await PostgresConnection.connect(PostgresSettings(database.url + suffix), logger: quiet)
        #expect(try await connection.value("SELECT current_setting('application_name')", as: String.self) == name)
        await connection.close()
    }
}

@Test func `an error of the server carries its SQLSTATE, detail, hint, statement and position`() async throws {
    let connection = try await connect()
    let raised = await queueError {
        try await connection.script(
            "DO $$ BEGIN RAISE EXCEPTION 'no such kiln' USING ERRCODE = 'KL002', DETAIL = 'it is cold', HINT = 'light it'; END $$"
        )
    }
    #expect(raised?.code == .notFound)
    #expect(raised?.sqlState == "KL002")
    #expect(raised?.description == "no such kiln (SQLSTATE KL002). It is cold. Light it")
    #expect(raised?.isTransient == false)
    let syntax = await queueError { _ = try await connection.query("SELECT wrong_column", name: "looking") }
    #expect(syntax?.position == 8)
    #expect(syntax?.statement == "looking")
    #expect(try await connection.value("SELECT 1", as: Int.self) == 1)
    await connection.close()
}

@Test func `no error and no description has the password in it`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let secret = "s3cr3t-word"
    let good = database.tcpURL().replacing(PostgresCluster.password, with: secret)
    let wrong = try PostgresSettings(good)
    #expect(!wrong.description.contains(secret))
    let refused = await queueError { _ = try await PostgresConnection.connect(wrong, logger: quiet) }
    #expect(refused?.sqlState == "28P01")
    #expect(refused.map { "\($0) \(String(reflecting: $0))" }?.contains(secret) == false)
    for broken in [
        "postgresql://u:\(secret)@x@host/db", "postgresql://u:a/\(secret)@host/db", "host=h \(secret)",
        "postgresql://u:\(secret)@host:port/db?nonsense=1", "password='\(secret)", "postgresql://u@h:\(secret)/db",
        "host=h password=x \(secret)=1",
    ] {
        do {
            let settings = try PostgresSettings(broken)
            let error = await queueError { _ = try await PostgresConnection.connect(settings, logger: quiet) }
            #expect(error?.description.contains(secret) == false, "\(broken)")
        } catch {
            #expect(error.code == .badConnectionString)
            #expect(!String(reflecting: error).contains(secret), "\(broken)")
        }
    }
}

@Test func `a statement that runs too long is cancelled, and the connection works on`() async throws {
    let connection = try await connect()
    let process = try await connection.value("SELECT pg_backend_pid()", as: Int.self)
    let error = await queueError {
        _ = try await connection.query("SELECT pg_sleep(600)", name: "napping", timeout: .milliseconds(50))
    }
    #expect(error?.code == .deadline)
    #expect(error?.statement == "napping")
    let piped = await queueError {
        _ = try await connection.pipeline(
            [PostgresStatement("SELECT 1"), PostgresStatement("SELECT pg_sleep(600)")], timeout: .milliseconds(50))
    }
    #expect(piped?.code == .deadline)
    #expect(try await connection.value("SELECT pg_backend_pid()", as: Int.self) == process)
    await connection.close()
}

@Test func `cancelling the task cancels the statement, and the connection works on`() async throws {
    let connection = try await connect()
    let process = try await connection.value("SELECT pg_backend_pid()", as: Int.self)
    let watcher = try await connect()
    let task = Task { try await connection.query("SELECT pg_sleep(600)") }
    // In another database, but activity is the cluster's.
    while try await !watcher.value(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep')", [process],
        as: Bool.self)
    {}
    task.cancel()
    #expect(await queueError { _ = try await task.value }?.code == .cancelled)
    #expect(try await connection.value("SELECT pg_backend_pid()", as: Int.self) == process)
    await connection.close()
    await watcher.close()
}

@Test func `a transaction is committed at its end, and rolled back when its body throws`() async throws {
    struct Stop: Error {}
    let connection = try await connect()
    try await connection.script("CREATE TABLE t (n int)")
    try await connection.withTransaction { _ = try await $0.query("INSERT INTO t VALUES (1)") }
    await #expect(throws: Stop.self) {
        try await connection.withTransaction { (connection) -> Void in
            _ = try await connection.query("INSERT INTO t VALUES (2)")
            throw Stop()
        }
    }
    #expect(connection.isIdle)
    let swallowed = await queueError {
        try await connection.withTransaction { _ = try? await $0.query("SELECT 1 / 0") }
    }
    #expect(swallowed?.message.contains("rolled back") == true)
    #expect(try await connection.value("SELECT array_agg(n) FROM t", as: [Int].self) == [1])
    await connection.close()
}

@Test func `a pipeline takes effect as a whole or not at all`() async throws {
    let connection = try await connect()
    try await connection.script("CREATE TABLE t (n int PRIMARY KEY)")
    let insert = "INSERT INTO t VALUES ($1) RETURNING n"
    let rows = try await connection.pipeline((1...20).map { PostgresStatement(insert, [$0], name: "insert") })
    #expect(try rows.map { try $0[0].decode("n", as: Int.self) } == Array(1...20))
    let error = await queueError {
        _ = try await connection.pipeline([21, 1, 22].map { PostgresStatement(insert, [$0], name: "insert") })
    }
    #expect(error?.sqlState == "23505")
    #expect(error?.constraint == "t_pkey")
    #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 20)
    await connection.close()
}

@Test func `a megabyte goes and comes`() async throws {
    let connection = try await connect()
    let text = String(repeating: "ünïcödé ", count: 1 << 17)
    #expect(try await connection.value("SELECT $1::text", [text]) == text)
    await connection.close()
}

@Test func `statements run on when their preparation vanishes, and a pooler is suspected`() async throws {
    let connection = try await connect()
    let statement = PostgresStatement("SELECT $1::int AS n", [7], name: "seven")
    _ = try await connection.query(statement)
    #expect(try await connection.value("SELECT count(*) FROM pg_prepared_statements", as: Int.self) == 1)
    try await connection.script("DEALLOCATE ALL")
    #expect(try await connection.query(statement)[0].decode("n", as: Int.self) == 7)
    #expect(connection.isPoolerSuspected)
    await connection.close()
}

@Test func `a prepared statement knows the types of its parameters`() async throws {
    let connection = try await connect()
    let ids = [UUID(), UUID()]
    let rows = try await connection.query("SELECT id FROM unnest($1) AS id", [ids], name: "unnest")
    #expect(try rows.map { try $0.decode("id", as: UUID.self) } == ids)
    await connection.close()
}

@Test func `a statement survives its table's change`() async throws {
    let connection = try await connect()
    try await connection.script("CREATE TABLE t AS SELECT 1 AS a")
    _ = try await connection.query("SELECT * FROM t", name: "all")
    try await connection.script("ALTER TABLE t ADD COLUMN b int DEFAULT 2")
    #expect(try await connection.query("SELECT * FROM t", name: "all")[0].decode("b", as: Int.self) == 2)
    #expect(!connection.isPoolerSuspected)
    await connection.close()
}

@Test func `a direct connection is found to be one`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    #expect(try await PoolerDetection.probe(PostgresSettings(database.url), logger: quiet) == .direct)
}

@Test func `a peer gone silent ends in an error, and so does one that never answers`() async throws {
    let cluster = try await PostgresCluster.shared
    let database = try await cluster.makeDatabase()
    let proxy = try BlackholeProxy(to: cluster.port)
    var settings = try PostgresSettings(database.tcpURL(port: proxy.port))
    settings.cancelGrace = .milliseconds(100)
    settings.connectTimeout = .milliseconds(100)
    let connection = try await PostgresConnection.connect(
        PostgresSettings(database.tcpURL(port: proxy.port)), logger: quiet)
    let hasty = try await PostgresConnection.connect(
        {
            var s = settings; s.connectTimeout = .seconds(10); return s
        }(), logger: quiet)
    proxy.mode = .blackhole
    let silent = await queueError { _ = try await hasty.query("SELECT 1", timeout: .milliseconds(100)) }
    #expect(silent?.code == .deadline)
    #expect(hasty.failure?.code == .connectionLost)
    let unanswered = await queueError { _ = try await PostgresConnection.connect(settings, logger: quiet) }
    #expect(unanswered?.code == .cannotConnect)
    #expect(unanswered?.isTransient == true)
    proxy.mode = .refuse
    let refused = await queueError { _ = try await PostgresConnection.connect(settings, logger: quiet) }
    #expect(refused?.code == .cannotConnect)
    proxy.close()
    await connection.close()
}

@Test func `a cancel that comes late does not hit the next statement`() async throws {
    let connection = try await connect()
    for round in 0..<40 {
        // Half of these end before their deadline, or about then.
        _ = try? await connection.query("SELECT pg_sleep(0.002)", timeout: .microseconds(500 + 100 * round))
        #expect(try await connection.value("SELECT 1", as: Int.self) == 1)
    }
    await connection.close()
}

@Test func `cancelled tasks that wait for the pool leave it whole`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let pool = PostgresPool(try PostgresSettings(database.url), options: .init(size: 2), logger: quiet)
    await withTaskGroup { group in
        for _ in 0..<50 {
            group.addTask {
                _ = try? await pool.withConnection { try await $0.query("SELECT pg_sleep(0.005)").count }
            }
        }
        group.cancelAll()
    }
    try await pool.withConnection { _ in try await pool.withConnection { _ = try await $0.query("SELECT 1") } }
    await pool.close()
}
