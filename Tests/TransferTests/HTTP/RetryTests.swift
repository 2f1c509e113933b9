import Locking
import Testing
import Transfer
import TransferTestSupport

@Suite struct RetryTests {
    private static func answer(_ status: Int, _ headers: HTTPHeaders = [:]) -> @Sendable (RawConnection) throws -> Void
    {
        { try $0.respond(status, headers: headers, body: Array("\(status)".utf8)) }
    }

    @Test(arguments: [408, 429, 500, 502, 503, 504])
    func `a status that may pass`(status: Int) async throws {
        let server = try HTTPBench.script([Self.answer(status), Self.answer(status), Self.answer(200)])
        let client = try HTTPBench.client()
        #expect(try await client.send(HTTPBench.get(server)).status == 200)
        #expect(server.requests.count == 3)
        #expect(client.statistics.retries == 2)
        #expect(client.statistics.attempts == 3)
        // Answers of errors are read to their end, and so the connection can be used again.
        #expect(server.connections == 1)
    }

    @Test(arguments: [400, 401, 403, 404, 405, 409, 410, 411, 412, 416, 501, 505])
    func `a status that does not pass`(status: Int) async throws {
        let server = try HTTPBench.script([Self.answer(status), Self.answer(200)])
        let error = await transferError { _ = try await HTTPBench.client().send(try HTTPBench.get(server)) }
        #expect(error?.status == status)
        #expect(error?.isRetryable == false)
        #expect(server.requests.count == 1)
    }

    @Test func `a lost connection: before the answer, and amid its body`() async throws {
        let server = try HTTPBench.script([
            { $0.reset() },
            { $0.close() },
            {
                try $0.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                $0.reset()
            },
            Self.answer(200),
        ])
        #expect(try await HTTPBench.client().send(HTTPBench.get(server)).body == Array("200".utf8))
        #expect(server.requests.count == 4)
    }

    @Test func `what was lost within the reader's closure is the reader's`() async throws {
        let server = try HTTPBench.script([
            {
                try $0.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                $0.reset()
            }, Self.answer(200),
        ])
        let client = try HTTPBench.client()
        let error = await transferError {
            try await client.withResponse(try HTTPBench.get(server)) { response in
                for try await _ in response.body {}
            }
        }
        #expect(error?.code == .connectionLost)
        #expect(server.requests.count == 1)
    }

    @Test func `a server that is not there yet`() async throws {
        let server = try RawServer(isListening: false) { connection in
            while try connection.readRequest() != nil { try connection.respond(200) }
        }
        let attempts = Locked(0)
        var request = HTTPRequest(.post, try HTTPURL(server.url()), body: .bytes([1]))
        request.prepare = { _ in
            let number = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            if number == 2 { try server.start() }
        }
        // Not idempotent, but never sent.
        #expect(try await HTTPBench.client().send(request).status == 200)
        #expect(server.requests.count == 1)
        #expect(attempts.withLock { $0 } == 2)
    }

    @Test func `what may not happen twice is not repeated, unless the server refused it`() async throws {
        let client = try HTTPBench.client()
        let failing = try HTTPBench.script([Self.answer(503), Self.answer(200)])
        let lost = try HTTPBench.script([{ $0.reset() }, Self.answer(200)])
        for server in [failing, lost] {
            let request = HTTPRequest(.post, try HTTPURL(server.url()), body: .bytes([1]))
            let error = await transferError { _ = try await client.send(request) }
            #expect(error?.isRetryable == true)
            #expect(server.requests.count == 1)
        }
        let throttling = try HTTPBench.script([Self.answer(429), Self.answer(200)])
        let request = HTTPRequest(.post, try HTTPURL(throttling.url()), body: .bytes([1]))
        #expect(try await client.send(request).status == 200)
    }

    /// libcurl would do so by itself, on a connection that was open already.
    @Test func `what may not happen twice is not repeated where the connection was open before`() async throws {
        let server = try RawServer { connection in
            while let (request, _) = try connection.readRequest() {
                guard request.method == "GET" else { return connection.reset() }
                try connection.respond(200)
            }
        }
        let client = try HTTPBench.client()
        _ = try await client.send(HTTPBench.get(server))
        let request = HTTPRequest(.post, try HTTPURL(server.url()), body: .bytes([1, 2, 3]))
        let error = await transferError { _ = try await client.send(request) }
        #expect(error?.code == .connectionLost && error?.mayHaveTakenEffect == true)
        #expect(server.requests.count { $0.method == "POST" } == 1)
    }

