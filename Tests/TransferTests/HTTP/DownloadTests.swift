import Locking
import Testing
import Transfer
import TransferTestSupport

@Suite struct DownloadTests {
    @Test func `a body with its length`() async throws {
        let server = try HTTPBench.server { connection, request, _ in
            try connection.respond(200, headers: ["Content-Type": "text/plain"], body: Array(request.target.utf8))
        }
        let reply = try await HTTPBench.client().send(HTTPBench.get(server, "/a%20b/../c?x=%2F&y"))
        #expect(reply.status == 200)
        #expect(reply.headers["content-type"] == "text/plain")
        #expect(reply.version == .http1_1)
        // As it was written: neither dots nor escapes are touched.
        #expect(String(decoding: reply.body, as: UTF8.self) == "/a%20b/../c?x=%2F&y")
        let request = try #require(server.requests.first)
        #expect(request.headers["Host"] == "127.0.0.1:\(server.port)")
        #expect(request.headers["User-Agent"] == "kiln")
        #expect(request.headers["Accept-Encoding"] == nil)
    }

    @Test func `a body in chunks, and one that ends with the connection`() async throws {
        let client = try HTTPBench.client()
        let chunked = try HTTPBench.server { connection, _, _ in
            try connection.write(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
            )
        }
        let reply = try await client.send(HTTPBench.get(chunked))
        #expect(reply.body == Array("abcde".utf8))
        #expect(reply.headers["Trailer"] == nil)
        let old = try RawServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.0 200 OK\r\n\r\nabc")
        }
        let oldReply = try await client.send(HTTPBench.get(old))
        #expect(oldReply.body == Array("abc".utf8))
        #expect(oldReply.version == .http1_0)
    }

    @Test func `the answer is there before its body is`() async throws {
        let mayGoOn = ThreadSignal()
        let server = try HTTPBench.server { connection, _, _ in
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            mayGoOn.wait()
            try connection.write("def")
        }
        let client = try HTTPBench.client()
        let body = try await client.withResponse(HTTPBench.get(server)) { response in
            #expect(response.contentLength == 6)
            let chunks = response.body.makeAsyncIterator()
            #expect(try await chunks.next() == Array("abc".utf8))
            mayGoOn.raise()
            return try await chunks.next()
        }
        #expect(body == Array("def".utf8))
    }

    @Test func `a reader who does not read stops the server, and gets all of it later`() async throws {
        let total = 256 << 20
        let sentAtFirst = Locked(0)
        let isBlocked = AsyncFlag()
        let server = try HTTPBench.server { connection, _, _ in
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let sent = try connection.writeUntilBlocked(total)
            sentAtFirst.withLock { $0 = sent }
            isBlocked.raise()
            _ = try connection.writeUntilBlocked(total - sent, patienceMilliseconds: 60_000)
        }
        let client = try HTTPBench.client()
        let received = try await client.withResponse(HTTPBench.get(server)) { response in
            await isBlocked.wait()
            var received = 0
            for try await chunk in response.body {
                #expect(chunk.count <= 1 << 20)
                received += chunk.count
            }
            return received
        }
        #expect(received == total)
        // What the system buffers on both ends, and our share.
        #expect(sentAtFirst.withLock { $0 } < 32 << 20)
    }

    @Test func `answers without a body`() async throws {
        let server = try HTTPBench.server { connection, request, _ in
            switch request.path {
            case "/head": try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: \"x\"\r\n\r\n")
            case "/204": try connection.respond(204)
            default: try connection.respond(304)
            }
        }
        let client = try HTTPBench.client()
        var request = try HTTPBench.get(server, "/head")
        request.method = .head
        let head = try await client.send(request)
        #expect(head.body.isEmpty)
        #expect(head.headers["Content-Length"] == "1000")
        #expect(try await client.send(HTTPBench.get(server, "/204")).status == 204)
        #expect(try await client.send(HTTPBench.get(server, "/304")).status == 304)
        #expect(server.connections == 1)
    }

    @Test func `what comes before the answer itself is passed over`() async throws {
        let server = try HTTPBench.server { connection, _, _ in
            try connection.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            try connection.respond(200, headers: ["A": "b"], body: [1])
        }
        let reply = try await HTTPBench.client().send(HTTPBench.get(server))
        #expect(reply.status == 200)
        #expect(reply.headers.fields.map(\.name) == ["A", "Content-Length"])
    }

    @Test func `a body that ends early is an error, never a short body`() async throws {
        let client = try HTTPBench.client { $0.retries = .none }
        let cut = try RawServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        }
        let chunked = try RawServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        }
        let reset = try RawServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            connection.reset()
        }
        for server in [cut, chunked, reset] {
            let error = await transferError { _ = try await client.send(try HTTPBench.get(server, "/a?secret")) }
            #expect(error?.code == .connectionLost)
            #expect(error?.isRetryable == true)
            #expect(error?.description.contains("GET http://127.0.0.1:\(server.port)/a:") == true)
        }
    }

    @Test func `what is no HTTP is an error`() async throws {
        let client = try HTTPBench.client { $0.retries = .none }
        for text in ["220 smtp.example.com ESMTP\r\n", "HTTP/1.1 abc\r\n\r\n", ""] {
            let server = try RawServer { connection in
                _ = try connection.readHead()
                try connection.write(text)
            }
            let error = await transferError { _ = try await client.send(try HTTPBench.get(server)) }
            #expect(error?.code == (text.isEmpty ? .connectionLost : .badResponse))
        }
    }

    @Test func `a head without end is an error`() async throws {
        let server = try RawServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\n")
            let line = "X: \(String(repeating: "x", count: 1000))\r\n"
            while true { try connection.write(line) }
        }
        let client = try HTTPBench.client { $0.retries = .none }
        let error = await transferError { _ = try await client.send(try HTTPBench.get(server)) }
        #expect(error?.code == .badResponse)
    }

    @Test func `an answer that is longer than allowed is an error`() async throws {
        let server = try HTTPBench.server { connection, _, _ in
            try connection.respond(200, body: [UInt8](repeating: 0, count: 1001))
        }
        let client = try HTTPBench.client()
        let error = await transferError { _ = try await client.send(try HTTPBench.get(server), limit: 1000) }
        #expect(error?.code == .tooLarge)
        #expect(try await client.send(HTTPBench.get(server), limit: 1001).body.count == 1001)
    }

    @Test func `gzip is decoded where it was asked for`() async throws {
        let text = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let server = try HTTPBench.server { connection, request, _ in
            let isAsked = request.headers["Accept-Encoding"] == "gzip"
            try connection.respond(
                200, headers: isAsked ? ["Content-Encoding": "gzip"] : [:], body: isAsked ? Gzip.stored(text) : text)
        }
        let client = try HTTPBench.client()
        var request = try HTTPBench.get(server)
        #expect(try await client.send(request).body == text)
        request.acceptsCompression = true
        #expect(try await client.send(request).body == text)
        #expect(server.requests.map { $0.headers["Accept-Encoding"] } == [nil, "gzip"])
    }

    @Test func `broken gzip is an error`() async throws {
        var broken = Gzip.stored(Array("abcdefgh".utf8))
        broken[broken.count - 6] ^= 1
        let body = broken
        let server = try HTTPBench.server { connection, _, _ in
            try connection.respond(200, headers: ["Content-Encoding": "gzip"], body: body)
        }
        let client = try HTTPBench.client { $0.retries = .none }
        var request = try HTTPBench.get(server)
        request.acceptsCompression = true
        let error = await transferError { [request] in _ = try await client.send(request) }
        #expect(error?.code == .badResponse)
    }
}
