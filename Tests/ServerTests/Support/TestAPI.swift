import Foundation
import Locking
import Logging
import PostgresTestSupport
import Testing
import Transfer

@testable import JobQueue
@testable import Server

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension PostgresCluster {
    /// A database of one test with the queue and the API's tables in it.
    func makeServerDatabase() async throws -> TestDatabase {
        try await makeDatabase(template: "server") { url in
            try await Migrations(url, logger: quiet).migrate(roles: .create())
            try await ServerSchema.migrations(url).migrate(roles: .create())
        }
    }
}

/// An answer, whatever its status.
struct Reply: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { (try? JSONDecoder().decode(JSONValue.self, from: Data(body))) ?? .null }
    subscript(name: String) -> JSONValue? { json[name] }
    /// Of a problem.
    var code: String? { json["code"]?.string }
    var pointers: [String] { json["errors"]?.elements?.compactMap { $0["pointer"]?.string } ?? [] }
}

/// A server that runs, over a database of its own.
struct TestAPI: Sendable {
    let base: String
    let port: Int
    let queue: QueueClient
    let database: TestDatabase
    let client: HTTPClient
    var token: String?

    /// Sends a request and returns the answer.
    func send(
        _ method: HTTPMethod, _ path: String, _ body: String? = nil, headers: HTTPHeaders = [:]
    ) async throws -> Reply {
        var headers = headers
        if body != nil, headers["Content-Type"] == nil { headers["Content-Type"] = "application/json" }
        if let token { headers["Authorization"] = "Bearer \(token)" }
        let request = HTTPRequest(
            method, try HTTPURL(base + path), headers: headers, body: body.map { .text($0) } ?? .empty,
            destination: .trusted, redirects: .none, retries: HTTPRetryPolicy.none, errorBodyLimit: 1 << 20)
        do {
            let reply = try await client.send(request, limit: 64 << 20)
            return Reply(status: reply.status, headers: reply.headers, body: reply.body)
        } catch let error as TransferError {
            guard let status = error.status else { throw error }
            return Reply(status: status, headers: error.headers, body: error.body)
        }
    }

    func get(_ path: String, headers: HTTPHeaders = [:]) async throws -> Reply {
        try await send(.get, path, headers: headers)
    }

    func post(_ path: String, _ body: String? = nil, headers: HTTPHeaders = [:]) async throws -> Reply {
        try await send(.post, path, body, headers: headers)
    }

    func bearing(_ token: String?) -> TestAPI {
        var other = self
        other.token = token
        return other
    }

    /// Enqueues a job and returns its id.
    func enqueue(_ kind: String = "work") async throws -> JobID { try await queue.enqueue(kind) }
}

/// Starts a server, calls `body`, and stops it.
func withAPI(
    settings change: @Sendable (inout ServerSettings) -> Void = { _ in },
    prepare: @Sendable (QueueClient) async throws -> Void = { _ in },
    _ body: @Sendable (TestAPI) async throws -> Void
) async throws {
    let database = try await PostgresCluster.shared.makeServerDatabase()
    let queue = try QueueClient(database.url, logger: quiet)
    try await prepare(queue)
    var settings = ServerSettings(port: 0, limits: ServerLimits(rate: nil), version: "1.2.3")
    change(&settings)
    let (ports, listening) = AsyncThrowingStream<Int, any Error>.makeStream()
    let server = APIServer(queue, settings: settings, logger: quiet) { port in listening.yield(port) }
    let running = Task {
        do {
            try await server.run()
            listening.finish()
        } catch {
            listening.finish(throwing: error)
        }
    }
    defer { running.cancel() }
    var iterator = ports.makeAsyncIterator()
    let port = try #require(try await iterator.next(), "the server has ended")
    let client = try HTTPClient()
    let api = TestAPI(
        base: "http://127.0.0.1:\(port)", port: port, queue: queue, database: database, client: client, token: nil)
    try await body(api)
    running.cancel()
    await running.value
    await client.shutdown()
    await queue.close()
}

/// A worker that runs while `body` does.
func withWorker(
    _ api: TestAPI, register: (QueueWorker) -> Void, _ body: () async throws -> Void
) async throws {
    let worker = try QueueWorker(
        api.database.url, options: WorkerOptions(slots: 4, pollInterval: .milliseconds(200)), logger: quiet)
    register(worker)
    let running = Task { try await worker.run() }
    do {
        try await body()
    } catch {
        running.cancel()
        _ = await running.result
        throw error
    }
    running.cancel()
    _ = await running.result
}
