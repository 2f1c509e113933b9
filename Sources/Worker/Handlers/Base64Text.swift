import FoundationEssentials

/// RFC 4648, §4.
enum Base64Text {
    static func encoded(_ bytes: some Sequence<UInt8>) -> String { Data(bytes).base64EncodedString() }
}
