public import JobQueue
import Logging

/// The tables of calls: what `pipeline.call_recording` writes and apps read. They lie in a schema of their own, beside
/// the queue's.
public enum CallSchema {
    /// `kiln_calls` for the queue in `kiln`.
    public static func name(besides queueSchema: String) -> String { queueSchema + "_calls" }

    /// Brings the schema up to date, as ``Migrations`` does for the queue. The queue's come first: views look at its
    /// jobs, and its roles are granted what they need here.
    ///
    /// - Parameters:
    ///   - connectionString: as libpq takes it.
    ///   - queueSchema: the schema that the queue lives in.
    /// - Throws: `badConnectionString`, `badRequest`.
    public static func migrations(
        _ connectionString: String, besides queueSchema: String = "kiln"
    ) throws(QueueError) -> Migrations {
        try Migrations(
            connectionString, schema: name(besides: queueSchema), list: list(besides: queueSchema), roles: roles,
            logger: Logger(label: "kiln.migrate"))
    }

    private static func list(besides queueSchema: String) -> [Migration] {
        let files = [("calls", PackageResources.c0001_calls_sql), ("endings", PackageResources.c0002_endings_sql)]
        return files.enumerated().map { index, file in
            let sql = String(decoding: file.1, as: UTF8.self)
            return Migration(
                version: index + 1, name: file.0,
                sql: sql.replacing("{{queue}}", with: queueSchema.quotedIdentifier))
        }
    }

    private static let roles = String(decoding: PackageResources.calls_roles_sql, as: UTF8.self)
}
