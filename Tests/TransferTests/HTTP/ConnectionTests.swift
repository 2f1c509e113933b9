import Testing
import Transfer
import TransferTestSupport

@Suite struct ConnectionTests {
    @Test func `are used again, by requests one after another`() async throws {
        let server = try HTTPBench.server { connection, _, body in try connection.respond(200, body: body) }
        let client = try HTTPBench.client()
        for _ in 0..<5 {
            _ = try await client.send(HTTPBench.get(server))
            let request = HTTPRequest(.put, try HTTPURL(server.url()), body: .bytes([1, 2, 3]))
            let body = try await client.withResponse(request) { try await $0.body.collect(limit: 3) }
            #expect(body == [1, 2, 3])
        }
        #expect(server.connections == 1)
        #expect(client.statistics.connections == 1)
        #expect(client.statistics.bytesSent == 15)
        #expect(client.statistics.bytesReceived == 15)
    }

    @Test func `are used again although a short body was left`() async throws {
        let server = try HTTPBench.server { connection, _, _ in try connection.respond(200, body: [1, 2, 3]) }
        let client = try HTTPBench.client()
        for _ in 0..<5 { try await client.withResponse(HTTPBench.get(server)) { _ in } }
        #expect(server.connections == 1)
    }

    @Test func `that the server has closed meanwhile are replaced, bodies included`() async throws {
        let server = try RawServer { connection in
            guard let (_, body) = try connection.readRequest() else { return }
            try connection.respond(200, body: body)
            // Closed without a word; the client finds out with its next request.
        }
        let client = try HTTPBench.client { $0.retries = .none }
        let bytes = [UInt8](repeating: 9, count: 500_000)
        for _ in 0..<5 {
            let request = HTTPRequest(.put, try HTTPURL(server.url()), body: .bytes(bytes))
            #expect(try await client.send(request).body == bytes)
        }
        #expect(server.connections == 5)
    }

    @Test func `many at once`() async throws {
        let server = try HTTPBench.server { connection, request, body in
            try connection.respond(200, body: Array(request.path.utf8) + body)
        }
        let client = try HTTPBench.client { $0.requestsPerHost = 8 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let body = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number * 100)
                    let url = try HTTPURL(server.url("/\(number)"))
                    let reply = try await client.send(HTTPRequest(.put, url, body: .bytes(body)))
                    #expect(reply.body == Array("/\(number)".utf8) + body)
                }
            }
            try await group.waitForAll()
        }
        #expect(server.connections <= 8)
    }

    @Test func `a client that is let go ends its thread and its connections`() async throws {
        let isClosed = AsyncFlag()
        let server = try RawServer { connection in
            _ = try connection.readRequest()
            try connection.respond(200)
            connection.waitForClose()
            isClosed.raise()
        }
        do {
            let client = try HTTPBench.client()
            _ = try await client.send(HTTPBench.get(server))
        }
        await isClosed.wait()
    }
}
