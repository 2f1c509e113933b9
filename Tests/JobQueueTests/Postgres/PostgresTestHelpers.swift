import Foundation
import JobQueue
import Logging
import PostgresTestSupport
import Testing

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Connects to a fresh database.
func connect(
    _ configure: (inout PostgresSettings) -> Void = { _ in }
) async throws -> PostgresConnection {
    let database = try await PostgresCluster.shared.makeDatabase()
    var settings = try PostgresSettings(database.url)
    configure(&settings)
    return try await PostgresConnection.connect(settings, logger: quiet)
}

/// The QueueError that `body` throws.
func queueError(_ body: () async throws -> Void, _ location: SourceLocation = #_sourceLocation) async -> QueueError? {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: location)
        return nil
    } catch {
        let known = error as? QueueError
        if known == nil { Issue.record("not a QueueError: \(error)", sourceLocation: location) }
        return known
    }
}

extension PostgresConnection {
    /// The one value of a query.
    func value<T: PostgresDecodable>(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], as type: T.Type = T.self
    ) async throws -> T {
        let rows = try await query(sql, parameters)
        return try #require(rows.first).decode(0, as: type)
    }
}
