import Foundation

/// The values of one statement, as libpq wants them: one buffer and where in it each value lies.
///
/// Numbers and text go as text of no declared type, so that the server takes them for whatever the statement
/// needs (`1` for an `int`, `bigint` or `numeric`; `'ready'` for an enum). Values whose text form would have to
/// be parsed go in binary form with their type.
package struct PostgresParameters: Sendable {
    struct Entry: Sendable {
        var offset: Int
        var count: Int
        var type: UInt32
        var isBinary: Bool
        var isNull: Bool
    }

    var buffer: [UInt8] = []
    var entries: [Entry] = []
    /// The first value that cannot be sent.
    var failure: QueueError?

    init(_ values: [(any PostgresEncodable)?]) {
        entries.reserveCapacity(values.count)
        for value in values {
            if let value { value.encode(into: &self) } else { appendNull() }
        }
    }

    mutating func appendNull() {
        entries.append(Entry(offset: 0, count: 0, type: 0, isBinary: false, isNull: true))
    }

    /// Appends a value in text form, for the server to give it a type.
    mutating func appendText(_ bytes: some Sequence<UInt8>) {
        let offset = buffer.count
        buffer.append(contentsOf: bytes)
        let count = buffer.count - offset
        // Text ends at its first zero byte; Postgres stores none in text or JSON either.
        if buffer[offset...].contains(0) {
            failure =
                failure
                ?? QueueError(
                    .badRequest, "parameter $\(entries.count + 1) contains a NUL character (U+0000)",
                    hint: "Postgres cannot store it: remove it, or encode the value, for example as base64")
        }
        buffer.append(0)
        entries.append(Entry(offset: offset, count: count, type: 0, isBinary: false, isNull: false))
    }

    /// Appends a value of `type` in binary form.
    mutating func appendBinary(_ type: UInt32, _ body: (inout [UInt8]) -> Void) {
        let offset = buffer.count
        body(&buffer)
        entries.append(
            Entry(offset: offset, count: buffer.count - offset, type: type, isBinary: true, isNull: false))
    }
}

extension [UInt8] {
    mutating func appendBigEndian<T: FixedWidthInteger>(_ value: T) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
