/// Type numbers of Postgres's catalog, fixed since its beginning.
/// https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let timestamptzArray: UInt32 = 1185
    static let interval: UInt32 = 1186
    static let numeric: UInt32 = 1700
    static let uuid: UInt32 = 2950
    static let uuidArray: UInt32 = 2951
    static let jsonb: UInt32 = 3802
    static let jsonbArray: UInt32 = 3807

    /// Types whose binary form is their text: "char", name, text, unknown, bpchar, varchar, xml.
    static let textual: Set<UInt32> = [18, 19, 25, 142, 705, 1042, 1043]
    /// The first number for types that are made in a database: enums, among others.
    static let firstCustom: UInt32 = 16384

    private static let names: [UInt32: String] = [
        bool: "boolean", bytea: "bytea", int8: "bigint", int2: "smallint", int4: "integer", text: "text", oid: "oid",
        json: "json", float4: "real", float8: "double precision", timestamp: "timestamp",
        timestamptz: "timestamptz", timestamptzArray: "timestamptz[]", interval: "interval", numeric: "numeric",
        uuid: "uuid", uuidArray: "uuid[]", jsonb: "jsonb", jsonbArray: "jsonb[]", 1000: "boolean[]",
        1007: "integer[]", 1009: "text[]", 1016: "bigint[]", 1022: "double precision[]", 19: "name",
        1043: "varchar", 2278: "void",
    ]

    static func name(_ oid: UInt32) -> String { names[oid] ?? "type \(oid)" }
}

/// Microseconds between the Unix epoch and Postgres's, 2000-01-01 00:00 UTC.
let postgresEpochMicroseconds: Int64 = 946_684_800_000_000
