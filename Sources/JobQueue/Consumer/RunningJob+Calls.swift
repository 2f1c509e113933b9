public import Foundation

extension RunningJob {
    /// Tells how far the job is. Returns at once; what is reported often is written about once a second.
    ///
    /// - Parameter fraction: from 0 to 1.
    public func progress(_ fraction: Double, phase: String? = nil, message: String? = nil) {
        context.report(JobProgress(fraction: fraction, phase: phase, message: message))
    }

    /// Tells how far the job is, and more.
    ///
    /// - Parameters:
    ///   - fraction: from 0 to 1.
    ///   - details: anything, for those who follow the job. What cannot be encoded is left out.
    public func progress(
        _ fraction: Double, phase: String? = nil, message: String? = nil, details: some Encodable
    ) {
        let bytes = try? JSONEncoder().encode(details)
        context.report(JobProgress(fraction: fraction, phase: phase, message: message, details: bytes))
    }

    /// Stores what the next attempt needs to go on from here; it replaces the one before. Returns when it is written.
    ///
    /// - Throws: `leaseLost`; the encoder's error.
    public func saveCheckpoint(_ value: some Encodable) async throws {
        let (job, session) = (context.job, context.session)
        let report = context.lastProgress ?? JobProgress(fraction: 0)
        let json = report.json(of: job, checkpoint: try PostgresJSON(encoding: value))
        let rows = try await session.query(session.statements.progress([json]))
        guard !rows.isEmpty else { throw context.fenced }
    }

    /// The checkpoint that an earlier attempt left, or nil.
    ///
    /// - Throws: the decoder's error.
    public func checkpoint<C: Decodable>(as type: C.Type = C.self) throws -> C? {
        try context.job.checkpoint?.decode(type)
    }

    /// Asks for more (or less) of the worker than the job has, nil for as before. Waits until it is free; the job keeps
    /// what it has meanwhile. When it cannot be had here, this throws, and the job is handed back at no cost once the
    /// handler has thrown it on.
    ///
    /// - Parameters:
    ///   - cores: CPU cores in all.
    ///   - memory: bytes in all.
    /// - Throws: `leaseLost`, `badRequest` while another call waits, `CancellationError`.
    public func raise(cores: Double? = nil, memory: Int64? = nil) async throws {
        try await context.session.raise(context, cores: cores, memory: memory)
    }

    /// Enqueues a job into this one's workflow (or another that `options` names), in the name of whoever enqueued this
    /// one.
    ///
    /// - Parameters:
    ///   - payload: anything that can be JSON; a ``RawJSON`` is taken as it is.
    ///   - node: its name in the workflow.
    /// - Returns: its id; or that of the job that has its unique key.
    /// - Throws: `leaseLost`; `badRequest`, `notFound` and the like, as ``QueueClient/enqueue(_:_:options:)``.
    @discardableResult
    public func spawn(
        _ kind: String, _ payload: some Encodable & Sendable, options: EnqueueOptions = EnqueueOptions(),
        node: String? = nil
    ) async throws -> JobID {
        let session = context.session
        let request = try JobText.spawned(NewJob(kind, payload, options), node: node)
        // Not repeated when the connection breaks: it might be there twice.
        let rows = try await session.pool.withConnection { connection in
            try await connection.query(session.statements.spawn(from: context.job, request))
        }
        guard let row = rows.first else { throw QueueError(.internal, "worker_spawn returned no id") }
        return try row.decode(0)
    }

    /// The results of the jobs that this one depends on, by their name in the workflow, or id if they have none.
    /// Those that did not succeed, or have no result, are left out.
    ///
    /// - Throws: the decoder's error.
    public func parentResults<P: Decodable>(as type: P.Type = P.self) async throws -> [String: P] {
        let session = context.session
        let rows = try await session.query(session.statements.parents(of: context.job))
        var results: [String: P] = [:]
        for row in rows {
            let result = try row.decode("result", as: PostgresJSON?.self)
            guard let result else { continue }
            let node = try row.decode("node", as: String?.self)
            let name = try node ?? row.decode("parent", as: UUID.self).uuidString.lowercased()
            results[name] = try result.decode(type)
        }
        return results
    }
}
