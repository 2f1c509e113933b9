import Testing
import Transfer
import TransferTestSupport

@Suite struct CancelTests {
    /// Runs `request` in a task, cancels it when `isUnderWay`, and returns what it ended with.
    private func cancelled(
        when isUnderWay: AsyncFlag, _ request: @escaping @Sendable () async throws -> Void
    ) async -> TransferError? {
        let task = Task { await transferError(request) }
        await isUnderWay.wait()
        task.cancel()
        return await task.value
    }

    @Test func `while the answer is waited for`() async throws {
        let isUnderWay = AsyncFlag()
        let isClosed = AsyncFlag()
        let server = try RawServer { connection in
            _ = try connection.readHead()
            isUnderWay.raise()
            connection.waitForClose()
            isClosed.raise()
        }
        let client = try HTTPBench.client()
        let error = await cancelled(when: isUnderWay) { _ = try await client.send(try HTTPBench.get(server)) }
        #expect(error?.code == .cancelled)
        #expect(error?.isRetryable == false)
        // The connection is gone, too.
        await isClosed.wait()
        #expect(server.requests.count == 1)
    }

    @Test func `while the body is read`() async throws {
        let isUnderWay = AsyncFlag()
        let isClosed = AsyncFlag()
        let server = try RawServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            connection.waitForClose()
            isClosed.raise()
        }
        let client = try HTTPBench.client()
        let error = await cancelled(when: isUnderWay) {
            try await client.withResponse(try HTTPBench.get(server)) { response in
                for try await _ in response.body { isUnderWay.raise() }
            }
        }
        #expect(error?.code == .cancelled)
        await isClosed.wait()
    }

    @Test func `while a connection is made`() async throws {
        let port = try FullPort()
        let isUnderWay = AsyncFlag()
        let client = try HTTPBench.client()
        let error = await cancelled(when: isUnderWay) {
            var request = HTTPRequest(.get, try HTTPURL("http://127.0.0.1:\(port.port)/"))
            request.prepare = { _ in isUnderWay.raise() }
            _ = try await client.send(request)
        }
        #expect(error?.code == .cancelled)
    }

    @Test func `while a body is written that the server does not read`() async throws {
        let isUnderWay = AsyncFlag()
        let isClosed = AsyncFlag()
        let mayRead = ThreadSignal()
        let server = try RawServer { connection in
            _ = try connection.readHead()
            isUnderWay.raise()
            mayRead.wait()
            connection.waitForClose()
            isClosed.raise()
        }
        let writerEnded = AsyncFlag()
        let body = HTTPBody.stream(length: nil, isReplayable: false) { writer in
            defer { writerEnded.raise() }
            while true { try await writer.write([UInt8](repeating: 0, count: 1 << 20)) }
        }
        let client = try HTTPBench.client()
        let url = try HTTPURL(server.url())
        let error = await cancelled(when: isUnderWay) {
            _ = try await client.send(HTTPRequest(.put, url, body: body))
        }
        #expect(error?.code == .cancelled)
        // The request does not end before its writer has.
        #expect(writerEnded.isRaised)
        // The end of a connection comes behind what was sent on it.
        mayRead.raise()
        await isClosed.wait()
    }

    @Test func `while it waits between two attempts`() async throws {
        let isUnderWay = AsyncFlag()
        let server = try HTTPBench.server { connection, _, _ in
            try connection.respond(503, headers: ["Retry-After": "25"])
        }
        let client = try HTTPBench.client()
        let error = await cancelled(when: isUnderWay) {
            var request = try HTTPBench.get(server)
            request.classify = { _ in isUnderWay.raise() }
            _ = try await client.send(request)
        }
        #expect(error?.code == .cancelled)
        #expect(server.requests.count == 1)
    }

    @Test func `before it began`() async throws {
        let server = try HTTPBench.server { connection, _, _ in try connection.respond(200) }
        let client = try HTTPBench.client()
        let mayBegin = AsyncFlag()
        let task = Task {
            await mayBegin.wait()
            return await transferError { _ = try await client.send(try HTTPBench.get(server)) }
        }
        task.cancel()
        mayBegin.raise()
        #expect(await task.value?.code == .cancelled)
    }

    @Test func `others go on`() async throws {
        let isUnderWay = AsyncFlag()
        let server = try HTTPBench.server { connection, request, _ in
            guard request.path == "/slow" else { return try connection.respond(200) }
            isUnderWay.raise()
            connection.waitForClose()
        }
        let client = try HTTPBench.client()
        let error = await cancelled(when: isUnderWay) { _ = try await client.send(try HTTPBench.get(server, "/slow")) }
        #expect(error?.code == .cancelled)
        #expect(try await client.send(HTTPBench.get(server)).status == 200)
    }

    @Test func `shutting down ends what is under way, and what comes later`() async throws {
        let isUnderWay = AsyncFlag()
        let server = try RawServer { connection in
            _ = try connection.readHead()
            isUnderWay.raise()
            connection.waitForClose()
        }
        let client = try HTTPBench.client()
        let task = Task { await transferError { _ = try await client.send(try HTTPBench.get(server)) } }
        await isUnderWay.wait()
        await client.shutdown()
        #expect(await task.value?.code == .closed)
        let late = await transferError { _ = try await client.send(try HTTPBench.get(server)) }
        #expect(late?.code == .closed)
        await client.shutdown()
    }
}
