import Foundation
import Testing

@testable import JobQueue
import Logging
import PostgresTestSupport

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Connects to a fresh database.
func connect(_ configure: (inout PostgresSettings) -> Void = { _ in }) async throws -> PostgresConnection {
    let database = try await PostgresCluster.shared.makeDatabase()
    var settings = try PostgresSettings(database.url)
    configure(&settings)
    return try await PostgresConnection.connect(settings, logger: quiet)
}

@Test func `a statement gives its rows`() async throws {
    let connection = try await connect()
    let rows = try await connection.query("SELECT $1::int + 1 AS n, current_setting('application_name') AS app", [41])
    #expect(rows.count == 1)
    #expect(try rows[0].decode("n", as: Int.self) == 42)
    #expect(try rows[0].decode("app", as: String.self) == "kiln")
    await connection.close()
}
