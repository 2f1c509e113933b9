/// The text of the migrations as transactions, the same whether this library sends it or a person does.
struct MigrationScript: Sendable {
    let names: SchemaNames
    let list: [Migration]

    var table: String { "\(names.schema.quotedIdentifier).migration" }

    /// The advisory lock's number, made of the schema's name.
    var lockKey: String { "pg_catalog.hashtextextended(\(("kiln migrate " + names.schema).quotedLiteral), 0)" }

    /// What comes before a migration's own SQL, in its transaction.
    func prelude(of migration: Migration) -> String {
        let schema = names.schema.quotedIdentifier
        let before = migration.version - 1
        let first = """
            DO $kiln$ BEGIN
                IF to_regnamespace(\(schema.quotedLiteral)) IS NULL THEN
                    CREATE SCHEMA \(schema);
                END IF;
            END $kiln$;
            CREATE TABLE IF NOT EXISTS \(table) (
                version int PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                applied_by name NOT NULL DEFAULT session_user,
                library_version text NOT NULL,
                seconds double precision NOT NULL
            );

            """
        // A lock that is not had soon would make everybody else wait behind it.
        return """
            BEGIN;
            SET LOCAL client_min_messages = warning;
            SET LOCAL lock_timeout = '10s';
            SET LOCAL search_path = pg_catalog;
            SELECT pg_advisory_xact_lock(\(lockKey));
            \(before == 0 ? first : "")DO $kiln$ BEGIN
                IF (SELECT coalesce(max(version), 0) FROM \(table)) <> \(before) THEN
                    RAISE EXCEPTION 'migration \(migration.version) does not follow what has been applied'
                        USING HINT = 'see the table migration in the schema, and leave out what is there';
                END IF;
            END $kiln$;
            SET LOCAL search_path = \(schema), pg_catalog, pg_temp;

            """
    }

    func transaction(of migration: Migration) -> String {
        prelude(of: migration) + names.fill(migration.sql) + """

            ;
            INSERT INTO \(table) (version, name, checksum, library_version, seconds)
            VALUES (\(migration.version), \(migration.name.quotedLiteral), '\(migration.checksum)',
                \(jobQueueVersion.quotedLiteral), extract(epoch FROM clock_timestamp() - transaction_timestamp()));
            COMMIT;

            """
    }

    /// What comes before the roles' own SQL.
    var rolesPrelude: String {
        """
        BEGIN;
        SET LOCAL client_min_messages = warning;
        SET LOCAL search_path = \(names.schema.quotedIdentifier), pg_catalog, pg_temp;

        """
    }

    func rolesTransaction(_ sql: String) -> String { rolesPrelude + names.fill(sql) + "\n;\nCOMMIT;\n" }

    /// - Parameter roles: the roles' own SQL, if they are wanted.
    func whole(after version: Int, roles: String?) -> String {
        let header = """
            -- The schema \(names.schema.debugDescription) of kiln, library \(jobQueueVersion). One transaction for each migration;
            -- run it with psql -v ON_ERROR_STOP=1, or anything else that stops at an error.


            """
        let parts = list.filter { $0.version > version }.map { migration in
            "-- Migration \(migration.version): \(migration.name)\n" + transaction(of: migration)
        }
        return header + (parts + (roles.map { ["-- Roles\n" + rolesTransaction($0)] } ?? [])).joined(separator: "\n")
    }
}
