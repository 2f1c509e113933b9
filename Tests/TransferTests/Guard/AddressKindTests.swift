import Testing

@testable import Transfer

@Suite struct AddressKindTests {
    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:200::1", "3ffe::1",
    ])
    func `is public`(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressKind(address) == .public)
    }

    @Test(arguments: [
        ("0.0.0.0", AddressKind.Restriction.loopback), ("0.1.2.3", .loopback), ("127.0.0.1", .loopback),
        ("127.255.255.255", .loopback), ("10.0.0.0", .private), ("10.255.255.255", .private), ("172.16.0.0", .private),
        ("172.31.255.255", .private), ("192.168.0.0", .private), ("192.168.255.255", .private),
        ("100.64.0.0", .private), ("100.127.255.255", .private), ("198.18.0.0", .private), ("198.19.255.255", .private),
        ("169.254.0.1", .linkLocal), ("169.254.169.254", .metadata), ("169.254.170.2", .metadata),
        ("100.100.100.200", .metadata), ("192.0.0.192", .metadata), ("192.0.0.1", .reserved), ("192.0.2.1", .reserved),
        ("198.51.100.1", .reserved), ("203.0.113.1", .reserved), ("192.88.99.1", .reserved), ("240.0.0.1", .reserved),
        ("255.255.255.255", .reserved), ("224.0.0.1", .multicast), ("239.255.255.255", .multicast),
        ("::1", .loopback), ("::", .loopback), ("fc00::1", .private), ("fdff::1", .private),
        ("fd00:ec2::254", .metadata),
        ("fe80::1", .linkLocal), ("febf::1", .linkLocal), ("fec0::1", .private), ("ff02::1", .multicast),
        ("::ffff:127.0.0.1", .loopback), ("::ffff:10.1.2.3", .private), ("::ffff:a9fe:a9fe", .metadata),
        ("64:ff9b::127.0.0.1", .loopback), ("64:ff9b::169.254.169.254", .metadata), ("64:ff9b:1::1", .private),
        ("::127.0.0.1", .reserved), ("::8.8.8.8", .reserved), ("2002:7f00:1::", .reserved), ("2001::1", .reserved),
        ("2001:db8::1", .reserved), ("3fff::1", .reserved), ("100::1", .reserved), ("4000::1", .reserved),
        ("5f00::1", .reserved),
    ])
    func `is not public`(text: String, kind: AddressKind.Restriction) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressKind(address) == .restricted(kind))
    }

    @Test(arguments: [
        "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1 ", "", "[::1]", "fe80::1%eth0", "a",
    ])
    func `is no address by itself`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
        ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.128/25", "192.0.2.128", true),
        ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "::1", false), ("127.0.0.1", "127.0.0.1", true), ("127.0.0.1", "127.0.0.2", false),
        ("fd00::/9", "fd7f::1", true), ("fd00::/9", "fd80::1", false), ("::/0", "10.0.0.1", false),
    ])
    func `a network holds its addresses`(network: String, address: String, expected: Bool) throws {
        let network = try #require(IPNetwork(network))
        #expect(network.contains(try #require(IPAddress(address))) == expected)
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0/8", "10.0.0.0/8/8", "host",
    ])
    func `is no network`(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
