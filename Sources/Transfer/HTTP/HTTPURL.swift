/// An absolute `http` or `https` URL, read strictly. RFC 3986.
///
/// What libcurl gets is put together from the parts here, never the text that was given: two parsers that disagree
/// about where a host ends are how requests get to hosts that nobody meant.
public struct HTTPURL: Sendable, Hashable, CustomStringConvertible {
    /// The two schemes that a client speaks.
    public enum Scheme: String, Sendable, Hashable {
        case http, https
        /// 80 or 443.
        public var defaultPort: Int { self == .http ? 80 : 443 }
    }

    /// Changing it leaves `port` as it is.
    public var scheme: Scheme
    /// In small letters: a name in ASCII, an IPv4 address as it was written, or an IPv6 address in brackets.
    public let host: String
    /// 1...65,535: the one that was given, or the scheme's own.
    public let port: Int
    /// As it is sent: percent-encoded, beginning with "/". Neither dots nor slashes in it are taken away.
    public var path: String
    /// As it is sent, without "?"; `nil` where there is none. It may hold secrets.
    public var query: String?
    /// "user:password" or "user", with percent-encoding resolved; sent as Basic authentication. Never shown.
    public let userInfo: UserInfo?

    /// What stands before the "@" of a URL, with percent-encoding resolved.
    public struct UserInfo: Sendable, Hashable {
        /// What stands before the first colon.
        public let user: String
        /// Empty where there was none.
        public let password: String
    }

    /// - Parameters:
    ///   - host: in brackets if it is an IPv6 address.
    ///   - path: percent-encoded; "/" if it is empty.
    ///   - query: percent-encoded.
    /// - Throws: ``TransferError`` with code `badURL`.
    public init(
        scheme: Scheme, host: String, port: Int? = nil, path: String = "/", query: String? = nil,
        userInfo: UserInfo? = nil
    ) throws(TransferError) {
        let host = String(decoding: host.utf8.map(\.asciiLowercased), as: UTF8.self)
        guard Self.isHost(host) else {
            throw Self.malformed("its host is not a name in ASCII letters or an address")
        }
        if let port { guard (1...65_535).contains(port) else { throw Self.malformed("its port is not 1 to 65535") } }
        guard path.isEmpty || path.hasPrefix("/") else { throw Self.malformed("its path does not begin with /") }
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort
        self.path = path.isEmpty ? "/" : PercentEncoding.completing(path, allowed: PercentEncoding.isPathByte)
        self.query = query.map { PercentEncoding.completing($0, allowed: PercentEncoding.isQueryByte) }
        self.userInfo = userInfo
    }

    /// Reads a URL. A fragment is dropped; blanks and letters beyond ASCII in path and query are percent-encoded.
    ///
    /// - Throws: ``TransferError`` with code `badURL`, whose message does not repeat the URL.
    public init(_ text: String) throws(TransferError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 || $0 == 0x20 }), !text.utf8.contains(0x7F) else {
            throw Self.malformed("it holds a control character")
        }
        guard let colon = text.firstIndex(of: ":"),
            let scheme = Scheme(rawValue: text[..<colon].lowercased()), text[colon...].hasPrefix("://")
        else { throw Self.malformed("it does not begin with http:// or https://") }
        var rest = text[text.index(colon, offsetBy: 3)...]
        if let hash = rest.firstIndex(of: "#") { rest = rest[..<hash] }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        var authority = rest[..<end]
        guard !authority.contains("\\") else { throw Self.malformed("its host holds a backslash") }
        var userInfo: UserInfo?
        if let at = authority.lastIndex(of: "@") {
            let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard !authority[..<at].contains("@") else { throw Self.malformed("it holds two @ before its path") }
            userInfo = UserInfo(
                user: PercentEncoding.decoded(parts[0]),
                password: PercentEncoding.decoded(parts.dropFirst().first ?? ""))
            authority = authority[authority.index(after: at)...]
        }
        var port: Int?
        let afterHost =
            authority.hasPrefix("[")
            ? authority.firstIndex(of: "]") ?? authority.startIndex
            : authority.startIndex
        if let separator = authority[afterHost...].firstIndex(of: ":") {
            let digits = authority[authority.index(after: separator)...]
            guard digits.isEmpty || digits.utf8.count <= 5 && digits.utf8.allSatisfy(\.isASCIIDigit) else {
                throw Self.malformed("its port is not a number")
            }
            port = digits.isEmpty ? nil : Int(digits)
            authority = authority[..<separator]
        }
        let target = rest[end...]
        let question = target.firstIndex(of: "?")
        try self.init(
            scheme: scheme, host: String(authority), port: port, path: String(target[..<(question ?? target.endIndex)]),
            query: question.map { String(target[target.index(after: $0)...]) }, userInfo: userInfo)
    }

    /// Host, and port where it is not the scheme's own: the `Host` header.
    public var authority: String { port == scheme.defaultPort ? host : "\(host):\(port)" }

    /// What two URLs share that are answered by the same server: `https://example.com:8443`.
    public var origin: String { "\(scheme.rawValue)://\(authority)" }

    /// The whole URL but for user info. It may hold secrets in its query: not for messages.
    public var text: String { origin + path + (query.map { "?" + $0 } ?? "") }

    /// Without user info, query and fragment, so that it can be shown.
    public var description: String { origin + path }

    private static func isHost(_ host: String) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") {
            return IPAddress(String(host.dropFirst().dropLast()))?.isIPv6 == true
        }
        return !host.isEmpty && host.utf8.count <= 253
            && host.utf8.allSatisfy {
                $0.isASCIIDigit || $0.isASCIILetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
                    || $0 == UInt8(ascii: "_")
            }
    }

    private static func malformed(_ reason: String) -> TransferError {
        TransferError(.badURL, "this is no URL that can be fetched: \(reason)", mayHaveTakenEffect: false)
    }
}
