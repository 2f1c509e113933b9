extension ObjectLocation: CustomStringConvertible {
    /// Reads `s3://bucket/key`, `https://…`, `http://…`, `file:///path` or `store://key`.
    ///
    /// - Throws: ``TransferError`` with code `badURL`, whose message does not repeat the text.
    public init(_ text: String) throws(TransferError) {
        let scheme = text.prefix { $0 != ":" }
        let rest = text.dropFirst(scheme.count)
        guard rest.hasPrefix("://") else {
            throw Self.malformed("it does not begin with s3://, https://, http://, file:/// or store://")
        }
        let place = rest.dropFirst(3)
        switch scheme.lowercased() {
        case "s3":
            let bucket = place.prefix { $0 != "/" }
            guard S3Address.isBucket(bucket) else { throw Self.malformed("it has no bucket: write s3://bucket/key") }
            let key = place.dropFirst(bucket.count + 1)
            guard !key.isEmpty else { throw Self.malformed("it has no key: write s3://bucket/key") }
            self = .bucket(String(bucket), key: try Self.decoded(key))
        case "store":
            guard !place.isEmpty, !place.hasPrefix("/") else {
                throw Self.malformed("it has no key: write store://key")
            }
            self = .store(key: try Self.decoded(place))
        case "file":
            let host = place.prefix { $0 != "/" }
            guard host.isEmpty || host.lowercased() == "localhost" else {
                throw Self.malformed("it names another machine: write file:///path")
            }
            let path = try Self.decoded(place.dropFirst(host.count))
            guard path.count > 1, !path.utf8.contains(0) else { throw Self.malformed("it has no path") }
            self = .file(path: path)
        case "http", "https": self = .web(try HTTPURL(text))
        default: throw Self.malformed("it does not begin with s3://, https://, http://, file:/// or store://")
        }
    }

    /// As it is read, but for the query of a `web` location, which may hold a signature and is left out.
    public var description: String {
        switch self {
        case .bucket(let bucket, let key): "s3://\(bucket)/\(Self.encoded(key))"
        case .web(let url): url.description
        case .file(let path): "file://\(Self.encoded(path))"
        case .store(let key):
            "store://\(key.hasPrefix("/") ? "%2F" + Self.encoded(String(key.dropFirst())) : Self.encoded(key))"
        }
    }

    private static func encoded(_ key: String) -> String {
        PercentEncoding.encoded(key, allowed: PercentEncoding.isPathByte)
    }

    /// Strictly: a name that means something else than it seems to is worse than none.
    private static func decoded(_ text: Substring) throws(TransferError) -> String {
        guard !text.contains("?"), !text.contains("#") else {
            throw malformed("it holds ? or #: write %3F or %23")
        }
        var rest = Array(text.utf8)[...]
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            let digits = rest[(percent + 1)...].prefix(2)
            guard digits.count == 2, digits.allSatisfy(\.isASCIIHexDigit) else {
                throw malformed("it holds a % that is none of percent-encoding: write %25")
            }
            rest = rest[(percent + 3)...]
        }
        let decoded = PercentEncoding.decoded(text)
        // What is not UTF-8 was replaced, and then encodes to something else.
        guard PercentEncoding.encoded(decoded) == canonical(text) else { throw malformed("it is not UTF-8") }
        return decoded
    }

    /// Each byte that needs it encoded, in capital letters.
    private static func canonical(_ text: Substring) -> String {
        var result = ""
        var rest = text.utf8[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(rest.dropFirst().prefix(2)) ?? "", radix: 16) {
                result += PercentEncoding.isUnreserved(value) ? String(UnicodeScalar(value)) : "%" + hex(value)
                rest = rest.dropFirst(3)
            } else {
                result += PercentEncoding.isUnreserved(byte) ? String(UnicodeScalar(byte)) : "%" + hex(byte)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    private static func hex(_ byte: UInt8) -> String { Hex.encoded([byte]).uppercased() }

    private static func malformed(_ reason: String) -> TransferError {
        TransferError(.badURL, "this is no location: \(reason)", mayHaveTakenEffect: false)
    }
}
