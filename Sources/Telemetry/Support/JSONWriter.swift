/// Writes JSON as UTF-8, on one line whatever the strings hold. Commas are its own affair.
///
/// RFC 8259. U+0085, U+2028 and U+2029 are escaped too: they need not be, and end a line for many readers.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init(capacity: Int = 512) { bytes.reserveCapacity(capacity) }

    mutating func object(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    mutating func array(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "["))
        body(&self)
        close(UInt8(ascii: "]"))
    }

    mutating func array<Elements: Sequence>(_ elements: Elements, _ body: (inout JSONWriter, Elements.Element) -> Void)
    {
        array { json in for element in elements { body(&json, element) } }
    }

    /// A member's name; its value is what is written next.
    mutating func key(_ name: String) {
        separate()
        append(quoted: name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func string(_ text: String) {
        separate()
        append(quoted: text)
        needsComma = true
    }

    mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    mutating func integer(_ value: some BinaryInteger) { raw(String(value)) }

    /// A number; one that JSON has no number for is a string, as protobuf's JSON mapping has it.
    mutating func double(_ value: Double) {
        if value.isFinite {
            raw("\(value)")
        } else {
            string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        }
    }

    /// An integer of 64 bits as a string, as protobuf's JSON mapping has it.
    mutating func quoted(_ value: some BinaryInteger) { raw("\"\(value)\"") }

    /// A string that `body` writes, of bytes that need no escape.
    mutating func string(_ body: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        body(&bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Ends the record.
    mutating func newline() { bytes.append(UInt8(ascii: "\n")) }

    // MARK: Parts

    private mutating func open(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        needsComma = false
    }

    private mutating func close(_ byte: UInt8) {
        bytes.append(byte)
        needsComma = true
    }

    private mutating func separate() { if needsComma { bytes.append(UInt8(ascii: ",")) } }

    private mutating func raw(_ text: String) {
        separate()
        bytes += text.utf8
        needsComma = true
    }

    private mutating func append(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.allSatisfy(Self.isPlain) { bytes += text.utf8 } else { append(escaping: text) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// What stands for itself. Lead bytes of the line separators beyond ASCII need a closer look.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != 0xC2 && byte != 0xE2
    }

    private mutating func append(escaping text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": bytes += "\\\"".utf8
            case "\\": bytes += "\\\\".utf8
            case "\n": bytes += "\\n".utf8
            case "\r": bytes += "\\r".utf8
            case "\t": bytes += "\\t".utf8
            case "\0"..<" ", "\u{85}", "\u{2028}", "\u{2029}":
                bytes += "\\u".utf8
                Hex.append(UInt64(scalar.value), digits: 4, to: &bytes)
            default: bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
    }
}
