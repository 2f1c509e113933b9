import Glibc
import Testing
import Transfer
import TransferTestSupport

@Suite struct GuardedRequestTests {
    private static func server(_ address: String = "127.0.0.1") throws -> RawServer {
        try HTTPBench.server(address: address) { connection, _, _ in
            try connection.respond(200, body: Array("inside".utf8))
        }
    }

    /// A client with the guard that is given, and no networks of its own allowed.
    private static func client(_ addressGuard: AddressGuard = AddressGuard()) throws -> HTTPClient {
        try HTTPBench.client { $0.addressGuard = addressGuard }
    }

    @Test(arguments: [
        "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "2130706433", "0x7f000001", "0x7f.1",
        "0177.0.0.1",
        "017700000001", "127.0.0.1.", "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[::127.0.0.1]", "user@127.0.0.1",
    ])
    func `the machine itself is out of reach, however it is written`(host: String) async throws {
        let server = try Self.server()
        let client = try Self.client()
        let request = HTTPRequest(.get, try HTTPURL("http://\(host):\(server.port)/?token=secret"))
        let error = await transferError { _ = try await client.send(request) }
        // Some spellings are no names at all where the system does not know them.
        #expect(error?.code == .forbiddenAddress || error?.code == .cannotResolve)
        #expect(error?.isRetryable == false || error?.code == .cannotResolve)
        #expect(error?.description.contains("secret") == false)
        #expect(server.connections == 0)
    }

    @Test(arguments: [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[fe80::1]",
        "0xa9fea9fe", "2852039166", "[::ffff:169.254.169.254]",
    ])
    func `private networks and metadata services are out of reach`(host: String) async throws {
        let client = try Self.client()
        let request = HTTPRequest(
            .get, try HTTPURL("http://\(host)/latest/meta-data/"), timeouts: HTTPTimeouts(connect: .seconds(2)))
        let error = await transferError { _ = try await client.send(request) }
        #expect(error?.code == .forbiddenAddress)
        #expect(error?.mayHaveTakenEffect == false)
    }

    @Test func `each redirect is looked at`() async throws {
        let inside = try Self.server("127.0.0.2")
        let location = inside.url("/admin?token=secret")
        let outside = try HTTPBench.server { connection, _, _ in
            try connection.respond(302, headers: ["Location": location])
        }
        let client = try Self.client(AddressGuard(allowedNetworks: [try #require(IPNetwork("127.0.0.1"))]))
        let error = await transferError { _ = try await client.send(try HTTPBench.get(outside)) }
        #expect(error?.code == .forbiddenAddress)
        #expect(error?.description.contains("GET http://127.0.0.2:\(inside.port)/admin:") == true)
        #expect(outside.requests.count == 1)
        #expect(inside.connections == 0)
    }

    @Test func `a trusted server is not trusted to send elsewhere`() async throws {
        let inside = try Self.server("127.0.0.2")
        let trusted = try HTTPBench.server { connection, request, _ in
            switch request.path {
            case "/here": try connection.respond(200)
            case "/away": try connection.respond(302, headers: ["Location": inside.url()])
            default: try connection.respond(302, headers: ["Location": "/here"])
            }
        }
        let client = try Self.client()
        var request = try HTTPBench.get(trusted)
        request.destination = .trusted
        #expect(try await client.send(request).status == 200)
        request.url = try HTTPURL(trusted.url("/away"))
        let error = await transferError { [request] in _ = try await client.send(request) }
        #expect(error?.code == .forbiddenAddress)
        #expect(inside.connections == 0)
    }

    @Test func `a connection that a trusted request has opened is no way in`() async throws {
        let server = try Self.server()
        let client = try Self.client()
        var request = try HTTPBench.get(server)
        request.destination = .trusted
        #expect(try await client.send(request).body == Array("inside".utf8))
        request.destination = .guarded
        let error = await transferError { [request] in _ = try await client.send(request) }
        #expect(error?.code == .forbiddenAddress)
        #expect(server.requests.count == 1)
    }

    @Test func `what is allowed can be reached: by network, by host`() async throws {
        let server = try Self.server()
        let byNetwork = try Self.client(AddressGuard(allowedNetworks: [try #require(IPNetwork("127.0.0.0/8"))]))
        #expect(try await byNetwork.send(HTTPBench.get(server)).status == 200)
        let byHost = try Self.client(AddressGuard(allowedHosts: ["localhost"]))
        let url = try HTTPURL("http://localhost:\(server.port)/")
        #expect(try await byHost.send(HTTPRequest(.get, url)).status == 200)
        // The host is allowed, not the address that it leads to: the open connection is none for other names.
        let error = await transferError { _ = try await byHost.send(try HTTPBench.get(server)) }
        #expect(error?.code == .forbiddenAddress)
        #expect(server.requests.count == 2)
    }

    @Test func `other hosts than those that are named are not even looked up`() async throws {
        let server = try Self.server()
        let client = try Self.client(
            AddressGuard(allowedNetworks: [try #require(IPNetwork("127.0.0.0/8"))], onlyHosts: ["127.0.0.1"]))
        #expect(try await client.send(HTTPBench.get(server)).status == 200)
        let other = HTTPRequest(.get, try HTTPURL("http://no-such-host.invalid/"))
        let error = await transferError { _ = try await client.send(other) }
        #expect(error?.code == .forbiddenAddress)
    }

    @Test func `a proxy in the environment is not used`() async throws {
        // Through a proxy, the address that is connected to would be the proxy's.
        let proxy = try Self.server("127.0.0.3")
        let server = try Self.server()
        setenv("http_proxy", proxy.url(), 1)
        setenv("ALL_PROXY", proxy.url(), 1)
        defer {
            unsetenv("http_proxy")
            unsetenv("ALL_PROXY")
        }
        let client = try Self.client()
        let error = await transferError { _ = try await client.send(try HTTPBench.get(server)) }
        #expect(error?.code == .forbiddenAddress)
        #expect(proxy.connections == 0)
    }
}
