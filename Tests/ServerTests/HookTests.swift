import Foundation
import JobQueue
import Testing
import Transfer

@testable import Server

/// Jobs that come by signed webhook.
@Suite struct HookTests {
    private static let now: Int64 = 1_900_000_000
    private static let key = (0..<32).map { UInt8($0) }
    private static let otherKey = [UInt8](repeating: 255, count: 24)
    private static let body = #"{"input": "store://in.mov", "crf": 21}"#

    /// A server to which jobs of the kind "clip" may come by webhook, and of "gone" if it knew that kind.
    private func withHooks(
        settings change: @Sendable (inout ServerSettings) -> Void = { _ in },
        prepare: @Sendable (QueueClient) async throws -> Void = { _ in },
        _ body: @Sendable (TestAPI) async throws -> Void
    ) async throws {
        try await withAPI(
            settings: { settings in
                settings.now = { Date(timeIntervalSince1970: TimeInterval(Self.now)) }
                settings.hooks = .init(secrets: [Self.key], kinds: ["clip", "gone"])
                settings.kinds = [
                    KindDescription(
                        "clip",
                        schema: [
                            "type": "object", "required": ["input"], "additionalProperties": false,
                            "properties": ["input": ["type": "string"], "crf": ["type": "integer"]],
                        ]),
                    KindDescription("other"),
                ]
                change(&settings)
            }, prepare: prepare, body)
    }

    private static func signed(
        _ body: String = HookTests.body, id: String = "msg_1", after seconds: Int64 = 0,
        by keys: [[UInt8]] = [HookTests.key]
    ) -> HTTPHeaders {
        StandardWebhook(id: id, timestamp: now + seconds, body: Array(body.utf8)).headers(keys: keys)
    }

