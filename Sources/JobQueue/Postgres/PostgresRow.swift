import CPostgres

/// A PGresult, and the end of it.
///
/// `@unchecked Sendable`: a PGresult is never changed after libpq has handed it over, and libpq documents reading
/// one from several threads as safe; it is freed once, by `deinit`.
/// https://www.postgresql.org/docs/current/libpq-threading.html
final class PostgresResult: @unchecked Sendable {
    let pointer: OpaquePointer
    let columns: [String: Int32]

    init(takingOwnershipOf pointer: OpaquePointer) {
        self.pointer = pointer
        var columns: [String: Int32] = [:]
        for index in 0..<PQnfields(pointer) {
            guard let name = PQfname(pointer, index) else { continue }
            let key = String(cString: name)
            if columns[key] == nil { columns[key] = index }
        }
        self.columns = columns
    }

    deinit { PQclear(pointer) }

    var status: ExecStatusType { PQresultStatus(pointer) }

    func field(_ code: Character) -> String? {
        guard let value = code.asciiValue, let text = PQresultErrorField(pointer, Int32(value)) else { return nil }
        return String(cString: text)
    }
}

/// The rows of one command, in binary form; they are decoded where they are asked for.
package struct PostgresRows: Sendable, RandomAccessCollection {
    let result: PostgresResult

    package var startIndex: Int { 0 }
    package var endIndex: Int { Int(PQntuples(result.pointer)) }
    package subscript(index: Int) -> PostgresRow {
        precondition(indices.contains(index), "row \(index) of \(count)")
        return PostgresRow(result: result, index: Int32(index))
    }

    /// How many rows the command inserted, updated, deleted or returned.
    package var affected: Int { PQcmdTuples(result.pointer).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// The command's tag, such as `INSERT 0 1`.
    package var tag: String { PQcmdStatus(result.pointer).map { String(cString: $0) } ?? "" }
}

/// One row. Keeps the whole answer that it belongs to in memory.
package struct PostgresRow: Sendable {
    let result: PostgresResult
    let index: Int32

    /// The value of a column.
    ///
    /// - Throws: `badRow`, naming the column, if there is none of that name or its value is not a `T`.
    package func decode<T: PostgresDecodable>(_ column: String, as type: T.Type = T.self) throws(QueueError) -> T {
        guard let number = result.columns[column] else {
            throw QueueError(
                .badRow, "the answer has no column \(column.debugDescription)",
                detail: "it has \(result.columns.keys.sorted().joined(separator: ", "))")
        }
        return try decode(Int(number), name: column, as: type)
    }

    /// The value of a column, from 0.
    ///
    /// - Throws: `badRow`, as above.
    package func decode<T: PostgresDecodable>(_ column: Int, as type: T.Type = T.self) throws(QueueError) -> T {
        guard column >= 0, column < Int(PQnfields(result.pointer)) else {
            throw QueueError(.badRow, "the answer has no column \(column), only \(PQnfields(result.pointer))")
        }
        let name = PQfname(result.pointer, Int32(column)).map { String(cString: $0) } ?? "\(column)"
        return try decode(column, name: name, as: type)
    }

    private func decode<T: PostgresDecodable>(_ column: Int, name: String, as type: T.Type) throws(QueueError) -> T {
        let column = Int32(column)
        let isNull = PQgetisnull(result.pointer, index, column) == 1
        let bytes =
            isNull
            ? nil
            : UnsafeRawBufferPointer(
                start: PQgetvalue(result.pointer, index, column), count: Int(PQgetlength(result.pointer, index, column))
            )
        let cell = PostgresCell(type: PQftype(result.pointer, column), bytes: bytes)
        do {
            // The pointer is into the PGresult, which `result` keeps.
            return try withExtendedLifetime(result) { () throws(PostgresCell.Mismatch) -> T in try T(cell) }
        } catch {
            throw QueueError(
                .badRow, "column \(name.debugDescription): \(error.reason)",
                hint: "the schema and this library may be of different versions")
        }
    }
}
