import Crypto

/// One numbered step of the schema.
public struct Migration: Sendable, Hashable {
    /// From 1, without gaps.
    public var version: Int
    /// `tables`, of a file m0001_tables.sql.
    public var name: String
    /// SQL with `{{schema}}`, `{{schema_literal}}`, `{{role_prefix}}` and `{{role_prefix_literal}}` where those belong.
    public var sql: String

    /// Takes the text as it is; see `sql`.
    public init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }

    init(_ version: Int, _ name: String, _ file: [UInt8]) {
        self.init(version: version, name: name, sql: String(decoding: file, as: UTF8.self))
    }

    /// SHA-256 of the file as it is, before the schema's name is put in: 64 hexadecimal digits.
    public var checksum: String {
        SHA256.hash(data: Array(sql.utf8)).map { byte in
            let hex = String(byte, radix: 16)
            return byte < 16 ? "0" + hex : hex
        }.joined()
    }
}

/// Whether the cluster's roles are made along with the schema.
public enum MigrationRoles: Sendable, Hashable {
    /// Leaves the roles alone, and whatever they were granted.
    case none
    /// Makes `<prefix>_producer`, `<prefix>_worker` and `<prefix>_reader`, unless they are there, and grants each
    /// what it needs in the schema, no more. Needs CREATEROLE for those that are missing.
    case create(prefix: String = "kiln")
}

/// A migration as the database remembers it.
public struct AppliedMigration: Sendable, Hashable {
    /// Its number.
    public var version: Int
    /// What it is called.
    public var name: String
    /// SHA-256 of its text as it was applied, in hexadecimal digits.
    public var checksum: String
}

/// How the schema in a database relates to this library.
public struct MigrationStatus: Sendable {
    /// What the database has, in order.
    public var applied: [AppliedMigration]
    /// What this library would add, in order.
    public var pending: [Migration]
    /// What the database has and this library does not know: a newer library was here.
    public var unknown: [AppliedMigration]

    /// Whether this library works on that schema: up to date, or newer by one migration, through which the
    /// workers of before keep working.
    public var isUsable: Bool { pending.isEmpty && unknown.count <= 1 }
}

/// The migrations in this library. The one list of them: a file in the folder that is not named here is an error
/// that the tests find.
enum EmbeddedMigrations {
    static let all: [Migration] = [
        Migration(1, "tables", PackageResources.m0001_tables_sql),
        Migration(2, "internal", PackageResources.m0002_internal_sql),
        Migration(3, "enqueue", PackageResources.m0003_enqueue_sql),
        Migration(4, "admin", PackageResources.m0004_admin_sql),
        Migration(5, "worker", PackageResources.m0005_worker_sql),
        Migration(6, "maintenance", PackageResources.m0006_maintenance_sql),
        Migration(7, "views", PackageResources.m0007_views_sql),
        Migration(8, "requests", PackageResources.m0008_requests_sql),
        Migration(9, "workflows", PackageResources.m0009_workflows_sql),
        Migration(10, "waiting", PackageResources.m0010_waiting_sql),
        Migration(11, "limits", PackageResources.m0011_limits_sql),
        Migration(12, "endings", PackageResources.m0012_endings_sql),
        Migration(13, "taking", PackageResources.m0013_taking_sql),
        Migration(14, "claim", PackageResources.m0014_claim_sql),
        Migration(15, "outcomes", PackageResources.m0015_outcomes_sql),
        Migration(16, "steps", PackageResources.m0016_steps_sql),
        Migration(17, "queues", PackageResources.m0017_queues_sql),
        Migration(18, "schedules", PackageResources.m0018_schedules_sql),
        Migration(19, "outside", PackageResources.m0019_outside_sql),
    ]

    /// The roles and what they are granted: repeatable, and applied after the migrations where asked for.
    static let roles = String(decoding: PackageResources.roles_sql, as: UTF8.self)
}