    @Test func `A message that is signed right is a job, though there are tokens and none is sent`() async throws {
        try await withHooks(prepare: { queue in
            _ = try await TokenStore(queue).create(name: "a", scopes: [.admin])
        }) { (api) async throws in
            #expect(try await api.post("/v1/jobs", #"{"kind": "clip"}"#).status == 401)
            let made = try await api.post("/v1/hooks/clip", Self.body, headers: Self.signed())
            #expect(made.status == 201, "\(made.text)")
            let id = try #require(made["id"]?.string)
            #expect(made["kind"] == "clip" && made["url"] == .string("/v1/jobs/\(id)"))
            #expect(
                made["eventsUrl"] == .string("/v1/jobs/\(id)/events") && made.headers["Location"] == "/v1/jobs/\(id)")
            let jobID = try #require(UUID(uuidString: id))
            let job = try #require(try await api.queue.job(jobID))
            let payload = try job.payload?.decode(JSONValue.self)
            #expect(job.kind == "clip" && payload == ["input": "store://in.mov", "crf": 21])
        }
    }

    @Test func `A message that others have signed is known`() async throws {
        // https://docs.svix.com/receiving/verifying-payloads/how-manual
        let key = try #require(Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        try await withHooks(settings: {
            $0.now = { Date(timeIntervalSince1970: 1_614_265_400) }
            $0.hooks = .init(secrets: [Self.otherKey, Array(key)], kinds: ["other"])
        }) { (api) async throws in
            let made = try await api.post(
                "/v1/hooks/other", #"{"test": 2432232314}"#,
                headers: [
                    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
                    "webhook-signature": "v1,bm9ldHUK v1a,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v2,MzJs",
                ])
            #expect(made.status == 201, "\(made.text)")
        }
    }

    @Test func `What is not signed right is refused, and no signature is shown`() async throws {
        try await withHooks { (api) async throws in
            let right = Self.signed()
            let signature = try #require(right["webhook-signature"])
            func changed(_ name: String, _ value: String?) -> HTTPHeaders {
                var headers = right
                headers[name] = value
                return headers
            }
            let wrong: [(String, String, HTTPHeaders)] = [
                ("another key", Self.body, Self.signed(by: [Self.otherKey])),
                ("another body", Self.body + " ", right),
                ("another id", Self.body, changed("webhook-id", "msg_2")),
                ("another time", Self.body, changed("webhook-timestamp", "\(Self.now + 1)")),
                ("too old", Self.body, Self.signed(after: -301)),
                ("too early", Self.body, Self.signed(after: 301)),
                ("no time", Self.body, changed("webhook-timestamp", "soon")),
                ("the time otherwise written", Self.body, changed("webhook-timestamp", "+\(Self.now)")),
                ("an id with a dot", Self.body, Self.signed(id: "msg.1")),
                ("a long id", Self.body, Self.signed(id: String(repeating: "x", count: 256))),
                ("no id", Self.body, changed("webhook-id", nil)),
                ("no timestamp", Self.body, changed("webhook-timestamp", nil)),
                ("no signature", Self.body, changed("webhook-signature", nil)),
                ("another version", Self.body, changed("webhook-signature", "v2" + signature.dropFirst(2))),
                ("half a signature", Self.body, changed("webhook-signature", String(signature.prefix(20)))),
                ("nothing signed", Self.body, changed("webhook-signature", "v1,")),
            ]
            for (what, body, headers) in wrong {
                let refused = try await api.post("/v1/hooks/clip", body, headers: headers)
                #expect(refused.status == 401 && refused.code == "bad_signature", "\(what): \(refused.text)")
                #expect(refused.headers["WWW-Authenticate"] != nil && refused["detail"] != nil)
                #expect(!refused.text.contains(signature.dropFirst(3).prefix(16)), "\(what)")
            }
            // Without a signature nobody finds out which kinds there are.
            #expect(try await api.post("/v1/hooks/nothing", Self.body).status == 401)
            #expect(try await api.queue.jobs().isEmpty)
            for seconds: Int64 in [-300, 300] {
                let taken = try await api.post(
                    "/v1/hooks/clip", Self.body, headers: Self.signed(id: "at\(seconds)", after: seconds))
                #expect(taken.status == 201, "\(taken.text)")
            }
        }
    }

    @Test func `While keys are changed, either key will do`() async throws {
        try await withHooks(settings: {
            $0.hooks.secrets = [Self.otherKey, Self.key]
        }) { (api) async throws in
            let third = [UInt8](repeating: 3, count: 32)
            for (id, keys) in [("a", [Self.key]), ("b", [Self.otherKey]), ("c", [third, Self.otherKey])] {
                let taken = try await api.post(
                    "/v1/hooks/clip", Self.body, headers: Self.signed(id: id, by: keys))
                #expect(taken.status == 201, "\(id): \(taken.text)")
            }
            let unknown = try await api.post("/v1/hooks/clip", Self.body, headers: Self.signed(id: "d", by: [third]))
            #expect(unknown.status == 401)
        }
    }

    @Test func `A message that comes again gets the first answer, and makes no other job`() async throws {
        try await withHooks(settings: {
            $0.hooks.secrets = [Self.key, Self.otherKey]
            $0.hooks.kinds = ["clip", "other"]
        }) { (api) async throws in
            let first = try await api.post("/v1/hooks/clip", Self.body, headers: Self.signed())
            // Replayed as it was; and sent again later, by the sender's new key.
            for headers in [Self.signed(), Self.signed(after: 120, by: [Self.otherKey])] {
                let again = try await api.post("/v1/hooks/clip", Self.body, headers: headers)
                #expect(again.status == 201 && again.json == first.json, "\(again.text)")
                #expect(again.headers["Idempotency-Replayed"] == "true")
                #expect(again.headers["Location"] == first.headers["Location"])
            }
            #expect(first.status == 201 && first.headers["Idempotency-Replayed"] == nil)
            let otherwise = #"{"input": "store://other.mov"}"#
            let changed = try await api.post("/v1/hooks/clip", otherwise, headers: Self.signed(otherwise))
            #expect(changed.status == 422 && changed.code == "idempotency_key_reused")
            #expect(changed["detail"]?.string?.contains("webhook-id") == true)
            // The kind is not signed: what was captured on its way to one is no good for another.
            let diverted = try await api.post("/v1/hooks/other", Self.body, headers: Self.signed())
            #expect(diverted.status == 422 && diverted.code == "idempotency_key_reused")
            #expect(try await api.queue.jobs().count == 1)
            // Ids of messages and keys of clients are different things.
            let job = try await api.post("/v1/jobs", #"{"kind": "k"}"#, headers: ["Idempotency-Key": "msg_1"])
            #expect(job.status == 201)
        }
    }

    @Test func `Only kinds that are allowed and known may come so`() async throws {
        try await withHooks { (api) async throws in
            for kind in ["other", "gone", "nothing"] {
                let refused = try await api.post("/v1/hooks/\(kind)", Self.body, headers: Self.signed())
                #expect(refused.status == 404 && refused.code == "not_found", "\(kind): \(refused.text)")
            }
            #expect(try await api.queue.jobs().isEmpty)
            #expect(try await api.get("/v1/hooks/clip").status == 405)
        }
    }

    @Test(arguments: [
        ServerSettings.Hooks(), ServerSettings.Hooks(secrets: [HookTests.key]), ServerSettings.Hooks(kinds: ["clip"]),
    ])
    func `Where none are set up, the answer says so`(_ hooks: ServerSettings.Hooks) async throws {
        try await withHooks(settings: {
            $0.hooks = hooks
        }) { (api) async throws in
            let refused = try await api.post("/v1/hooks/clip", Self.body, headers: Self.signed())
            #expect(refused.status == 404 && refused["detail"] == "incoming webhooks are not set up")
            #expect(refused["hint"]?.string?.contains("KILN_HOOK_KINDS") == true)
        }
    }

    @Test func `What is signed is still looked at`() async throws {
        try await withHooks(settings: {
            $0.limits.bodyBytes = 1000
        }) { (api) async throws in
            let wrong = #"{"inptu": "a", "crf": "x"}"#
            let refused = try await api.post("/v1/hooks/clip", wrong, headers: Self.signed(wrong))
            #expect(refused.status == 422 && Set(refused.pointers) == ["/inptu", "/crf", ""], "\(refused.text)")
            let malformed = try await api.post("/v1/hooks/clip", "{", headers: Self.signed("{"))
            #expect(malformed.status == 400 && malformed.code == "malformed_json")
            #expect(try await api.post("/v1/hooks/clip", headers: Self.signed("")).status == 400)
            let query = try await api.post("/v1/hooks/clip?a=1", Self.body, headers: Self.signed())
            #expect(query.status == 400 && query.code == "bad_parameter")
            var headers = Self.signed()
            headers["Content-Type"] = "text/plain"
            #expect(try await api.post("/v1/hooks/clip", Self.body, headers: headers).status == 415)
            let large = #"{"input": "\#(String(repeating: "x", count: 2000))"}"#
            let announced = try await api.post("/v1/hooks/clip", large, headers: Self.signed(large))
            #expect(announced.status == 413 && announced.code == "too_large")
            let chunked = try await raw(
                api.port,
                "POST /v1/hooks/clip HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n7d0\r\n\(String(repeating: " ", count: 2000))\r\n0\r\n\r\n")
            #expect(chunked.hasPrefix("HTTP/1.1 413 "), "\(chunked)")
            // None of it has used up the id.
            #expect(try await api.post("/v1/hooks/clip", Self.body, headers: Self.signed()).status == 201)
        }
    }

    @Test func `Whoever signs wrong has a limit, by address, before signatures are looked at`() async throws {
        try await withHooks(settings: {
            $0.limits.rate = .init(burst: 2, perSecond: 0.001)
        }) { (api) async throws in
            for _ in 0..<2 {
                let refused = try await api.post("/v1/hooks/clip", Self.body, headers: Self.signed(by: [Self.otherKey]))
                #expect(refused.status == 401 && refused.headers["RateLimit"] != nil)
            }
            #expect(try await api.post("/v1/hooks/clip", Self.body, headers: Self.signed()).status == 429)
        }
    }

    @Test func `The document tells of the signature's fields, and that no token is needed`() async throws {
        try await withHooks { (api) async throws in
            let route = try #require(try await api.get("/openapi.json")["paths"]?["/v1/hooks/{kind}"]?["post"])
            #expect(route["security"] == [] && route["responses"]?["401"] != nil && route["responses"]?["201"] != nil)
            let fields = (route["parameters"]?.elements ?? []).filter { $0["in"] == "header" }
            #expect(fields.map { $0["name"] } == ["webhook-id", "webhook-timestamp", "webhook-signature"])
            #expect(fields.allSatisfy { $0["required"] == true })
        }
    }
}
