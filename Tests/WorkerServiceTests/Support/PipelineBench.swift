import Foundation
import JobQueue
import Locking
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// What pipelines answer, as an app reads it.
struct PipelineAnswer: Decodable, Sendable {
    struct Output: Decodable, Sendable {
        var key: String?
        var size: Int64
    }
    struct Speech: Decodable, Sendable {
        var engine: String?
        var language: String?
        var words: Int
        var translation: Translation?

        struct Translation: Decodable, Sendable {
            struct Usage: Decodable, Sendable { var requests: Int }
            var engine: String
            var usage: Usage
        }
    }
    struct Sidecar: Decodable, Sendable {
        var format: String
        var output: Output
    }
    struct Loudness: Decodable, Sendable {
        var before: Double?
        var after: Double?
    }
    var key: String
    var duration: Double
    var streams: [JobResult.Stream]
    var speech: Speech?
    var transcript: String?
    var sidecars: [Sidecar]?
    var thumbnail: Output?
    var callLoudness: Loudness?
}

/// A store that refuses what the test says by the attempt, and a worker that tries again whatever the reason was.
final class StubbornStore: JobMiddleware {
    private struct TryAgain: Error, CustomStringConvertible { var description: String }

    private let attempt = Locked(1)
    private let refused: [String]

    /// - Parameter refused: endings of keys that cannot be written, by the attempt from the first.
    init(refusing refused: [String]) { self.refused = refused }

    @Sendable func fault(_ request: S3Request) -> S3Fault? {
        let attempt = attempt.withLock { $0 }
        guard refused.indices.contains(attempt - 1), request.key.hasSuffix(refused[attempt - 1]),
            [.put, .createUpload, .uploadPart].contains(request.operation)
        else { return nil }
        return .status(403, code: "AccessDenied")
    }

    func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
        attempt.withLock { $0 = job.attempt }
        do { return try await next() } catch { throw TryAgain(description: "\(error)") }
    }
}

extension ServiceBench {
    func answer(_ id: JobID) async throws -> PipelineAnswer {
        do {
            return try await queue.wait(for: id, as: PipelineAnswer.self, timeout: .seconds(120))
        } catch {
            throw BenchFailure("\(error)\n\(server.refusals)")
        }
    }

    /// The durable steps of a job with the attempts that finished them: "probe 1, render 2".
    func steps(_ id: JobID) async throws -> String {
        try await sql(
            """
            SELECT string_agg(name || ' ' || attempt || CASE status WHEN 'succeeded' THEN '' ELSE ' ' || status END,
                ', ' ORDER BY seq) FROM kiln.pipeline_steps WHERE job = '\(id.uuidString)'
            """)
    }

    /// An object decoded, with pictures as they are.
    func film(_ key: String) throws -> DecodedMedia {
        let bytes = try #require(server.bytes(key)), scratch = try Scratch()
        let path = try scratch.put("film", bytes)
        return try withExtendedLifetime(scratch) { try DecodedMedia(path: path, pictureWidth: 4096) }
    }

    func text(_ key: String?) -> String { String(decoding: server.bytes(key ?? "") ?? [], as: UTF8.self) }
}
