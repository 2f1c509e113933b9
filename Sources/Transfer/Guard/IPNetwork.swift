/// A block of addresses: "10.0.0.0/8", "fd00::/8", or one address.
public struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    /// As it was given: bits behind the prefix are kept, though they count for nothing.
    public let address: IPAddress
    /// How many bits at the front count: 0...32 or 0...128.
    public let prefix: Int

    /// Reads CIDR notation (RFC 4632, RFC 4291 §2.3); without a "/", the network is that one address. `nil` for
    /// anything else. Bits behind the prefix are ignored.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        let bits = address.bytes.count * 8
        var prefix = bits
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy(\.isASCIIDigit), let number = Int(parts[1]), number <= bits else {
                return nil
            }
            prefix = number
        }
        self.address = address
        self.prefix = prefix
    }

    /// Whether an address is in it. An IPv4 address is never in an IPv6 network, nor the other way round.
    public func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let whole = prefix / 8
        guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
        let rest = prefix % 8
        guard rest > 0 else { return true }
        return (other.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0
    }

    public var description: String { "\(address)/\(prefix)" }
}
