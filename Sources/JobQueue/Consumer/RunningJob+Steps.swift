import Foundation

/// Above this many bytes a step's result goes to ``StepArtifacts``, where there is one.
private let artifactThreshold = 64 << 10
/// Above this many it does not go into a row.
private let largestRow = 1 << 20

extension RunningJob {
    /// Runs `body` once over all attempts of the job: its result is stored, and later attempts get it without
    /// running it again. A step that threw runs again; one that threw `JobError.snooze` has not failed meanwhile.
    ///
    /// - Parameter name: unique within the job.
    /// - Throws: what `body` throws; `leaseLost`; `badRequest` for a result that is too large; the decoder's error when a stored
    ///   result is not an `R`.
    public func step<R: Codable & Sendable>(_ name: String, _ body: () async throws -> R) async throws -> R {
        if let bytes = try await stored(name) { return try JSONDecoder().decode(R.self, from: bytes) }
        return try await running(name) {
            let result = try await body()
            return (result, try JSONEncoder().encode(result))
        }
    }

    /// Runs `body`, which has no result, once over all attempts of the job.
    ///
    /// - Throws: what `body` throws; `leaseLost`.
    public func step(_ name: String, _ body: () async throws -> Void) async throws {
        if try await stored(name) != nil { return }
        try await running(name) {
            try await body()
            return ((), Data("null".utf8))
        }
    }

    /// Begins the step, unless its result is there.
    private func stored(_ name: String) async throws -> Data? {
        let (job, session) = (context.job, context.session)
        let rows = try await session.query(session.statements.beginStep(job, name, metadata: nil))
        guard let row = rows.first, try row.decode(0, as: Bool.self) else { throw context.fenced }
        guard try row.decode(1, as: String.self) == "succeeded" else { return nil }
        if let reference = try row.decode(3, as: String?.self) {
            guard let artifacts = session.options.artifacts else {
                throw QueueError(
                    .badRequest,
                    "step \(name.debugDescription) keeps its result in an artifact, and the worker has no store",
                    hint: "set WorkerOptions.artifacts")
            }
            return try await artifacts.load(reference)
        }
        return try row.decode(2, as: PostgresJSON?.self)?.bytes ?? Data("null".utf8)
    }

    private func running<R>(_ name: String, _ body: () async throws -> (R, Data)) async throws -> R {
        let (job, session) = (context.job, context.session)
        do {
            let (result, bytes) = try await body()
            var statement = session.statements.finishStep(job, name, result: PostgresJSON(bytes))
            if bytes.count > artifactThreshold, let artifacts = session.options.artifacts {
                let reference = try await artifacts.store(bytes, job: job.id, step: name)
                statement = session.statements.finishStep(job, name, artifact: reference)
            } else if bytes.count > largestRow {
                throw QueueError(
                    .badRequest,
                    "step \(name.debugDescription) has a result of \(bytes.count) bytes, more than a row may hold",
                    hint: "set WorkerOptions.artifacts, or store it elsewhere and return where")
            }
            let rows = try await session.query(statement)
            guard let row = rows.first, try row.decode(0, as: Bool.self) else { throw context.fenced }
            return result
        } catch JobError.snooze(let until) {
            // It has not failed: it goes on when the job runs again.
            throw JobError.snooze(until: until)
        } catch {
            let failure = session.statements.finishStep(job, name, error: error.attemptJSON(code: "error"))
            // Its failure is the job's, whether it could be written or not.
            _ = try? await session.pool.withConnection { try await $0.query(failure, timeout: .seconds(2)) }
            throw error
        }
    }
}
