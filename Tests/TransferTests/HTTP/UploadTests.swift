import Locking
import Testing
import Transfer
import TransferTestSupport

@Suite struct UploadTests {
    /// Answers with what it got.
    private static func echo() throws -> RawServer {
        try HTTPBench.server { connection, _, body in try connection.respond(200, body: body) }
    }

    private static func put(_ server: RawServer, _ body: HTTPBody, _ method: HTTPMethod = .put) throws -> HTTPRequest {
        HTTPRequest(method, try HTTPURL(server.url("/object")), body: body)
    }

    @Test(arguments: [HTTPMethod.put, .post, .patch, .delete])
    func `a body in memory, by any method`(method: HTTPMethod) async throws {
        let server = try Self.echo()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let reply = try await HTTPBench.client().send(Self.put(server, .bytes(bytes), method), limit: 4 << 20)
        #expect(reply.body == bytes)
        let request = try #require(server.requests.first)
        #expect(request.method == method.rawValue)
        #expect(request.headers["Content-Length"] == "3000000")
        // R2 never answers "100 Continue".
        #expect(request.headers["Expect"] == nil)
        #expect(request.headers["Content-Type"] == nil)
    }

    @Test(arguments: [HTTPMethod.put, .post])
    func `no body has a length, too`(method: HTTPMethod) async throws {
        let server = try Self.echo()
        _ = try await HTTPBench.client().send(Self.put(server, .empty, method))
        #expect(server.requests.first?.headers["Content-Length"] == "0")
        #expect(server.requests.first?.headers["Transfer-Encoding"] == nil)
    }

    @Test(arguments: [Int64(600_000), nil])
    func `a body that is made while it is sent`(length: Int64?) async throws {
        let server = try Self.echo()
        let body = HTTPBody.stream(length: length, isReplayable: false) { writer in
            for piece in 0..<6 {
                try await writer.write([UInt8](repeating: UInt8(piece), count: 100_000))
                await Task.yield()
            }
        }
        let reply = try await HTTPBench.client().send(Self.put(server, body))
        #expect(reply.body == (0..<6).flatMap { [UInt8](repeating: UInt8($0), count: 100_000) })
        let request = try #require(server.requests.first)
        #expect(request.headers["Content-Length"] == length.map { "\($0)" })
        #expect(request.headers["Transfer-Encoding"] == (length == nil ? "chunked" : nil))
    }

    @Test func `a writer waits for a server that does not read`() async throws {
        let read = Locked(0)
        let piece = [UInt8](repeating: 1, count: 1 << 20)
        let count = 256
        let server = try RawServer { connection in
            _ = try connection.readHead()
            for _ in 0..<count {
                _ = try connection.read(piece.count)
                read.withLock { $0 += piece.count }
            }
            try connection.respond(200)
        }
        let furthest = Locked(0)
        let body = HTTPBody.stream(length: Int64(count * piece.count), isReplayable: false) { writer in
            for number in 1...count {
                try await writer.write(piece)
                let ahead = number * piece.count - read.withLock { $0 }
                furthest.withLock { $0 = max($0, ahead) }
            }
        }
        _ = try await HTTPBench.client().send(Self.put(server, body))
        // What the system buffers on both ends, and our share.
        #expect(furthest.withLock { $0 } < 32 << 20)
        #expect(read.withLock { $0 } == count * piece.count)
    }

    @Test(arguments: [999, 1001])
    func `a body of another length than announced is an error`(count: Int) async throws {
        let server = try Self.echo()
        let body = HTTPBody.stream(length: 1000, isReplayable: true) { writer in
            try await writer.write([UInt8](repeating: 0, count: count))
        }
        let error = await transferError { _ = try await HTTPBench.client().send(Self.put(server, body)) }
        #expect(error?.code == .badRequest)
    }

    @Test func `what the writer throws is what the request throws`() async throws {
        struct Broken: Error {}
        let server = try Self.echo()
        let runs = Locked(0)
        let body = HTTPBody.stream(length: nil, isReplayable: true) { writer in
            runs.withLock { $0 += 1 }
            try await writer.write([1, 2, 3])
            throw Broken()
        }
        await #expect(throws: Broken.self) { try await HTTPBench.client().send(Self.put(server, body)) }
        // It is no failure of the network, which another attempt might mend.
        #expect(runs.withLock { $0 } == 1)
    }

    @Test func `an answer before the body's end ends the writer`() async throws {
        let server = try RawServer { connection in
            _ = try connection.readHead()
            try connection.respond(413, headers: ["Connection": "close"], body: Array("too large".utf8))
            connection.waitForClose()
        }
        let reason = Locked<TransferError.Code?>(nil)
        let body = HTTPBody.stream(length: nil, isReplayable: false) { writer in
            do {
                while true { try await writer.write([UInt8](repeating: 0, count: 100_000)) }
            } catch {
                reason.withLock { $0 = (error as? TransferError)?.code }
                throw error
            }
        }
        let error = await transferError { _ = try await HTTPBench.client().send(Self.put(server, body)) }
        #expect(error?.status == 413)
        #expect(error?.body == Array("too large".utf8))
        #expect(reason.withLock { $0 } != nil)
    }

    @Test func `headers that would break the request apart are refused`() async throws {
        let server = try Self.echo()
        let client = try HTTPBench.client()
        for (name, value) in [("X-A", "b\r\nX-C: d"), ("X-A", "b\0"), ("X A", "b"), ("", "b"), ("X:", "b")] {
            var request = try Self.put(server, .empty)
            request.headers.add(name, value)
            let error = await transferError { [request] in _ = try await client.send(request) }
            #expect(error?.code == .badRequest)
        }
        var request = try Self.put(server, .empty)
        request.method = HTTPMethod(rawValue: "PUT / HTTP/1.1\r\nX-A: b\r\n\r\nGET")
        let error = await transferError { [request] in _ = try await client.send(request) }
        #expect(error?.code == .badRequest)
        #expect(server.requests.isEmpty)
    }

    @Test func `headers are sent as they are, and those of length and host are made here`() async throws {
        let server = try Self.echo()
        var request = try Self.put(server, .bytes([1, 2, 3]))
        request.headers = ["X-Empty": "", "x-Case": "A  b", "Content-Length": "7", "Host": "other", "User-Agent": "me"]
        request.headers.add("X-Twice", "1")
        request.headers.add("X-Twice", "2")
        _ = try await HTTPBench.client().send(request)
        let sent = try #require(server.requests.first).headers
        #expect(sent["X-Empty"] == "")
        #expect(sent["x-case"] == "A  b")
        #expect(sent.values("Content-Length") == ["3"])
        #expect(sent.values("Host") == ["127.0.0.1:\(server.port)"])
        #expect(sent.values("User-Agent") == ["me"])
        #expect(sent.values("X-Twice") == ["1", "2"])
    }
}
