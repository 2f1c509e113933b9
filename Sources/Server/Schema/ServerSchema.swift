public import JobQueue
import Logging

/// The tables of the HTTP API: its tokens, and what requests with an idempotency key have done. They lie in a schema of
/// their own, beside the queue's, as the queue knows nothing of HTTP.
public enum ServerSchema {
    /// `kiln_api` for the queue in `kiln`.
    public static func name(besides queueSchema: String) -> String { queueSchema + "_api" }

    /// Brings the schema up to date, as ``Migrations`` does for the queue. The queue's come first: its roles are
    /// granted what they need here.
    ///
    /// - Parameters:
    ///   - connectionString: as libpq takes it.
    ///   - queueSchema: the schema that the queue lives in.
    /// - Throws: `badConnectionString`, `badRequest`.
    public static func migrations(
        _ connectionString: String, besides queueSchema: String = "kiln"
    ) throws(QueueError) -> Migrations {
        try Migrations(
            connectionString, schema: name(besides: queueSchema), list: list, roles: roles,
            logger: Logger(label: "kiln.migrate"))
    }

    static let list = [
        Migration(
            version: 1, name: "api tokens", sql: String(decoding: PackageResources.s0001_tokens_sql, as: UTF8.self))
    ]

    private static let roles = String(decoding: PackageResources.roles_sql, as: UTF8.self)
}
