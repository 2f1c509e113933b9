package import Foundation

/// One value of an answer in binary form, valid only while it is decoded.
package struct PostgresCell {
    /// Why a value is not of the type that was asked for.
    package struct Mismatch: Error {
        let reason: String
    }

    let type: UInt32
    let bytes: UnsafeRawBufferPointer?

    /// The bytes of a value that is not NULL.
    func value(for wanted: String) throws(Mismatch) -> UnsafeRawBufferPointer {
        guard let bytes else { throw Mismatch(reason: "NULL where a \(wanted) is expected") }
        return bytes
    }

    func mismatch(_ wanted: String) -> Mismatch {
        Mismatch(reason: "a \(PostgresType.name(type)) where a \(wanted) is expected")
    }
}

/// A value that can be read from a column.
package protocol PostgresDecodable {
    /// Reads a value in binary form.
    ///
    /// - Throws: why it is not one of these, such as NULL or another type.
    init(_ cell: PostgresCell) throws(PostgresCell.Mismatch)
}

extension UnsafeRawBufferPointer {
    /// A number in network order, which must fit from `offset` on.
    func bigEndian<T: FixedWidthInteger>(_ type: T.Type, at offset: Int = 0) throws(PostgresCell.Mismatch) -> T {
        guard offset >= 0, offset + MemoryLayout<T>.size <= count else {
            throw PostgresCell.Mismatch(reason: "a value of \(count) bytes, too short")
        }
        return T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        if cell.bytes == nil { self = .none } else { self = .some(try Wrapped(cell)) }
    }
}

extension Bool: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        guard cell.type == PostgresType.bool else { throw cell.mismatch("boolean") }
        self = try cell.value(for: "boolean").bigEndian(UInt8.self) != 0
    }
}

/// From `smallint`, `integer`, `bigint`, `oid`, and `numeric` without a fraction.
extension Int64: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.value(for: "whole number")
        switch cell.type {
        case PostgresType.int8: self = try bytes.bigEndian(Int64.self)
        case PostgresType.int4: self = Int64(try bytes.bigEndian(Int32.self))
        case PostgresType.int2: self = Int64(try bytes.bigEndian(Int16.self))
        case PostgresType.oid: self = Int64(try bytes.bigEndian(UInt32.self))
        case PostgresType.numeric:
            guard let whole = Int64(exactly: try PostgresNumeric.double(bytes)) else {
                throw cell.mismatch("whole number")
            }
            self = whole
        default: throw cell.mismatch("whole number")
        }
    }
}

extension Int: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) { self = Int(try Int64(cell)) }
}

/// From every type of number.
extension Double: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.value(for: "number")
        switch cell.type {
        case PostgresType.float8: self = Double(bitPattern: try bytes.bigEndian(UInt64.self))
        case PostgresType.float4: self = Double(Float(bitPattern: try bytes.bigEndian(UInt32.self)))
        case PostgresType.numeric: self = try PostgresNumeric.double(bytes)
        default: self = Double(try Int64(cell))
        }
    }
}

/// From text of every kind, and enums.
extension String: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.value(for: "text")
        switch cell.type {
        case _ where PostgresType.textual.contains(cell.type) || cell.type >= PostgresType.firstCustom:
            self = String(decoding: bytes, as: UTF8.self)
        case PostgresType.json, PostgresType.jsonb: self = try PostgresJSON(cell).text
        case PostgresType.uuid: self = try UUID(cell).uuidString.lowercased()
        default: throw cell.mismatch("text")
        }
    }
}

extension UUID: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.value(for: "uuid")
        guard cell.type == PostgresType.uuid, bytes.count == 16 else { throw cell.mismatch("uuid") }
        self.init(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Date: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.value(for: "timestamptz")
        guard cell.type == PostgresType.timestamptz || cell.type == PostgresType.timestamp else {
            throw cell.mismatch("timestamptz")
        }
        switch try bytes.bigEndian(Int64.self) {
        case .max: self = .distantFuture
        case .min: self = .distantPast
        case let microseconds:
            self.init(timeIntervalSinceReferenceDate: Double(microseconds - 366 * 86_400 * 1_000_000) / 1e6)
        }
    }
}

/// From `interval`. A day is 24 hours and a month 30 days, as in Postgres's `extract(epoch from …)`.
extension Duration: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.value(for: "interval")
        guard cell.type == PostgresType.interval else { throw cell.mismatch("interval") }
        let microseconds = try bytes.bigEndian(Int64.self)
        let days = Int64(try bytes.bigEndian(Int32.self, at: 8))
        let months = Int64(try bytes.bigEndian(Int32.self, at: 12))
        self = .microseconds(microseconds) + .seconds((days + months * 30) * 86_400)
    }
}

extension PostgresJSON: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.value(for: "JSON")
        switch cell.type {
        case PostgresType.jsonb:
            guard bytes.first == 1 else { throw PostgresCell.Mismatch(reason: "a jsonb of an unknown version") }
            self.init(Data(bytes.dropFirst()))
        case PostgresType.json: self.init(Data(bytes))
        default: throw cell.mismatch("JSON")
        }
    }
}

/// From an array of one dimension.
extension Array: PostgresDecodable where Element: PostgresDecodable {
    package init(_ cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.value(for: "array")
        // Dimensions, whether there are NULLs, the element's type; then, for each dimension, size and lower bound.
        let dimensions = try bytes.bigEndian(Int32.self)
        let elementType = try bytes.bigEndian(UInt32.self, at: 8)
        guard dimensions <= 1, dimensions >= 0 else { throw cell.mismatch("array of one dimension") }
        self = []
        guard dimensions == 1 else { return }
        let size = Int(try bytes.bigEndian(Int32.self, at: 12))
        guard size >= 0, size <= bytes.count / 4 else { throw cell.mismatch("array") }
        reserveCapacity(size)
        var offset = 20
        for _ in 0..<size {
            let length = Int(try bytes.bigEndian(Int32.self, at: offset))
            offset += 4
            guard length >= 0 else {
                append(try Element(PostgresCell(type: elementType, bytes: nil)))
                continue
            }
            guard offset + length <= bytes.count else { throw cell.mismatch("array") }
            let element = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
            append(try Element(PostgresCell(type: elementType, bytes: element)))
            offset += length
        }
    }
}

/// `numeric` in binary form: groups of four decimal digits.
/// https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c, numeric_send
enum PostgresNumeric {
    static func double(_ bytes: UnsafeRawBufferPointer) throws(PostgresCell.Mismatch) -> Double {
        let groups = Int(try bytes.bigEndian(Int16.self))
        let weight = Int(try bytes.bigEndian(Int16.self, at: 2))
        switch try bytes.bigEndian(UInt16.self, at: 4) {
        case 0xC000: return .nan
        case 0xD000: return .infinity
        case 0xF000: return -.infinity
        case let sign:
            // As text, so that the nearest Double is found once and not by rounding at every group.
            var text = sign == 0x4000 ? "-0" : "0"
            for group in 0..<max(groups, 0) {
                let digits = String(try bytes.bigEndian(UInt16.self, at: 8 + 2 * group))
                text += String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            }
            text += "e\(4 * (weight - max(groups, 0) + 1))"
            guard let value = Double(text) else { throw PostgresCell.Mismatch(reason: "a numeric out of range") }
            return value
        }
    }
}
