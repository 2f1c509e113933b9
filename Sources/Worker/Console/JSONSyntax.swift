/// Finds the place where a text stops being JSON (RFC 8259), which the decoder does not tell.
struct JSONSyntax {
    private let bytes: [UInt8]
    private var position = 0
    private static let maximumDepth = 512

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Where and what, such as "line 3, column 7: a key in quotes is expected"; `nil` for valid JSON.
    static func problem(in bytes: [UInt8]) -> String? {
        var syntax = JSONSyntax(bytes)
        do throws(Problem) {
            try syntax.value(depth: 0)
            syntax.skipSpace()
            if syntax.current != nil { throw Problem("the text goes on after its end") }
            return nil
        } catch {
            let before = bytes[..<min(syntax.position, bytes.count)]
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            // Columns count characters, not bytes.
            let column = String(decoding: before[start...], as: UTF8.self).count + 1
            return "line \(line), column \(column): \(error.text)"
        }
    }

    private struct Problem: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard let byte = current, UInt32(byte) == character.value else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Problem) {
        guard depth < Self.maximumDepth else { throw Problem("this is nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): try list(depth: depth, closing: "}", hasKeys: true)
        case UInt8(ascii: "["): try list(depth: depth, closing: "]", hasKeys: false)
        case UInt8(ascii: "\""): try string()
        case nil: throw Problem("the text ends too early")
        default: try word()
        }
    }

    private mutating func list(depth: Int, closing: Unicode.Scalar, hasKeys: Bool) throws(Problem) {
        position += 1
        if take(closing) { return }
        repeat {
            if hasKeys {
                skipSpace()
                guard current == UInt8(ascii: "\"") else { throw Problem("a key in quotes is expected") }
                try string()
                guard take(":") else { throw Problem("a colon is expected") }
            }
            try value(depth: depth + 1)
        } while take(",")
        guard take(closing) else { throw Problem("a comma or \(closing) is expected") }
    }

    private mutating func string() throws(Problem) {
        position += 1
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"):
                guard position + 1 < bytes.count, Array("\"\\/bfnrtu".utf8).contains(bytes[position + 1]) else {
                    throw Problem("this escape is not known; a backslash itself is \\\\")
                }
                position += 2
            case ..<0x20: throw Problem("a string does not end on its line")
            default: position += 1
            }
        }
        throw Problem("a string does not end")
    }

    /// A number, true, false or null.
    private mutating func word() throws(Problem) {
        let start = position
        while let byte = current, Self.isWordByte(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if ["true", "false", "null"].contains(text) { return }
        let isNumber = text.allSatisfy { "0123456789+-.eE".contains($0) } && Double(text) != nil
        guard isNumber, text.first != "+", text.first != ".", text.last != "." else {
            position = start
            throw Problem(text.isEmpty ? "a value is expected" : "\"\(text)\" is not a value; texts stand in quotes")
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
            || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || Array("+-._".utf8).contains(byte)
    }
}
