/// A request's method. RFC 9110, §9.
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// As it is sent; case counts.
    public let rawValue: String
    /// Any method. One that is no token is refused when it is sent, with `badRequest`.
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    public static let get = HTTPMethod(rawValue: "GET")
    public static let head = HTTPMethod(rawValue: "HEAD")
    public static let put = HTTPMethod(rawValue: "PUT")
    public static let post = HTTPMethod(rawValue: "POST")
    public static let patch = HTTPMethod(rawValue: "PATCH")
    public static let delete = HTTPMethod(rawValue: "DELETE")
    public static let options = HTTPMethod(rawValue: "OPTIONS")

    /// Whether doing it twice is as good as once. RFC 9110, §9.2.2.
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, HTTPMethod(rawValue: "TRACE"): true
        default: false
        }
    }

    /// A token, as RFC 9110 §5.6.2 has it.
    var isValid: Bool { !rawValue.isEmpty && rawValue.utf8.allSatisfy(\.isHTTPTokenCharacter) }
}

extension UInt8 {
    /// `tchar` of RFC 9110, §5.6.2.
    var isHTTPTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}
