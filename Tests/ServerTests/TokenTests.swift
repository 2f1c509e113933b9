import Foundation
import JobQueue
import Locking
import PostgresTestSupport
import Testing
import Transfer

@testable import Server

@Suite struct TokenTests {
    @Test func `A token reads back, and nothing else is one`() {
        let token = APIToken()
        #expect(token.text.hasPrefix("kiln_") && token.text.utf8.count == 65 && token.hash.count == 64)
        #expect(APIToken(token.text)?.id == token.id && APIToken(token.text)?.secret == token.secret)
        #expect(token.matches(hash: token.hash) && !token.matches(hash: APIToken().hash) && !token.matches(hash: ""))
        for text in ["", "kiln_", token.text + "x", String(token.text.dropLast()), "Kiln" + token.text.dropFirst(4)] {
            #expect(APIToken(text) == nil)
        }
    }

    @Test func `Tokens are made, listed and revoked, and their secrets are not in the database`() async throws {
        let database = try await PostgresCluster.shared.makeServerDatabase()
        let queue = try QueueClient(database.url, logger: quiet)
        let tokens = TokenStore(queue)
        let end = Date(timeIntervalSince1970: 1_900_000_000)
        let made = try await tokens.create(name: "shop", scopes: [.produce, .read], expires: end)
        #expect(made.info.scopes == [.produce, .read] && made.info.expiresAt == end && made.info.name == "shop")
        let secret = try #require(APIToken(made.text)).secret
        #expect(try await !database.psql("SELECT * FROM kiln_api.token").contains(secret))
        #expect(try await tokens.list() == [made.info])
        #expect(try await tokens.revoke(made.info.id))
        #expect(try await !tokens.revoke(made.info.id))
        #expect(try await !tokens.revoke("nobody"))
        #expect(try await tokens.list().first?.revokedAt != nil)
        #expect(try await tokens.hasAny(), "one that was revoked is one that was made")
        let good = try await tokens.create(name: "good", scopes: [.read])
        #expect(try await !tokens.delete(good.info.id))
        #expect(try await tokens.delete(made.info.id))
        #expect(try await tokens.list() == [good.info])
        try await tokens.revoke(good.info.id)
        #expect(try await tokens.delete(good.info.id))
        #expect(try await !tokens.hasAny())
        await #expect(throws: QueueError.self) { try await tokens.create(name: "", scopes: [.read]) }
        await #expect(throws: QueueError.self) { try await tokens.create(name: "a", scopes: []) }
        await queue.close()
    }

    @Test func `A worker's role may check tokens, and not make them`() async throws {
        let database = try await PostgresCluster.shared.makeServerDatabase()
        let login = try await database.makeLogin(in: "kiln_worker")
        let queue = try QueueClient(login.url, logger: quiet)
        let tokens = TokenStore(queue)
        #expect(try await tokens.list().isEmpty)
        let error = await #expect(throws: QueueError.self) { try await tokens.create(name: "a", scopes: [.admin]) }
        #expect(error?.code == .permission)
        await queue.close()
    }

