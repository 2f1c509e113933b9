import Foundation
import JobQueue
import Locking
import Testing
import Transfer

@testable import Server

@Suite struct HealthTests {
    /// Starts a health listener, and calls `body` with a way to ask it.
    private func withHealth(
        _ settings: HealthSettings, _ body: (@escaping (HTTPMethod, String) async throws -> Reply) async throws -> Void
    ) async throws {
        var settings = settings
        (settings.address, settings.port) = ("127.0.0.1", 0)
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let server = HealthServer(settings, logger: quiet) { port in listening.yield(port) }
        let running = Task { try await server.run() }
        defer { running.cancel() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        let client = try HTTPClient()
        try await body { method, path in
            let request = HTTPRequest(
                method, try HTTPURL("http://127.0.0.1:\(port)\(path)"), destination: .trusted,
                retries: HTTPRetryPolicy.none)
            do {
                let reply = try await client.send(request)
                return Reply(status: reply.status, headers: reply.headers, body: reply.body)
            } catch let error as TransferError {
                guard let status = error.status else { throw error }
                return Reply(status: status, headers: error.headers, body: error.body)
            }
        }
        running.cancel()
        _ = await running.result
        await client.shutdown()
    }

    @Test func `Health and status have the names and meanings that dashboards know`() async throws {
        let start = Date(timeIntervalSince1970: 1_705_314_600)
        let settings = HealthSettings(
            startedAt: start, now: { start.addingTimeInterval(3600) },
            workers: {
                [
                    .init(
                        name: "media.transcode", isRunning: true, activeJobs: 2, maxConcurrentJobs: 4,
                        provider: "libav", features: ["h264"]),
                    .init(name: "media.probe", isRunning: false, activeJobs: 0, maxConcurrentJobs: 4),
                ]
            }, metrics: { "kiln_jobs_total 3\n" })
        try await withHealth(settings) { (ask) async throws in
            let health = try await ask(.get, "/health")
            #expect(
                health.json == [
                    "status": "healthy", "timestamp": "2024-01-15T11:30:00.000Z", "uptime": 3_600_000, "workers": 2,
                    "activeWorkers": 1, "totalActiveJobs": 2,
                ])
            let status = try await ask(.get, "/status")
            #expect(status["isRunning"] == true && status["totalWorkers"] == 2 && status["activeWorkers"] == 1)
            #expect(
                status["workers"]?.elements?.first == [
                    "name": "media.transcode", "isRunning": true, "activeJobs": 2, "maxConcurrentJobs": 4,
                    "provider": "libav", "features": ["h264"],
                ])
            let metrics = try await ask(.get, "/metrics")
            #expect(metrics.text == "kiln_jobs_total 3\n")
            #expect(metrics.headers["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(try await ask(.head, "/health").body.isEmpty)
            #expect(try await ask(.post, "/health").status == 405)
            #expect(try await ask(.get, "/secrets").status == 404)
        }
    }

    @Test func `It is ready when all that it needs is there`() async throws {
        let isThere = Locked(false)
        let settings = HealthSettings(checks: {
            [.init("database", isMet: isThere.withLock { $0 }), .init("store", isMet: true)]
        })
        try await withHealth(settings) { (ask) async throws in
            let not = try await ask(.get, "/ready")
            #expect(
                not.status == 503
                    && not.json == ["status": "not ready", "checks": ["database": "failing", "store": "ok"]])
            isThere.withLock { $0 = true }
            #expect(try await ask(.get, "/ready").status == 200)
        }
    }
}
