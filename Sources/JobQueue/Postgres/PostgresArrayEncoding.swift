package import Foundation

/// How the elements of an array travel.
package enum PostgresArrayForm: Sendable {
    /// `{1,2}` of no declared type, so that it fits an array of any kind of number, text or enum.
    case text
    /// Binary, with the types of the element and of the array.
    case binary(element: UInt32, array: UInt32)
}

/// A value that can be an element of an array parameter.
package protocol PostgresArrayElement: Sendable {
    /// How arrays of it travel.
    static var arrayForm: PostgresArrayForm { get }
    /// Whether it goes as NULL, and nothing is appended.
    var isNullElement: Bool { get }
    /// Appends the element, in the text form quoted as an array's text form needs it.
    func appendElement(to buffer: inout [UInt8])
}

extension PostgresArrayElement {
    package var isNullElement: Bool { false }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package func encode(into parameters: inout PostgresParameters) {
        switch Element.arrayForm {
        case .text:
            var text: [UInt8] = []
            text.reserveCapacity(count * 8 + 2)
            text.append(UInt8(ascii: "{"))
            for (index, element) in enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                if element.isNullElement { text += "NULL".utf8 } else { element.appendElement(to: &text) }
            }
            text.append(UInt8(ascii: "}"))
            parameters.appendText(text)
        case .binary(let elementType, let arrayType):
            // https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/arrayfuncs.c, array_recv
            parameters.appendBinary(arrayType) { buffer in
                buffer.appendBigEndian(Int32(isEmpty ? 0 : 1))
                buffer.appendBigEndian(Int32(contains(where: \.isNullElement) ? 1 : 0))
                buffer.appendBigEndian(elementType)
                guard !isEmpty else { return }
                buffer.appendBigEndian(Int32(count))
                buffer.appendBigEndian(Int32(1))
                for element in self {
                    guard !element.isNullElement else {
                        buffer.appendBigEndian(Int32(-1))
                        continue
                    }
                    let start = buffer.count
                    buffer.appendBigEndian(Int32(0))
                    element.appendElement(to: &buffer)
                    let size = UInt32(buffer.count - start - 4)
                    for byte in 0..<4 { buffer[start + byte] = UInt8(truncatingIfNeeded: size >> (24 - 8 * byte)) }
                }
            }
        }
    }
}

extension Bool: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm { .text }
    package func appendElement(to buffer: inout [UInt8]) { buffer.append(self ? UInt8(ascii: "t") : UInt8(ascii: "f")) }
}

extension Int: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm { .text }
    package func appendElement(to buffer: inout [UInt8]) { buffer += description.utf8 }
}

extension Int64: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm { .text }
    package func appendElement(to buffer: inout [UInt8]) { buffer += description.utf8 }
}

extension Double: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm { .text }
    package func appendElement(to buffer: inout [UInt8]) { buffer += postgresText.utf8 }
}

extension String: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm { .text }
    package func appendElement(to buffer: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        buffer.append(quote)
        for byte in utf8 {
            if byte == quote || byte == backslash { buffer.append(backslash) }
            buffer.append(byte)
        }
        buffer.append(quote)
    }
}

extension UUID: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm {
        .binary(element: PostgresType.uuid, array: PostgresType.uuidArray)
    }
    package func appendElement(to buffer: inout [UInt8]) { withUnsafeBytes(of: uuid) { buffer.append(contentsOf: $0) } }
}

extension Date: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm {
        .binary(element: PostgresType.timestamptz, array: PostgresType.timestamptzArray)
    }
    package func appendElement(to buffer: inout [UInt8]) { buffer.appendBigEndian(postgresMicroseconds) }
}

/// Elements are `jsonb`, whose binary form is a version byte before the text.
extension PostgresJSON: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm {
        .binary(element: PostgresType.jsonb, array: PostgresType.jsonbArray)
    }
    package func appendElement(to buffer: inout [UInt8]) {
        buffer.append(1)
        buffer.append(contentsOf: bytes)
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
    package static var arrayForm: PostgresArrayForm { Wrapped.arrayForm }
    package var isNullElement: Bool {
        if case .none = self { true } else { false }
    }
    package func appendElement(to buffer: inout [UInt8]) { self?.appendElement(to: &buffer) }
}
