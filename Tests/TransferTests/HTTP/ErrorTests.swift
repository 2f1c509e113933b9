import Testing
import Transfer
import TransferTestSupport

@Suite struct ErrorTests {
    @Test func `tells method, host, path, status and body, and no secret`() async throws {
        let server = try HTTPBench.server { connection, _, _ in
            try connection.respond(
                403, headers: ["x-amz-request-id": "ABC123"], body: Array("<Error>secret-in-body</Error>".utf8))
        }
        let url = try HTTPURL("http://user:secret@127.0.0.1:\(server.port)/a/b.mp4?X-Amz-Signature=secret")
        let request = HTTPRequest(.put, url, headers: ["Authorization": "secret"], body: .bytes([1]))
        let client = try HTTPBench.client()
        let error = try #require(await transferError { _ = try await client.send(request) })
        #expect(error.code == .accessDenied)
        #expect(error.status == 403)
        #expect(error.requestID == "ABC123")
        #expect(error.body == Array("<Error>secret-in-body</Error>".utf8))
        #expect(error.headers["X-Amz-Request-Id"] == "ABC123")
        #expect(error.request?.path == "/a/b.mp4")
        #expect(
            error.description
                == "PUT http://127.0.0.1:\(server.port)/a/b.mp4: the server answered 403 (Forbidden) (request ABC123). "
                + "Check the credentials and what they allow")
    }

    @Test(arguments: [
        (401, TransferError.Code.accessDenied), (403, .accessDenied), (404, .notFound), (410, .notFound),
        (412, .changed), (429, .throttled), (500, .status), (400, .status),
    ])
    func `has the code of its status`(status: Int, code: TransferError.Code) async throws {
        let server = try HTTPBench.server { connection, _, _ in try connection.respond(status) }
        let client = try HTTPBench.client { $0.retries = .none }
        let error = await transferError { _ = try await client.send(try HTTPBench.get(server)) }
        #expect(error?.code == code)
        if let error { #expect(code ~= error) }
    }

    @Test func `an object that is there already, where none may be`() async throws {
        let server = try HTTPBench.server { connection, _, _ in try connection.respond(412) }
        let request = HTTPRequest(
            .put, try HTTPURL(server.url()), headers: ["If-None-Match": "*"], body: .bytes([1]))
        let error = await transferError { _ = try await HTTPBench.client().send(request) }
        #expect(error?.code == .exists)
    }

    @Test func `keeps a bounded piece of the body`() async throws {
        let server = try HTTPBench.server { connection, _, _ in
            try connection.respond(400, body: [UInt8](repeating: 7, count: 1 << 20))
        }
        let client = try HTTPBench.client()
        var request = try HTTPBench.get(server)
        let error = await transferError { [request] in _ = try await client.send(request) }
        #expect(error?.body == [UInt8](repeating: 7, count: 16 << 10))
        request.errorBodyLimit = 10
        let shorter = await transferError { [request] in _ = try await client.send(request) }
        #expect(shorter?.body.count == 10)
    }

    @Test func `a request id that is not fit to be shown is not`() async throws {
        let server = try HTTPBench.server { connection, _, _ in
            try connection.respond(400, headers: ["x-request-id": "a b\tc"])
        }
        let error = await transferError { _ = try await HTTPBench.client().send(try HTTPBench.get(server)) }
        #expect(error?.requestID == nil)
    }

    @Test func `a host that has no address`() async throws {
        let client = try HTTPBench.client { $0.retries = .none }
        // RFC 6761: no name below "invalid" has one.
        let request = HTTPRequest(.get, try HTTPURL("http://no-such-host.invalid/"))
        let error = await transferError { _ = try await client.send(request) }
        #expect(error?.code == .cannotResolve)
        #expect(error?.mayHaveTakenEffect == false)
    }

    @Test func `a port where nobody listens`() async throws {
        let gone = try RawServer { _ in }
        gone.stop()
        let client = try HTTPBench.client { $0.retries = .none }
        // The thread that closes the port may need a moment more; a connection then is closed without an answer.
        let error = await transferError { _ = try await client.send(try HTTPBench.get(gone)) }
        #expect(error?.code == .cannotConnect || error?.code == .connectionLost)
    }
}
