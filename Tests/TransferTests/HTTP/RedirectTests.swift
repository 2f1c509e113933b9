import Locking
import Testing
import TransferTestSupport

@testable import Transfer

@Suite struct RedirectTests {
    /// Redirects every request but those to "/end", which it answers with 200.
    private static func server(
        _ status: Int, to location: String?, address: String = "127.0.0.1"
    ) throws -> RawServer {
        try HTTPBench.server(address: address) { connection, request, body in
            guard request.path != "/end" else { return try connection.respond(200, body: body) }
            try connection.respond(status, headers: location.map { ["Location": $0] } ?? [:], body: Array("moved".utf8))
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `is followed`(status: Int) async throws {
        let server = try Self.server(status, to: "../end?x=1")
        let reply = try await HTTPBench.client().send(HTTPBench.get(server, "/a/b?y=2"))
        #expect(reply.url.text == server.url("/end?x=1"))
        #expect(server.requests.map(\.target) == ["/a/b?y=2", "/end?x=1"])
        // The redirect's body was read, so that its connection could be used again.
        #expect(server.connections == 1)
    }

    @Test(arguments: [
        (301, HTTPMethod.post, "GET"), (302, .post, "GET"), (303, .post, "GET"), (307, .post, "POST"),
        (308, .post, "POST"), (301, .put, "PUT"), (302, .put, "PUT"), (303, .put, "GET"), (307, .put, "PUT"),
        (303, .head, "HEAD"),
    ])
    func `method and body`(status: Int, method: HTTPMethod, next: String) async throws {
        let server = try Self.server(status, to: "/end")
        let body: HTTPBody = method == .head ? .empty : .bytes([1, 2, 3])
        let request = HTTPRequest(
            method, try HTTPURL(server.url()), headers: ["Content-Type": "text/plain"], body: body)
        let reply = try await HTTPBench.client().send(request)
        let second = try #require(server.requests.last)
        #expect(second.method == next)
        #expect(reply.body == (next == "GET" || next == "HEAD" ? [] : [1, 2, 3]))
        if method != .head { #expect(second.headers["Content-Type"] == (next == "GET" ? nil : "text/plain")) }
    }

    @Test func `credentials stay with their host`() async throws {
        let other = try Self.server(302, to: nil, address: "127.0.0.2")
        let server = try Self.server(302, to: other.url("/end"))
        let url = try HTTPURL("http://user:secret@127.0.0.1:\(server.port)/")
        let request = HTTPRequest(
            .get, url,
            headers: [
                "Cookie": "a=b", "X-Amz-Security-Token": "t", "X-Api-Key": "k", "apikey": "k",
                "Proxy-Authorization": "p",
                "Range": "bytes=0-1", "Accept": "text/plain",
            ])
        _ = try await HTTPBench.client().send(request)
        let first = try #require(server.requests.first).headers
        #expect(first["Authorization"] == "Basic dXNlcjpzZWNyZXQ=")
        let second = try #require(other.requests.first).headers
        for name in ["Authorization", "Cookie", "X-Amz-Security-Token", "X-Api-Key", "apikey", "Proxy-Authorization"] {
            #expect(first[name] != nil)
            #expect(second[name] == nil)
        }
        #expect(second["Range"] == "bytes=0-1")
        #expect(second["Accept"] == "text/plain")
    }

    @Test func `another port is another server, and the way back brings nothing back`() async throws {
        let ends = Locked("")
        let first = try HTTPBench.server { connection, request, _ in
            guard request.path != "/end" else { return try connection.respond(200) }
            try connection.respond(302, headers: ["Location": ends.withLock { $0 }])
        }
        let second = try Self.server(302, to: first.url("/end"))
        ends.withLock { $0 = second.url() }
        var request = try HTTPBench.get(first)
        request.headers["Authorization"] = "Bearer secret"
        _ = try await HTTPBench.client().send(request)
        #expect(first.requests.map { $0.headers["Authorization"] } == ["Bearer secret", nil])
        #expect(second.requests.map { $0.headers["Authorization"] } == [nil])
    }

    @Test func `on the same server credentials go along, and those in a Location are not used`() async throws {
        let port = Locked(0)
        let server = try HTTPBench.server { connection, request, _ in
            guard request.path != "/end" else { return try connection.respond(200) }
            let location = "http://evil:pw@127.0.0.1:\(port.withLock { $0 })/end"
            try connection.respond(302, headers: ["Location": location])
        }
        port.withLock { $0 = server.port }
        var request = try HTTPBench.get(server)
        request.headers["Authorization"] = "Bearer secret"
        _ = try await HTTPBench.client().send(request)
        #expect(server.requests.map { $0.headers["Authorization"] } == ["Bearer secret", "Bearer secret"])
        request.headers = [:]
        _ = try await HTTPBench.client().send(request)
        #expect(server.requests.last?.headers["Authorization"] == nil)
    }

    @Test func `a circle ends`() async throws {
        let server = try Self.server(302, to: "/again")
        let error = await transferError { _ = try await HTTPBench.client().send(try HTTPBench.get(server)) }
        #expect(error?.code == .badRedirect)
        #expect(error?.isRetryable == false)
        #expect(server.requests.count == 6)
    }

    @Test(arguments: [nil, "", "file:///etc/passwd", "gopher://127.0.0.1/", "http://", "http://exa mple/"])
    func `leads nowhere`(location: String?) async throws {
        // An empty reference is the page itself, and so a circle.
        let server = try Self.server(302, to: location)
        let error = await transferError { _ = try await HTTPBench.client().send(try HTTPBench.get(server)) }
        #expect(error?.code == .badRedirect)
    }

    @Test func `never leads from https to http`() throws {
        let hop = Hop(HTTPRequest(.get, try HTTPURL("https://example.com/a"), headers: ["Authorization": "secret"]))
        #expect { try hop.redirected(302, to: "http://example.com/a") } throws: {
            ($0 as? TransferError)?.code == .badRedirect
        }
        #expect(try hop.redirected(302, to: "//example.com/b").headers["Authorization"] == "secret")
        #expect(try hop.redirected(302, to: "https://example.com:444/").headers["Authorization"] == nil)
    }

    @Test func `is the answer where redirects are not followed`() async throws {
        let server = try Self.server(307, to: "/end")
        var request = try HTTPBench.get(server)
        request.redirects = .none
        let reply = try await HTTPBench.client().send(request)
        #expect(reply.status == 307)
        #expect(reply.headers["Location"] == "/end")
        #expect(server.requests.count == 1)
    }

    @Test func `a body that cannot be written again does not follow`() async throws {
        let server = try Self.server(307, to: "/end")
        let body = HTTPBody.stream(length: 3, isReplayable: false) { try await $0.write([1, 2, 3]) }
        let request = HTTPRequest(.put, try HTTPURL(server.url()), body: body)
        let error = await transferError { _ = try await HTTPBench.client().send(request) }
        #expect(error?.code == .badRedirect)
    }
}
