/// What other tracing systems have to say about a trace: the `tracestate` header, passed on as it came.
/// https://www.w3.org/TR/trace-context/#tracestate-header
public struct TraceState: Sendable, Hashable, CustomStringConvertible {
    /// A key and its value.
    public struct Member: Sendable, Hashable {
        public let key: String
        public let value: String
    }

    /// The most recent first; at most 32.
    public let members: [Member]

    /// Nothing.
    public static let empty = TraceState(members: [])

    private static let limit = 32

    private init(members: [Member]) { self.members = members }

    /// Reads a header; `nil` if any of it is not as the specification has it, as all of it is void then.
    public init?(_ text: String) {
        var members: [Member] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let part = Self.trimmed(part.utf8)
            // "Empty list members are allowed."
            guard !part.isEmpty else { continue }
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")),
                Self.isKey(part[..<equals]), Self.isValue(part[part.index(after: equals)...])
            else { return nil }
            let member = Member(
                key: String(decoding: part[..<equals], as: UTF8.self),
                value: String(decoding: part[part.index(after: equals)...], as: UTF8.self))
            guard members.count < Self.limit, !members.contains(where: { $0.key == member.key }) else { return nil }
            members.append(member)
        }
        self.init(members: members)
    }

    /// As it stands in the header.
    public var description: String { members.map { "\($0.key)=\($0.value)" }.joined(separator: ",") }

    /// Without blanks and tabs around it.
    private static func trimmed(_ text: Substring.UTF8View) -> [UInt8] {
        var bytes = Array(text)[...]
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return Array(bytes)
    }

    /// `simple-key` or `multi-tenant-key`, §3.3.1.3.1.
    private static func isKey(_ key: some Collection<UInt8>) -> Bool {
        let parts = key.split(separator: UInt8(ascii: "@"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ $0.allSatisfy(isKeyByte) }), let first = parts.first?.first else { return false }
        guard parts.count == 2 else { return key.count <= 256 && isLetter(first) }
        guard let system = parts[1].first else { return false }
        return parts[0].count <= 241 && parts[1].count <= 14 && (isLetter(first) || isDigit(first)) && isLetter(system)
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "_-*/".utf8.contains(byte)
    }

    /// Printable ASCII but for "," and "=", not with a blank at its end, §3.3.1.3.2.
    private static func isValue(_ value: some BidirectionalCollection<UInt8>) -> Bool {
        guard (1...256).contains(value.count), value.last != 0x20 else { return false }
        return value.allSatisfy {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
