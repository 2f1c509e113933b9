import Transfer

/// What limits of an address are counted by: of IPv6 the network of 64 bits, all of which one client has to itself
/// (RFC 6177), else each of them would be somebody else.
enum AddressGroup {
    /// - Parameter address: what is none is its own group.
    static func name(of address: String) -> String {
        // Without a zone, and the brackets and port that some proxies add.
        var text = address.prefix { $0 != "%" }
        if text.hasPrefix("[") { text = text.dropFirst().prefix { $0 != "]" } }
        guard let found = IPAddress(String(text)) else { return address }
        guard found.isIPv6 else { return found.description }
        // An IPv4 client of a socket for both: ::ffff:192.0.2.1.
        if found.bytes[..<10].allSatisfy({ $0 == 0 }), found.bytes[10] == 0xFF, found.bytes[11] == 0xFF,
            let inner = IPAddress(bytes: Array(found.bytes[12...]))
        {
            return inner.description
        }
        let network = IPAddress(bytes: Array(found.bytes[..<8]) + [UInt8](repeating: 0, count: 8))
        return network.map { "\($0)/64" } ?? address
    }
}
