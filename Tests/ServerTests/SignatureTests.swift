import Foundation
import JobQueue
import Testing
import Transfer

@testable import Server

/// Routes that go by another signature than that of Standard Webhooks.
@Suite struct SignatureTests {
    /// In place of a code over method, URL and body it is these themselves.
    private struct PlainSignature: RequestSignature {
        func verify(_ request: SignedRequest) throws(Problem) -> Signer {
            let content = "\(request.method) \(request.url) \(String(decoding: request.body, as: UTF8.self))"
            guard request.headers[text: "X-Signature"] == content else { throw .badSignature("it is another") }
            return Signer(name: "telephone")
        }
    }

    private static let form = "application/x-www-form-urlencoded"
    private static let route = Route(
        method: .post, path: "/calls/{id}", name: "call", summary: "A call.", group: "Calls", scopes: [],
        signature: PlainSignature(),
        parameters: [
            .init(name: "id", place: .path, schema: Schemas.text, summary: "The call's id."),
            .init(name: "a", place: .query, schema: Schemas.text, summary: "Anything."),
        ],
        body: .init(type: form, schema: Schemas.anyObject), replies: []
    ) { request in
        try Answer.json([
            "signer": request.caller.signer?.name ?? "", "id": request.path["id"] ?? "",
            "form": String(decoding: request.bytes, as: UTF8.self),
        ])
    }

    /// Serves the one route, without a database.
    private func withRoute(
        publicURL: String?,
        _ body: (_ post: (_ type: String, _ signature: String) async throws -> String) async throws -> Void
    ) async throws {
        let queue = try QueueClient("host=nowhere")
        var settings = ServerSettings(limits: ServerLimits(rate: nil), version: "1")
        settings.publicURL = try publicURL.map { try HTTPURL($0) }
        let (limiter, crossOrigin) = (RateLimiter(nil), CrossOriginPolicy(settings.crossOrigin))
        let verifier = TokenVerifier(TokenStore(queue), now: settings.now, logger: quiet)
        let responder = APIResponder(
            table: RouteTable([Self.route]), document: [:], settings: settings,
            guardian: Guardian(settings: settings, verifier: verifier, failures: limiter, crossOrigin: crossOrigin),
            limiter: limiter, crossOrigin: crossOrigin)
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let listener = Listener(
            name: "the test", setting: "PORT", responder: responder, address: "127.0.0.1", port: 0,
            limits: settings.limits, logger: quiet
        ) { port in listening.yield(port) }
        let running = Task {
            defer { listening.finish() }
            try await listener.run()
        }
        defer { running.cancel() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next(), "the server has ended")
        try await body { type, signature in
            try await raw(
                port,
                "POST /calls/7%2F8?a=b%20c HTTP/1.1\r\nHost: calls.example:8000\r\nConnection: close\r\n"
                    + "Content-Type: \(type)\r\nX-Signature: \(signature)\r\nContent-Length: 9\r\n\r\nFrom=%2B1")
        }
        running.cancel()
        _ = await running.result
        await queue.close()
    }

    @Test(arguments: [
        ("https://kiln.example/base/", "https://kiln.example/base"), (nil, "http://calls.example:8000"),
    ])
    func `A signature may be over the public URL as it was written, and a form as it came`(
        _ publicURL: String?, _ base: String
    ) async throws {
        try await withRoute(publicURL: publicURL) { post in
            let signature = "POST \(base)/calls/7%2F8?a=b%20c From=%2B1"
            let answer = try await post(Self.form + "; charset=utf-8", signature)
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
            for part in [#""signer":"telephone""#, #""id":"7/8""#, #""form":"From=%2B1""#] {
                #expect(answer.contains(part), "\(answer)")
            }
            let refused = try await post(Self.form, signature + "x")
            #expect(refused.hasPrefix("HTTP/1.1 401 ") && refused.contains("bad_signature"), "\(refused)")
            let mistyped = try await post("application/json", signature)
            #expect(mistyped.hasPrefix("HTTP/1.1 415 ") && mistyped.contains(Self.form), "\(mistyped)")
        }
    }

    @Test func `The document says which type the body has`() {
        let document = OpenAPIDocument.make(of: [Self.route], ServerSettings(version: "1"))
        let body = document["paths"]?["/calls/{id}"]?["post"]?["requestBody"]
        #expect(body?["content"]?[Self.form]?["schema"] == Schemas.anyObject)
    }
}
