import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

/// libpq as an app would use it. It is in the process already; the module that imports it is JobQueue's alone.
enum AppLibpq {
    typealias Connect = @convention(c) (UnsafePointer<CChar>) -> OpaquePointer?
    typealias Execute = @convention(c) (OpaquePointer, UnsafePointer<CChar>) -> OpaquePointer?
    typealias Blocking = @convention(c) (OpaquePointer) -> Int32
    typealias Free = @convention(c) (OpaquePointer) -> Void

    static func function<F>(_ name: String, _ type: F.Type) throws -> F {
        unsafeBitCast(try #require(dlsym(nil, name)), to: type)
    }

    static func execute(_ connection: OpaquePointer, _ sql: String) throws {
        let result = try #require(try function("PQexec", Execute.self)(connection, sql))
        try function("PQclear", Free.self)(result)
    }
}

@Test func `statements run in a transaction of the caller's own connection`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let app = try #require(try AppLibpq.function("PQconnectdb", AppLibpq.Connect.self)(database.url))
    try AppLibpq.execute(app, "CREATE TABLE t (n int)")
    for ending in ["ROLLBACK", "COMMIT"] {
        try AppLibpq.execute(app, "BEGIN")
        let count = try await PostgresConnection.withExternalConnection(app, logger: quiet) { connection in
            _ = try await connection.pipeline([
                PostgresStatement("INSERT INTO t VALUES (1)", name: "insert"), PostgresStatement("SELECT 1"),
            ])
            return try await connection.value("SELECT count(*) FROM t", as: Int.self)
        }
        #expect(count == 1)
        try AppLibpq.execute(app, ending)
    }
    #expect(try AppLibpq.function("PQisnonblocking", AppLibpq.Blocking.self)(app) == 0)
    let failed = await queueError {
        try await PostgresConnection.withExternalConnection(app, logger: quiet) {
            _ = try await $0.query("SELECT 1 / 0")
        }
    }
    #expect(failed?.sqlState == "22012")
    let left = try await PostgresConnection.withExternalConnection(app, logger: quiet) {
        try await $0.value("SELECT (SELECT count(*) FROM t) * 10 + count(*) FROM pg_prepared_statements", as: Int.self)
    }
    #expect(left == 10)
    try AppLibpq.function("PQfinish", AppLibpq.Free.self)(app)
}