    @Test func `Elsewhere than on this machine nobody is served without a token`() async throws {
        let database = try await PostgresCluster.shared.makeServerDatabase()
        let queue = try QueueClient(database.url, logger: quiet)
        let settings = ServerSettings(address: "0.0.0.0", port: 0, version: "1")
        let error = await #expect(throws: ServerRefusal.self) {
            try await APIServer(queue, settings: settings, logger: quiet).run()
        }
        #expect(error?.description.contains("kiln token create") == true)
        await queue.close()
        let made = Locked("")
        try await withAPI(
            settings: {
                $0.address = "0.0.0.0"
            },
            prepare: { queue in
                let token = try await TokenStore(queue).create(name: "a", scopes: [.read])
                made.withLock { $0 = token.text }
            }
        ) { (api) async throws in
            #expect(try await api.get("/v1/queues").status == 401)
            #expect(try await api.bearing(made.withLock { $0 }).get("/v1/queues").status == 200)
        }
    }

    @Test func `Where others come through something on this machine, nobody is served without a token`() async throws {
        let database = try await PostgresCluster.shared.makeServerDatabase()
        let queue = try QueueClient(database.url, logger: quiet)
        let changes: [(inout ServerSettings) -> Void] = [
            { $0.proxies = 1 }, { $0.publicURL = try? HTTPURL("https://kiln.example") },
            { $0.crossOrigin.origins = ["*"] },
        ]
        for change in changes {
            var settings = ServerSettings(port: 0, version: "1")
            change(&settings)
            let server = APIServer(queue, settings: settings, logger: quiet)
            let error = await #expect(throws: ServerRefusal.self) {
                try await server.run()
            }
            #expect(error?.description.contains("kiln token create") == true)
        }
        await queue.close()
        try await withAPI { (api) async throws in
            #expect(try await api.get("/v1/queues").status == 200)
            for name in ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto"] {
                let refused = try await api.get("/v1/queues", headers: HTTPHeaders([.init(name: name, value: "x")]))
                #expect(refused.status == 403, "\(name)")
            }
        }
    }

    @Test func `When the last token has ended, the API is not open again until it is deleted`() async throws {
        try await withAPI(prepare: { queue in
            let tokens = TokenStore(queue)
            let token = try await tokens.create(name: "a", scopes: [.admin])
            try await tokens.revoke(token.info.id)
        }) { (api) async throws in
            #expect(try await api.get("/v1/queues").status == 401)
        }
        try await withAPI(prepare: { queue in
            let tokens = TokenStore(queue)
            let token = try await tokens.create(name: "a", scopes: [.admin])
            try await tokens.revoke(token.info.id)
            try await tokens.delete(token.info.id)
        }) { (api) async throws in
            #expect(try await api.get("/v1/queues").status == 200)
        }
    }

    @Test func `Without the tables the server says what to do`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let queue = try QueueClient(database.url, logger: quiet)
        let error = await #expect(throws: QueueError.self) {
            try await APIServer(queue, settings: ServerSettings(port: 0, version: "1"), logger: quiet).run()
        }
        #expect(error?.code == .schema && error?.hint?.contains("kiln migrate") == true)
        await queue.close()
    }

    @Test func `With a token, each may do what its scopes say`() async throws {
        let now = Locked(Date(timeIntervalSince1970: 1_900_000_000))
        try await withAPI(settings: {
            $0.now = { now.withLock { $0 } }
        }) { (api) async throws in
            #expect(try await api.get("/v1/queues").status == 200, "no token is there yet")
            let tokens = TokenStore(api.queue)
            let producer = try await api.bearing(tokens.create(name: "p", scopes: [.produce]).text)
            let reader = try await api.bearing(tokens.create(name: "r", scopes: [.read]).text)
            let admin = try await api.bearing(tokens.create(name: "a", scopes: [.admin]).text)
            let job = "{\"kind\": \"k\"}"
            let made = try await producer.post("/v1/jobs", job)
            #expect(made.status == 201)
            let path = "/v1/jobs/\(made["id"]?.string ?? "")"
            #expect(try await producer.get(path).status == 200)
            let refused = try await producer.get("/v1/jobs")
            #expect(refused.status == 403 && refused["hint"]?.string?.contains("read") == true)
            #expect(try await reader.get("/v1/jobs").status == 200)
            #expect(try await reader.get(path).status == 200)
            #expect(try await reader.post("/v1/jobs", job).status == 403)
            #expect(try await reader.post(path + "/cancel").status == 403)
            #expect(try await reader.send(.put, "/v1/queues/k", "{}").status == 403)
            #expect(try await producer.send(.put, "/v1/queues/k", "{}").status == 403)
            #expect(try await admin.send(.put, "/v1/queues/k", "{}").status == 200)
            #expect(try await admin.post("/v1/jobs", job).status == 201)
        }
    }

    @Test func `A token that has ended, was revoked or is wrong is as good as none`() async throws {
        let now = Locked(Date(timeIntervalSince1970: 1_900_000_000))
        try await withAPI(
            settings: {
                $0.now = { now.withLock { $0 } }
            },
            prepare: { queue in
                _ = try await TokenStore(queue).create(name: "there is one", scopes: [.read])
            }
        ) { (api) async throws in
            let tokens = TokenStore(api.queue)
            let none = try await api.get("/v1/queues")
            #expect(none.status == 401 && none.headers["WWW-Authenticate"] == "Bearer realm=\"kiln\"")
            #expect(none.code == "unauthorized")
            let end = Date(timeIntervalSince1970: 1_900_000_100)
            let token = try await tokens.create(name: "short", scopes: [.read], expires: end)
            #expect(try await api.bearing(token.text).get("/v1/queues").status == 200)
            now.withLock { $0 = end }
            #expect(try await api.bearing(token.text).get("/v1/queues").status == 401)
            let revoked = try await tokens.create(name: "gone", scopes: [.read])
            try await tokens.revoke(revoked.info.id)
            #expect(try await api.bearing(revoked.text).get("/v1/queues").status == 401)
            let other = "kiln_\(token.info.id)_\(APIToken().secret)"
            #expect(try await api.bearing(other).get("/v1/queues").status == 401)
            #expect(try await api.bearing("nonsense").get("/v1/queues").status == 401)
            #expect(try await api.get("/v1/queues", headers: ["Authorization": "Basic YTpi"]).status == 401)
            // What anybody may see.
            #expect(try await api.bearing("nonsense").get("/health").status == 200)
        }
    }

    @Test func `Who tries many tokens is slowed down`() async throws {
        try await withAPI(
            settings: {
                $0.limits.rate = .init(burst: 5, perSecond: 0.001)
            },
            prepare: { queue in
                _ = try await TokenStore(queue).create(name: "there is one", scopes: [.read])
            }
        ) { (api) async throws in
            var last = 0
            for _ in 0..<6 { last = try await api.bearing(APIToken().text).get("/v1/queues").status }
            #expect(last == 429)
        }
    }

    @Test func `Who fails at an address does not lock out a token there, and is told of the limit`() async throws {
        let made = Locked("")
        try await withAPI(
            settings: {
                $0.limits.rate = .init(burst: 3, perSecond: 0.001)
            },
            prepare: { queue in
                let token = try await TokenStore(queue).create(name: "good", scopes: [.read])
                made.withLock { $0 = token.text }
            }
        ) { (api) async throws in
            let good = api.bearing(made.withLock { $0 })
            #expect(try await good.get("/v1/queues").status == 200)
            let first = try await api.get("/v1/queues")
            #expect(first.status == 401 && first.headers["RateLimit"]?.hasPrefix("\"requests\";r=2;t=") == true)
            #expect(try await api.bearing(APIToken().text).get("/v1/queues").status == 401)
            #expect(try await api.get("/v1/queues").status == 401)
            let refused = try await api.get("/v1/queues")
            #expect(refused.status == 429 && refused.headers["Retry-After"] != nil)
            #expect(try await api.bearing(APIToken().text).get("/v1/queues").status == 429)
            #expect(try await good.get("/v1/queues").status == 200)
            // What needs no token is not meant either.
            #expect(try await api.get("/health").status == 200)
        }
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"), ("[2001:db8:1:3::7]:80", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"), ("unknown", "unknown"),
    ])
    func `Addresses of one client count together`(address: String, group: String) {
        #expect(AddressGroup.name(of: address) == group)
    }

    @Test func `Where no token is needed, pages in a browser get nothing`() async throws {
        try await withAPI { (api) async throws in
            #expect(try await api.get("/v1/queues").status == 200)
            let rebound = try await raw(
                api.port, "GET /v1/queues HTTP/1.1\r\nHost: evil.example:\(api.port)\r\nConnection: close\r\n\r\n")
            #expect(rebound.hasPrefix("HTTP/1.1 421 "))
            let id = try await api.enqueue()
            let path = "/v1/jobs/\(id.text)/cancel"
            #expect(try await api.post(path, headers: ["Origin": "https://evil.example"]).status == 403)
            #expect(try await api.post(path, headers: ["Origin": "null"]).status == 403)
            #expect(try await api.queue.job(id)?.state == .ready)
            #expect(try await api.post(path, headers: ["Origin": "http://127.0.0.1:\(api.port)"]).status == 200)
        }
    }

    @Test func `Origins that are allowed may ask, and others are told nothing`() async throws {
        try await withAPI(settings: {
            $0.crossOrigin.origins = ["https://app.example"]
        }) { (api) async throws in
            let headers: HTTPHeaders = [
                "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            ]
            let preflight = try await api.send(.options, "/v1/jobs", headers: headers)
            #expect(preflight.status == 204)
            #expect(preflight.headers["Access-Control-Allow-Origin"] == "https://app.example")
            #expect(preflight.headers["Access-Control-Allow-Methods"]?.contains("POST") == true)
            #expect(preflight.headers["Access-Control-Allow-Headers"]?.contains("Idempotency-Key") == true)
            let answer = try await api.get("/v1/queues", headers: ["Origin": "https://app.example"])
            #expect(answer.status == 200 && answer.headers["Access-Control-Allow-Origin"] == "https://app.example")
            #expect(answer.headers["Vary"] == "Origin")
            let other = try await api.send(.options, "/v1/jobs", headers: ["Origin": "https://other.example"])
            #expect(other.headers["Access-Control-Allow-Origin"] == nil)
            #expect(
                other.headers["Access-Control-Allow-Methods"] == nil && other.headers["Allow"]?.contains("POST") == true
            )
        }
    }
}
