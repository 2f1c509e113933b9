import Testing

@testable import Transfer

@Suite struct AddressGuardTests {
    private func networks(_ texts: String...) throws -> [IPNetwork] { try texts.map { try #require(IPNetwork($0)) } }

    private func passes(_ guarding: AddressGuard, _ address: String, host: String = "example.com") throws -> Bool {
        guarding.objection(to: try #require(IPAddress(address)), of: host) == nil
    }

    @Test func `public addresses pass, and no others`() throws {
        #expect(try passes(AddressGuard(), "8.8.8.8"))
        #expect(try !passes(AddressGuard(), "10.0.0.1"))
    }

    @Test func `a network that is allowed passes, a metadata service in it, too`() throws {
        let guarding = AddressGuard(allowedNetworks: try networks("10.1.0.0/16", "169.254.169.254"))
        #expect(try passes(guarding, "10.1.2.3"))
        #expect(try !passes(guarding, "10.2.2.3"))
        #expect(try passes(guarding, "169.254.169.254"))
    }

    @Test func `what is denied does not pass, though it is public or allowed`() throws {
        let guarding = AddressGuard(
            allowedNetworks: try networks("10.0.0.0/8"), deniedNetworks: try networks("8.8.8.0/24", "10.0.0.7"))
        #expect(try !passes(guarding, "8.8.8.8"))
        #expect(try passes(guarding, "8.8.4.4"))
        #expect(try !passes(guarding, "10.0.0.7"))
        #expect(try passes(guarding, "10.0.0.8"))
    }

    @Test func `an IPv4 address inside an IPv6 one is that address`() throws {
        let guarding = AddressGuard(
            allowedNetworks: try networks("10.0.0.0/8"), deniedNetworks: try networks("8.8.8.0/24"))
        #expect(try !passes(guarding, "::ffff:8.8.8.8"))
        #expect(try !passes(guarding, "64:ff9b::8.8.8.8"))
        #expect(try passes(guarding, "::ffff:10.0.0.1"))
        #expect(try !passes(guarding, "::ffff:192.168.0.1"))
    }

    @Test(arguments: [
        ("minio.internal", true), ("MINIO.internal", true), ("minio.internal.", true), ("a.media.internal", true),
        ("a.b.media.internal", true), ("media.internal", false), ("xmedia.internal", false),
        ("minio.internal.evil.org", false),
    ])
    func `a host that is allowed passes wherever it leads`(host: String, expected: Bool) throws {
        let guarding = AddressGuard(allowedHosts: ["minio.internal", "*.media.internal"])
        #expect(try passes(guarding, "10.0.0.1", host: host) == expected)
    }

    @Test func `a host that is allowed does not lead to a metadata service`() throws {
        let guarding = AddressGuard(allowedHosts: ["minio.internal"])
        #expect(try !passes(guarding, "169.254.169.254", host: "minio.internal"))
        #expect(try !passes(guarding, "fd00:ec2::254", host: "minio.internal"))
    }

    @Test func `only hosts that are named, and still no private addresses of theirs`() throws {
        let guarding = AddressGuard(allowedHosts: ["minio.internal"], onlyHosts: ["*.example.com"])
        #expect(guarding.objection(to: try HTTPURL("https://cdn.example.com/a")) == nil)
        #expect(guarding.objection(to: try HTTPURL("https://minio.internal/a")) == nil)
        #expect(guarding.objection(to: try HTTPURL("https://example.org/a"))?.code == .forbiddenAddress)
        #expect(try !passes(guarding, "10.0.0.1", host: "cdn.example.com"))
    }

    @Test func `https only, if so asked`() throws {
        let guarding = AddressGuard(allowsPlainHTTP: false)
        #expect(guarding.objection(to: try HTTPURL("http://example.com/"))?.code == .forbiddenAddress)
        #expect(guarding.objection(to: try HTTPURL("https://example.com/")) == nil)
    }
}
