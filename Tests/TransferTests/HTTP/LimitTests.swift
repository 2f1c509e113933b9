import Testing
import Transfer
import TransferTestSupport

@Suite struct LimitTests {
    private func client(_ timeouts: HTTPTimeouts, requestsPerHost: Int = 64) throws -> HTTPClient {
        try HTTPBench.client {
            $0.timeouts = timeouts
            $0.retries = .none
            $0.requestsPerHost = requestsPerHost
        }
    }

    @Test func `a server that does not take the connection`() async throws {
        let port = try FullPort()
        let client = try client(HTTPTimeouts(connect: .milliseconds(200), stall: nil))
        let url = try HTTPURL("http://127.0.0.1:\(port.port)/")
        let error = await transferError { _ = try await client.send(HTTPRequest(.post, url, body: .bytes([1]))) }
        #expect(error?.code == .timeout)
        #expect(error?.message == "no connection within 0.2 seconds")
        #expect(error?.mayHaveTakenEffect == false)
    }

    @Test func `a server that does not answer`() async throws {
        let server = try RawServer { connection in
            _ = try connection.readHead()
            connection.waitForClose()
        }
        let client = try client(HTTPTimeouts(stall: .milliseconds(200)))
        let error = await transferError { _ = try await client.send(try HTTPBench.get(server)) }
        #expect(error?.code == .timeout)
        #expect(error?.message == "nothing came or went for 0.2 seconds")
        #expect(error?.mayHaveTakenEffect == true)
    }

    @Test func `a server that stops amid the body`() async throws {
        let server = try RawServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            connection.waitForClose()
        }
        let client = try client(HTTPTimeouts(stall: .milliseconds(200)))
        let error = await transferError {
            try await client.withResponse(try HTTPBench.get(server)) { response in
                let chunks = response.body.makeAsyncIterator()
                #expect(try await chunks.next() == Array("abc".utf8))
                _ = try await chunks.next()
            }
        }
        #expect(error?.code == .timeout)
    }

    @Test func `a server that does not read the body`() async throws {
        let server = try RawServer { connection in
            _ = try connection.readHead()
            // Until the server is stopped; nothing is read.
            _ = connection.isPeerOpen(waitingMilliseconds: 60_000)
        }
        let client = try client(HTTPTimeouts(stall: .milliseconds(300)))
        let body = HTTPBody.bytes([UInt8](repeating: 0, count: 64 << 20))
        let error = await transferError {
            _ = try await client.send(HTTPRequest(.put, try HTTPURL(server.url()), body: body))
        }
        #expect(error?.code == .timeout)
    }

    @Test func `the reader's own pauses do not count`() async throws {
        let total = 32 << 20
        let isBlocked = AsyncFlag()
        let server = try HTTPBench.server { connection, _, _ in
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            // Longer than the limit.
            let sent = try connection.writeUntilBlocked(total, patienceMilliseconds: 2500)
            isBlocked.raise()
            _ = try connection.writeUntilBlocked(total - sent, patienceMilliseconds: 60_000)
        }
        let client = try client(HTTPTimeouts(stall: .seconds(1)))
        let received = try await client.withResponse(HTTPBench.get(server)) { response in
            await isBlocked.wait()
            var received = 0
            for try await chunk in response.body { received += chunk.count }
            return received
        }
        #expect(received == total)
    }

    @Test func `the writer's own pauses do not count`() async throws {
        let hasArrived = AsyncFlag()
        let server = try RawServer { connection in
            guard let head = try connection.readHead() else { return }
            hasArrived.raise()
            try connection.respond(200, body: try connection.readBody(of: head))
        }
        let client = try client(HTTPTimeouts(stall: .seconds(1)))
        let body = HTTPBody.stream(length: nil, isReplayable: false) { writer in
            await hasArrived.wait()
            try await Task.sleep(for: .milliseconds(2500))
            try await writer.write([1, 2, 3])
        }
        let reply = try await client.send(HTTPRequest(.put, try HTTPURL(server.url()), body: body))
        #expect(reply.body == [1, 2, 3])
    }

    @Test func `a drip that never stalls is over when the whole is`() async throws {
        let server = try RawServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while true {
                try connection.write("x")
                _ = connection.isPeerOpen(waitingMilliseconds: 20)
            }
        }
        let client = try client(HTTPTimeouts(stall: .seconds(20), whole: .milliseconds(300)))
        let error = await transferError { _ = try await client.send(try HTTPBench.get(server)) }
        #expect(error?.code == .timeout)
        #expect(error?.message == "the request took longer than 0.3 seconds")
    }

    @Test func `waits between attempts are part of the whole`() async throws {
        let server = try HTTPBench.server { connection, _, _ in
            try connection.respond(503, headers: ["Retry-After": "20"])
        }
        let client = try HTTPBench.client { $0.timeouts.whole = .seconds(10) }
        let error = await transferError { _ = try await client.send(try HTTPBench.get(server)) }
        #expect(error?.status == 503)
        #expect(error?.retryAfter == .seconds(20))
        #expect(server.requests.count == 1)
    }

    @Test func `requests beyond the limit for a host wait their turn`() async throws {
        let server = try HTTPBench.server { connection, _, _ in
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
            if connection.number == 1 { connection.waitForClose() } else { try connection.write("x") }
        }
        let client = try client(HTTPTimeouts(), requestsPerHost: 1)
        try await client.withResponse(HTTPBench.get(server)) { _ in
            var request = try HTTPBench.get(server)
            request.timeouts = HTTPTimeouts(whole: .milliseconds(200))
            let error = await transferError { [request] in _ = try await client.send(request) }
            #expect(error?.code == .timeout)
            #expect(server.requests.count == 1)
        }
        // The first is over.
        #expect(try await client.send(HTTPBench.get(server)).body == Array("x".utf8))
    }
}
