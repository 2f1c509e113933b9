import JobQueue
import Logging

extension DoctorContext {
    static let noDatabase = DoctorFinding.skipped("no database is named: DATABASE_URL")

    /// Nothing but findings is for the user.
    static var silence: Logger { Logger(label: "kiln") { _ in SwiftLogNoOpLogHandler() } }

    /// Opens a connection of one check's own, and closes it.
    ///
    /// - Throws: `QueueError`, what `body` throws.
    func withConnection<R: Sendable>(
        to url: String, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        var settings = try PostgresSettings(url)
        settings.connectTimeout = .seconds(8)
        settings.statementTimeout = .seconds(8)
        // Works behind any pooler: nothing is prepared.
        settings.pooling = .transaction
        let connection = try await PostgresConnection.connect(settings, logger: Self.silence)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension PostgresRows {
    /// The first row.
    ///
    /// - Throws: `QueueError` with code `internal` if there is none.
    func only() throws(QueueError) -> PostgresRow {
        guard let row = first else { throw QueueError(.internal, "the database gave no row") }
        return row
    }
}
