import Foundation
import Logging

/// A job as a claim handed it out.
final class ClaimedJob: Sendable {
    let id: UUID
    /// What every write about it must show.
    let token: Int64
    let kind: String
    let queue: String
    let priority: Int
    let payload: PostgresJSON
    let attempt: Int
    let maxAttempts: Int
    let timeout: Duration?
    let weight: JobWeight
    let workflow: UUID?
    let node: String?
    let hasParents: Bool
    let crashes: Int
    /// It was claimed to run alone, by a worker that had nothing else.
    let isAlone: Bool
    /// It was claimed before there was room for it.
    let isHeld: Bool
    let runAt: Date
    let createdAt: Date
    let createdBy: String
    let metadata: PostgresJSON?
    let checkpoint: PostgresJSON?
    /// It must run alone, as a worker died while it and others ran.
    let isSolo: Bool

    init(_ row: PostgresRow) throws {
        id = try row.decode(0)
        token = try row.decode(1)
        kind = try row.decode(2)
        queue = try row.decode(3)
        priority = try row.decode(4)
        payload = try row.decode(5)
        attempt = try row.decode(6)
        maxAttempts = try row.decode(7)
        timeout = try row.decode(8)
        weight = JobWeight(cores: try row.decode(9), memory: try row.decode(10))
        workflow = try row.decode(11)
        node = try row.decode(12)
        hasParents = try row.decode(13)
        crashes = try row.decode(14)
        isAlone = try row.decode(15)
        isHeld = try row.decode(16)
        runAt = try row.decode(17)
        createdAt = try row.decode(18)
        createdBy = try row.decode(19)
        metadata = try row.decode(20)
        checkpoint = try row.decode(21)
        isSolo = try row.decode(23)
    }

    var logMetadata: Logger.Metadata { ["job": "\(id.uuidString.lowercased())", "kind": "\(kind)"] }
    var event: WorkerEvent.Attempt { WorkerEvent.Attempt(job: id, kind: kind, queue: queue, attempt: attempt) }
}

/// How an attempt is written down.
struct FinishedAttempt: Sendable {
    enum Write: Sendable {
        case complete(PostgresJSON?)
        case fail(error: PostgresJSON, message: String, log: [String], delay: Duration, permanent: Bool)
        case cancelled(reason: String, log: [String])
        case snooze(until: Date, reason: String?)
        case release(reason: String?)
    }

    let job: ClaimedJob
    var write: Write
    /// How long the handler ran; 0 if it never did.
    var seconds: Double
    /// Progress that nobody has written yet.
    var progress: JobProgress?

    var result: PostgresJSON? {
        if case .complete(let result) = write { result } else { nil }
    }
    var isComplete: Bool {
        if case .complete = write { true } else { false }
    }
}
