import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobQueue

/// Answers probes.
struct HealthResponder: HTTPResponder {
    typealias Context = RequestSource

    let settings: HealthSettings

    /// Names and meanings are those that worker systems before this one have had, so that dashboards need no change.
    private struct Health: Codable, Sendable {
        var status = "healthy"
        var timestamp: String
        /// Milliseconds.
        var uptime: Int
        var workers: Int
        var activeWorkers: Int
        var totalActiveJobs: Int
    }

    private struct Status: Codable, Sendable {
        var isRunning = true
        var totalWorkers: Int
        var activeWorkers: Int
        var totalActiveJobs: Int
        /// Milliseconds.
        var uptime: Int
        var workers: [HealthSettings.Worker]
    }

    private struct Readiness: Codable, Sendable {
        var status: String
        /// "ok" or "failing" by name.
        var checks: [String: String]
    }

    func respond(to request: Request, context: RequestSource) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request)
        } catch {
            response = Answer.problem(Problem(error), requestID: RequestID.of(request))
        }
        response.headers[text: "X-Content-Type-Options"] = "nosniff"
        response.headers[text: "Cache-Control"] = "no-store"
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request) async throws -> Response {
        guard ["/health", "/ready", "/status", "/metrics"].contains(request.uri.path) else {
            throw Problem.notFound("there are /health, /ready, /status and /metrics")
        }
        guard request.method == .get || request.method == .head else {
            throw Problem(
                405, "method_not_allowed", "The path takes other methods", "this path takes GET, HEAD",
                headers: ["Allow": "GET, HEAD"])
        }
        switch request.uri.path {
        case "/ready":
            let checks = await settings.checks()
            let isReady = checks.allSatisfy(\.isMet)
            let readiness = Readiness(
                status: isReady ? "ready" : "not ready",
                checks: Dictionary(checks.map { ($0.name, $0.isMet ? "ok" : "failing") }) { $1 })
            return try Answer.json(readiness, status: isReady ? 200 : 503)
        case "/metrics":
            return Answer.bytes(
                Array(await settings.metrics().utf8), type: "text/plain; version=0.0.4; charset=utf-8")
        case "/status":
            let workers = await settings.workers()
            return try Answer.json(
                Status(
                    totalWorkers: workers.count, activeWorkers: workers.count(where: \.isRunning),
                    totalActiveJobs: workers.reduce(0) { $0 + $1.activeJobs }, uptime: uptime, workers: workers))
        default:
            let workers = await settings.workers()
            return try Answer.json(
                Health(
                    timestamp: settings.now().formatted(Self.milliseconds), uptime: uptime, workers: workers.count,
                    activeWorkers: workers.count(where: \.isRunning),
                    totalActiveJobs: workers.reduce(0) { $0 + $1.activeJobs }))
        }
    }

    private var uptime: Int { Int(settings.now().timeIntervalSince(settings.startedAt) * 1000) }

    /// `2026-03-01T12:00:00.000Z`
    private static let milliseconds = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
