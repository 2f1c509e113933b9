/// A media type as RFC 9110, §8.3.1 has it: `video/mp4; codecs="avc1"`. What else a browser might read into
/// a header, such as a second type after a comma, is none.
struct MediaType: Sendable {
    /// `type/subtype` in lower case.
    let essence: String

    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard let type = Self.token(&rest), Self.take("/", &rest), let subtype = Self.token(&rest) else { return nil }
        while !rest.isEmpty {
            Self.skipSpace(&rest)
            guard Self.take(";", &rest) else { return nil }
            Self.skipSpace(&rest)
            guard Self.token(&rest) != nil, Self.take("=", &rest),
                Self.quoted(&rest) || Self.token(&rest) != nil
            else { return nil }
        }
        essence = "\(type)/\(subtype)".lowercased()
    }

    private static func take(_ sign: Unicode.Scalar, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.first == UInt8(ascii: sign) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func skipSpace(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    private static func token(_ rest: inout ArraySlice<UInt8>) -> String? {
        let found = rest.prefix { isTokenLetter($0) }
        guard !found.isEmpty else { return nil }
        rest = rest.dropFirst(found.count)
        return String(decoding: found, as: UTF8.self)
    }

    /// Without escapes, which nobody needs here.
    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.first == UInt8(ascii: "\"") else { return false }
        let inner = rest.dropFirst().prefix {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        let after = rest.dropFirst(inner.count + 1)
        guard after.first == UInt8(ascii: "\"") else { return false }
        rest = after.dropFirst()
        return true
    }

    private static func isTokenLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