    @Test func `a POST that says that it is idempotent is repeated`() async throws {
        let server = try HTTPBench.script([Self.answer(503), { $0.reset() }, Self.answer(200)])
        let request = HTTPRequest(.post, try HTTPURL(server.url()), body: .bytes([1]), isIdempotent: true)
        #expect(try await HTTPBench.client().send(request).status == 200)
        #expect(server.requests.count == 3)
    }

    @Test func `a body that cannot be written again ends it`() async throws {
        let client = try HTTPBench.client()
        for isReplayable in [false, true] {
            let server = try HTTPBench.script([Self.answer(503), Self.answer(200)])
            let body = HTTPBody.stream(length: 3, isReplayable: isReplayable) { try await $0.write([1, 2, 3]) }
            let request = HTTPRequest(.put, try HTTPURL(server.url()), body: body)
            let error = await transferError { _ = try await client.send(request) }
            #expect(error?.status == (isReplayable ? nil : 503))
            #expect(server.requests.count == (isReplayable ? 2 : 1))
        }
    }

    @Test func `attempts end, with the last error`() async throws {
        let server = try HTTPBench.script([Self.answer(500), Self.answer(502), Self.answer(503)])
        let error = await transferError { _ = try await HTTPBench.client().send(try HTTPBench.get(server)) }
        #expect(error?.status == 503)
        #expect(server.requests.count == 5)
    }

    @Test func `a server that asks for a long wait gets no retry but an error that says so`() async throws {
        let server = try HTTPBench.script([Self.answer(503, ["Retry-After": "3600"])])
        let error = await transferError { _ = try await HTTPBench.client().send(try HTTPBench.get(server)) }
        #expect(error?.retryAfter == .seconds(3600))
        #expect(error?.isRetryable == true)
        #expect(server.requests.count == 1)
    }

    @Test func `the server may decide by itself`() async throws {
        let client = try HTTPBench.client()
        let no = try HTTPBench.script([Self.answer(503, ["x-should-retry": "false"]), Self.answer(200)])
        let error = await transferError { _ = try await client.send(try HTTPBench.get(no)) }
        #expect(error?.isRetryable == false)
        let yes = try HTTPBench.script([Self.answer(409, ["x-should-retry": "true"]), Self.answer(200)])
        #expect(try await client.send(HTTPBench.get(yes)).status == 200)
    }

    @Test func `a budget for each server ends retries, and successes fill it`() async throws {
        let client = try HTTPBench.client { $0.retryBudget = RetryBudget(capacity: 6, refund: 1) }
        let down = try HTTPBench.script([Self.answer(503)])
        for _ in 0..<5 { _ = await transferError { _ = try await client.send(try HTTPBench.get(down)) } }
        // Five requests, and six retries between them.
        #expect(down.requests.count == 11)
        let error = await transferError { _ = try await client.send(try HTTPBench.get(down)) }
        #expect(error?.description.contains("Too many requests to this server have failed") == true)
        let other = try HTTPBench.script([Self.answer(503), Self.answer(200)])
        #expect(try await client.send(HTTPBench.get(other)).status == 200)
    }

    @Test func `each attempt is prepared anew`() async throws {
        let server = try HTTPBench.script([Self.answer(503), Self.answer(503), Self.answer(200)])
        let number = Locked(0)
        var request = try HTTPBench.get(server)
        request.prepare = { request in
            let value = number.withLock { number in
                number += 1
                return number
            }
            request.headers.add("X-Attempt", "\(value)")
        }
        _ = try await HTTPBench.client().send(request)
        #expect(server.requests.map { $0.headers.values("X-Attempt") } == [["1"], ["2"], ["3"]])
    }

    @Test func `a service's own errors decide where they are known`() async throws {
        let server = try HTTPBench.script([Self.answer(400), Self.answer(200)])
        var request = try HTTPBench.get(server)
        request.classify = { error in
            if error.body == Array("400".utf8) { error.isRetryable = true }
        }
        #expect(try await HTTPBench.client().send(request).status == 200)
    }
}
