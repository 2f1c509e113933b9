/// What an address is for.
/// https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry
enum AddressKind: Equatable {
    case `public`
    case restricted(Restriction)

    /// What stands in a message behind "it leads to".
    enum Restriction: String {
        case loopback = "the machine itself"
        case `private` = "a private network"
        case linkLocal = "a link-local address"
        case metadata = "a metadata service"
        case multicast = "a group of machines"
        case reserved = "an address that is reserved"
    }

    var restricted: Restriction? { if case .restricted(let kind) = self { kind } else { nil } }

    init(_ address: IPAddress) {
        if Self.metadata.contains(address) {
            self = .restricted(.metadata)
        } else if !address.isIPv6 {
            self = Self.v4.first { $0.network.contains(address) }.map { .restricted($0.kind) } ?? .public
        } else if let inner = Self.embedded(in: address) {
            // NAT64 may be the machine's only way to IPv4, so what is inside decides; mapped addresses are IPv4.
            self = AddressKind(inner)
        } else if let special = Self.v6.first(where: { $0.network.contains(address) }) {
            self = .restricted(special.kind)
        } else {
            // Nothing outside of 2000::/3 is handed out for the Internet.
            self = address.bytes[0] & 0xE0 == 0x20 ? .public : .restricted(.reserved)
        }
    }

    /// The IPv4 address that packets for an IPv6 one end up at.
    static func embedded(in address: IPAddress) -> IPAddress? {
        for network in embedding where network.contains(address) {
            return IPAddress(bytes: Array(address.bytes[12...]))
        }
        return nil
    }

    /// IPv4-mapped, and NAT64 of RFC 6052.
    private static let embedding = ["::ffff:0:0/96", "64:ff9b::/96"].compactMap(IPNetwork.init)

    /// Amazon, Google, Azure and others; Amazon over IPv6; Alibaba; Amazon's containers; Oracle.
    private static let metadata = Set(
        [
            "169.254.169.254", "fd00:ec2::254", "100.100.100.200", "169.254.170.2", "169.254.170.23", "fd00:ec2::23",
            "192.0.0.192",
        ].compactMap { IPAddress($0) })

    private static let v4 = table([
        ("0.0.0.0/8", .loopback), ("127.0.0.0/8", .loopback),
        ("10.0.0.0/8", .private), ("172.16.0.0/12", .private), ("192.168.0.0/16", .private),
        ("100.64.0.0/10", .private), ("198.18.0.0/15", .private),
        ("169.254.0.0/16", .linkLocal),
        ("192.0.0.0/24", .reserved), ("192.0.2.0/24", .reserved), ("192.88.99.0/24", .reserved),
        ("198.51.100.0/24", .reserved), ("203.0.113.0/24", .reserved), ("240.0.0.0/4", .reserved),
        ("224.0.0.0/4", .multicast),
    ])

    /// Those with an IPv4 address inside that is not looked at (6to4, Teredo, IPv4-compatible) are refused as a whole:
    /// nobody serves media there.
    private static let v6 = table([
        ("::1/128", .loopback), ("::/128", .loopback), ("::/96", .reserved), ("fc00::/7", .private),
        ("fe80::/10", .linkLocal), ("fec0::/10", .private), ("ff00::/8", .multicast), ("64:ff9b:1::/48", .private),
        ("2001::/23", .reserved), ("2001:db8::/32", .reserved), ("2002::/16", .reserved), ("3fff::/20", .reserved),
    ])

    private static func table(_ rows: [(String, Restriction)]) -> [(network: IPNetwork, kind: Restriction)] {
        rows.compactMap { row in IPNetwork(row.0).map { ($0, row.1) } }
    }
}
