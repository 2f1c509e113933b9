import Foundation
import JobQueue

/// Reads JSON (RFC 8259) strictly, and tells where it stops being that.
///
/// What the database could not keep is refused here, where the place is known: NUL, and halves of surrogate pairs. So
/// is a key that comes twice, of which one would be lost.
struct JSONReader {
    /// Where and why a text is not JSON.
    struct Failure: Error, Hashable {
        /// From 1.
        var line: Int
        /// From 1, in characters.
        var column: Int
        var text: String
    }

    private struct Problem: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    private let bytes: [UInt8]
    private var position = 0
    private static let maximumDepth = 128

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func read(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes)
        do throws(Problem) {
            let value = try reader.value(depth: 0)
            reader.skipSpace()
            if reader.current != nil { throw Problem("the text goes on after its end") }
            return value
        } catch {
            throw reader.failure(error.text)
        }
    }

    private func failure(_ text: String) -> Failure {
        let before = bytes[..<min(position, bytes.count)]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return Failure(line: line, column: String(decoding: before[start...], as: UTF8.self).count + 1, text: text)
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        skipSpace()
        guard let byte = current, UInt32(byte) == scalar.value else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Problem) -> JSONValue {
        guard depth < Self.maximumDepth else { throw Problem("this is nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case nil: throw Problem("the text ends too early")
        default: return try word()
        }
    }

    private mutating func object(depth: Int) throws(Problem) -> JSONValue {
        position += 1
        var members: [String: JSONValue] = [:]
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw Problem("a key in quotes is expected") }
            let start = position
            let key = try string()
            guard members[key] == nil else {
                position = start
                throw Problem("the key \(key.debugDescription) comes twice")
            }
            guard take(":") else { throw Problem("a colon is expected") }
            members[key] = try value(depth: depth + 1)
        } while take(",")
        guard take("}") else { throw Problem("a comma or } is expected") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Problem) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        if take("]") { return .array(elements) }
        repeat { elements.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw Problem("a comma or ] is expected") }
        return .array(elements)
    }

    // MARK: Strings

    private mutating func string() throws(Problem) -> String {
        position += 1
        var text: [UInt8] = []
        let start = position
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    position = start
                    throw Problem("this string is not UTF-8")
                }
                position += 1
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case ..<0x20: throw Problem("a control character in a string is written as an escape, such as \\n")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw Problem("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Problem) {
        guard position + 1 < bytes.count else { throw Problem("a string does not end") }
        let plain: UInt8
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = bytes[position + 1]
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"):
            text.append(contentsOf: String(try scalar()).utf8)
            return
        default: throw Problem("this escape is not known; a backslash itself is \\\\")
        }
        text.append(plain)
        position += 2
    }

    /// `\u0041`, or a pair of surrogates.
    private mutating func scalar() throws(Problem) -> Unicode.Scalar {
        let first = try unit(at: position)
        guard first != 0 else { throw Problem("NUL (\\u0000) cannot be stored: remove it, or encode the value") }
        if let scalar = Unicode.Scalar(first) {
            position += 6
            return scalar
        }
        guard first < 0xDC00, position + 7 < bytes.count, bytes[position + 6] == UInt8(ascii: "\\"),
            bytes[position + 7] == UInt8(ascii: "u")
        else { throw Problem("this is half of a surrogate pair") }
        let second = try unit(at: position + 6)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw Problem("this is half of a surrogate pair") }
        position += 12
        return scalar
    }

    private func unit(at place: Int) throws(Problem) -> UInt32 {
        var value: UInt32 = 0
        for index in place + 2..<place + 6 {
            guard index < bytes.count, let digit = Self.digit(bytes[index]) else {
                throw Problem("four hexadecimal digits come after \\u")
            }
            value = value << 4 | digit
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    // MARK: Words

    /// A number, true, false or null.
    private mutating func word() throws(Problem) -> JSONValue {
        let start = position
        while let byte = current, Self.isWordByte(byte) { position += 1 }
        let word = bytes[start..<position]
        let text = String(decoding: word, as: UTF8.self)
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        default: break
        }
        guard Self.isNumber(word) else {
            position = start
            throw Problem(text.isEmpty ? "a value is expected" : "\(text.debugDescription) is not a value")
        }
        if let integer = Int64(text) { return .integer(integer) }
        guard let number = Decimal(string: text, locale: nil), number.isFinite else {
            position = start
            throw Problem("this number is too large, too small or too long")
        }
        // 1E5 and 2.0 are whole numbers as well; what has a fraction left is written with a point.
        return Int64("\(number)").map { .integer($0) } ?? .number(number)
    }

    /// -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
    private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
        var rest = word
        func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
        func takeDigits() -> Int {
            let digits = rest.prefix(while: isDigit)
            rest = rest.dropFirst(digits.count)
            return digits.count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let hasZero = rest.first == UInt8(ascii: "0")
        let whole = takeDigits()
        guard whole == 1 || whole > 1 && !hasZero else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard takeDigits() > 0 else { return false }
        }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard takeDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
