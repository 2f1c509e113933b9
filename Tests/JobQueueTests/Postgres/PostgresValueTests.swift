import Foundation
import Testing

@testable import JobQueue

/// Sends a value and reads it back, as a value of `sqlType`.
private func roundTrip<T: PostgresEncodable & PostgresDecodable>(
    _ value: T, _ sqlType: String, on connection: PostgresConnection
) async throws -> T {
    try await connection.value("SELECT $1::\(sqlType)", [value])
}

@Test func `every kind of value comes back as it went`() async throws {
    let connection = try await connect()
    for value in [true, false] { #expect(try await roundTrip(value, "boolean", on: connection) == value) }
    for value in [0, 1, -1, Int.max, Int.min] { #expect(try await roundTrip(value, "bigint", on: connection) == value) }
    #expect(try await roundTrip(Int64(-7), "smallint", on: connection) == -7)
    #expect(try await roundTrip(123_456, "numeric", on: connection) == 123_456)
    for value in [0, -0.1, 1e-300, 1.7976931348623157e308, .infinity, -.infinity, .pi] {
        #expect(try await roundTrip(value, "double precision", on: connection) == value)
    }
    #expect(try await roundTrip(Double.nan, "double precision", on: connection).isNaN)
    for value in [0.5, 12_345_678.000_1, -10_000, 0.000_012] {
        #expect(try await roundTrip(value, "numeric", on: connection) == value)
    }
    for value in ["", "it's \"x\" \\ {},NULL", "😀e\u{301}\u{FFFF}\n\t"] {
        #expect(try await roundTrip(value, "text", on: connection) == value)
    }
    let uuid = UUID()
    #expect(try await roundTrip(uuid, "uuid", on: connection) == uuid)
    let json = PostgresJSON(#"{"a": [1, 2.50, "ü"]}"#)
    #expect(try await roundTrip(json, "jsonb", on: connection) == json)
    #expect(try await roundTrip(json, "json", on: connection) == json)
    for value: Duration in [.zero, .microseconds(-1), .seconds(86_400 * 400) + .microseconds(7)] {
        #expect(try await roundTrip(value, "interval", on: connection) == value)
    }
    #expect(try await roundTrip(Int?.none, "int", on: connection) == nil)
    await connection.close()
}

@Test func `a point in time is exact to the microsecond, whatever the session's time zone`() async throws {
    let connection = try await connect()
    for (date, text) in [
        (Date(timeIntervalSince1970: 0), "1970-01-01T00:00:00.000000"),
        (Date(timeIntervalSince1970: 1_800_000_000.123_456), "2027-01-15T08:00:00.123456"),
        (Date(timeIntervalSince1970: -1.5), "1969-12-31T23:59:58.500000"),
    ] {
        let format = #"SELECT to_char($1::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')"#
        #expect(try await connection.value(format, [date], as: String.self) == text)
        let back = try await roundTrip(date, "timestamptz", on: connection)
        #expect(abs(back.timeIntervalSince(date)) < 1e-6)
    }
    #expect(try await roundTrip(Date.distantFuture, "timestamptz", on: connection) == .distantFuture)
    #expect(try await connection.value("SELECT $1::timestamptz::text", [Date.distantPast]) == "-infinity")
    await connection.close()
}

@Test func `arrays of a thousand come back as they went`() async throws {
    let connection = try await connect()
    let uuids = (0..<1000).map { _ in UUID() }
    let numbers = (0..<1000).map { Int64($0) * 1_000_000_007 - 5 }
    let texts: [String?] = (0..<1000).map { $0.isMultiple(of: 3) ? nil : "a\"\\,{}\($0) NULL" } + ["", "NULL"]
    let documents: [PostgresJSON?] = (0..<1000).map { $0.isMultiple(of: 5) ? nil : PostgresJSON(#"{"n": \#($0)}"#) }
    #expect(try await roundTrip(uuids, "uuid[]", on: connection) == uuids)
    #expect(try await roundTrip(numbers, "bigint[]", on: connection) == numbers)
    #expect(try await roundTrip([1, 2, 3], "int[]", on: connection) == [1, 2, 3])
    #expect(try await roundTrip(texts, "text[]", on: connection) == texts)
    #expect(try await roundTrip(documents, "jsonb[]", on: connection) == documents)
    #expect(try await roundTrip([UUID](), "uuid[]", on: connection).isEmpty)
    #expect(try await roundTrip([String](), "text[]", on: connection).isEmpty)
    let sent = [Date(timeIntervalSince1970: 1), Date(timeIntervalSince1970: 2)]
    #expect(try await roundTrip(sent, "timestamptz[]", on: connection) == sent)
    #expect(try await roundTrip([true, false], "boolean[]", on: connection) == [true, false])
    await connection.close()
}

@Test func `an enum is read and written as text`() async throws {
    let connection = try await connect()
    try await connection.script("CREATE TYPE mood AS ENUM ('fine', 'so-so')")
    #expect(try await roundTrip("so-so", "mood", on: connection) == "so-so")
    #expect(try await roundTrip(["fine", "so-so"], "mood[]", on: connection) == ["fine", "so-so"])
    await connection.close()
}

@Test func `a value of another type is an error that names the column`() async throws {
    let connection = try await connect()
    let rows = try await connection.query("SELECT 'x'::text AS title, NULL::int AS n, ARRAY[[1]] AS matrix")
    let row = try #require(rows.first)
    let wrongType = await queueError { _ = try row.decode("title", as: Int.self) }
    #expect(wrongType?.code == .badRow)
    #expect(wrongType?.message == #"column "title": a text where a whole number is expected"#)
    #expect(await queueError { _ = try row.decode("n", as: Int.self) }?.message.contains(#"column "n": NULL"#) == true)
    #expect(await queueError { _ = try row.decode("absent", as: Int.self) }?.message.contains("absent") == true)
    #expect(await queueError { _ = try row.decode("matrix", as: [Int].self) }?.message.contains("matrix") == true)
    await connection.close()
}

@Test func `a NUL in text or JSON is refused and names the parameter`() async throws {
    let connection = try await connect()
    for value: any PostgresEncodable in ["a\0b", PostgresJSON("{\0}"), ["a", "\0"]] {
        let error = await queueError { _ = try await connection.query("SELECT $1::int, $2::text", [1, value]) }
        #expect(error?.code == .badRequest)
        #expect(error?.message.contains("$2") == true)
        let piped = await queueError {
            _ = try await connection.pipeline([
                PostgresStatement("SELECT 1"), PostgresStatement("SELECT $1::int, $2::text", [1, value]),
            ])
        }
        #expect(piped?.code == .badRequest)
        #expect(connection.failure == nil)
    }
    await connection.close()
}
