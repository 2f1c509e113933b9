import Foundation
import JobQueue

extension JSONValue {
    /// The members, if this is an object.
    var members: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The elements, if this is an array.
    var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    var isNull: Bool { self == .null }

    var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// A number without a fraction, however it was written.
    var integer: Int64? {
        switch self {
        case .integer(let value): value
        // What has a fraction left is written with a point.
        case .number(let value): Int64("\(value)")
        default: nil
        }
    }

    /// Any number.
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): NSDecimalNumber(decimal: value).doubleValue
        default: nil
        }
    }

    /// The member of that name, but not a `null`, which is as if there were none.
    func member(_ name: String) -> JSONValue? {
        guard let value = self[name], !value.isNull else { return nil }
        return value
    }

    /// As JSON in one form: with sorted keys.
    func canonical() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
