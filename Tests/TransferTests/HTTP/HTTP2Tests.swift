import Foundation
import Testing
import Transfer
import TransferTestSupport

@Suite(.enabled(if: HTTP2Server.isAvailable, "nghttpd or openssl is not installed"))
struct HTTP2Tests {
    private func client(_ server: HTTP2Server, _ change: (inout HTTPConfiguration) -> Void = { _ in }) throws
        -> HTTPClient
    {
        try HTTPBench.client {
            $0.certificateAuthorities = server.certificate
            change(&$0)
        }
    }

    @Test func `is used where the server has it, for many requests on one connection`() async throws {
        let server = try HTTP2Server()
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        try Data(content).write(to: URL(fileURLWithPath: server.folder + "file"))
        let client = try client(server)
        let request = HTTPRequest(.get, try HTTPURL(server.url("/file?x=y")))
        let first = try await client.send(request)
        #expect(first.version == .http2)
        #expect(first.status == 200)
        #expect(first.body == content)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let reply = try await client.send(request)
                    #expect(reply.body == content)
                }
            }
            try await group.waitForAll()
        }
        #expect(client.statistics.attempts == 21)
        #expect(client.statistics.connections == 1)
    }

    @Test func `is not used where the configuration says no`() async throws {
        let server = try HTTP2Server()
        let client = try client(server) {
            $0.allowsHTTP2 = false
            $0.retries = .none
        }
        // nghttpd knows nothing else, and so does not agree on TLS.
        let error = await transferError { _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.url()))) }
        #expect(error != nil)
    }

    @Test func `bodies both ways, in memory and streamed`() async throws {
        let server = try HTTP2Server()
        let client = try client(server)
        let piece = [UInt8](repeating: 7, count: 100_000)
        let url = try HTTPURL(server.url("/echo"))
        let whole = (0..<20).flatMap { _ in piece }
        let inMemory = try await client.send(HTTPRequest(.put, url, body: .bytes(whole)), limit: 4 << 20)
        #expect(inMemory.body == whole)
        let stream = HTTPBody.stream(length: nil, isReplayable: false) { writer in
            for _ in 0..<20 { try await writer.write(piece) }
        }
        let streamed = try await client.send(HTTPRequest(.post, url, body: stream), limit: 4 << 20)
        #expect(streamed.body == whole)
        #expect(streamed.version == .http2)
    }

    @Test func `a reader who does not read does not hold up others on the connection, and gets all of it later`()
        async throws
    {
        let server = try HTTP2Server()
        let count = 64 << 20
        try Data(repeating: 1, count: count).write(to: URL(fileURLWithPath: server.folder + "large"))
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: server.folder + "small"))
        let client = try client(server)
        let small = HTTPRequest(.get, try HTTPURL(server.url("/small")))
        let large = HTTPRequest(.get, try HTTPURL(server.url("/large")))
        let received = try await client.withResponse(large) { response in
            for _ in 0..<5 { #expect(try await client.send(small).body == [1, 2, 3]) }
            var received = 0
            for try await chunk in response.body { received += chunk.count }
            return received
        }
        #expect(received == count)
    }

    @Test func `errors are the same`() async throws {
        let server = try HTTP2Server()
        let client = try client(server)
        let error = await transferError {
            _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.url("/none?token=secret"))))
        }
        #expect(error?.code == .notFound)
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `a certificate that nobody vouches for is refused, and not tried again`() async throws {
        let server = try HTTP2Server()
        let client = try HTTPBench.client()
        let error = await transferError { _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.url()))) }
        #expect(error?.code == .tls)
        #expect(error?.isRetryable == false)
        #expect(error?.mayHaveTakenEffect == false)
        #expect(client.statistics.attempts == 1)
    }

    @Test func `a certificate of another name is refused`() async throws {
        let server = try HTTP2Server()
        let client = try client(server)
        let url = try HTTPURL("https://127.0.0.1:\(server.port)/")
        let error = await transferError { _ = try await client.send(HTTPRequest(.get, url)) }
        #expect(error?.code == .tls)
    }

    @Test func `the guard looks at it, too`() async throws {
        let server = try HTTP2Server()
        let client = try client(server) { $0.addressGuard = AddressGuard() }
        var request = HTTPRequest(.get, try HTTPURL(server.url("/none")))
        let error = await transferError { [request] in _ = try await client.send(request) }
        #expect(error?.code == .forbiddenAddress)
        // Nor is a stream on a connection that is open the way in.
        request.destination = .trusted
        let trusted = await transferError { [request] in _ = try await client.send(request) }
        #expect(trusted?.code == .notFound)
        request.destination = .guarded
        let guarded = await transferError { [request] in _ = try await client.send(request) }
        #expect(guarded?.code == .forbiddenAddress)
    }
}
