public import Foundation

extension QueueClient {
    /// Everything about a job; nil if there is none of that id (any more).
    ///
    /// - Throws: `permission` if it belongs to another role, and this one may not look at it.
    public func job(_ id: JobID) async throws -> JobInfo? {
        let rows = try await run(
            PostgresStatement(
                Self.jobColumns(of: "\(schema).job($1) AS j"), [id], name: "kiln_job"))
        guard let row = rows.first else { return nil }
        return try Self.job(row)
    }

    /// Lists jobs, newest first: without payload, result, metadata, progress and steps, which `job(_:)` tells.
    ///
    /// - Throws: `permission` unless the role may read all jobs (kiln_reader, kiln_worker, the schema's owner).
    public func jobs(_ filter: JobFilter = JobFilter()) async throws -> [JobInfo] {
        var conditions: [String] = []
        var parameters: [(any PostgresEncodable)?] = []
        func add(_ column: String, _ value: (any PostgresEncodable)?) {
            guard let value else { return }
            parameters.append(value)
            conditions.append("\(column) = $\(parameters.count)")
        }
        add("kind", filter.kind)
        add("queue", filter.queue)
        add("workflow", filter.workflow)
        if let before = filter.before {
            parameters.append(before)
            conditions.append("id < $\(parameters.count)")
        }
        if !filter.states.isEmpty {
            // As literals, for the planner to leave out the partitions of other outcomes.
            let names = filter.states.map(\.rawValue.quotedLiteral).sorted().joined(separator: ", ")
            conditions.append("state IN (\(names))")
        }
        parameters.append(min(max(filter.limit, 0), 10_000))
        return try await values(
            """
            SELECT to_jsonb(r) - 'timeout' || jsonb_build_object('timeout_seconds', extract(epoch FROM r.timeout))
            FROM (
                SELECT id, kind, queue, state, priority, run_at, attempt, max_attempts, timeout, cores, memory,
                    concurrency_key, unique_key, workflow, node, worker, claimed_at, started_at, finished_at, seconds,
                    crashes, cancel_requested_at, cancel_reason, errors, created_at, created_by, changed_at, changed_by,
                    reason
                FROM \(schema).jobs \(conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "))
                ORDER BY id DESC LIMIT $\(parameters.count)) AS r
            """, parameters)
    }

    /// Cancels a job: at once if it waits, by way of its worker if it runs.
    ///
    /// - Throws: `notFound`, `permission`.
    @discardableResult
    public func cancel(_ id: JobID, reason: String? = nil) async throws -> CancelOutcome {
        let outcome: String = try await value("SELECT \(schema).cancel($1, $2)", [id, reason])
        switch outcome {
        case "cancelling": return .cancelling
        // Also where it had been before: the caller has what it wants.
        case "cancelled": return .cancelled
        default:
            guard let state = JobState(rawValue: outcome) else { throw Self.unknown(outcome) }
            return .finished(state)
        }
    }

    /// Runs a dead or cancelled job again with fresh attempts; one that waits for its time or its next attempt, now.
    ///
    /// - Returns: its state then.
    /// - Throws: `notFound`, `permission`; `badRequest` if it has succeeded, or a parent of it must be retried first.
    @discardableResult
    public func retry(_ id: JobID) async throws -> JobState {
        let outcome: String = try await value("SELECT \(schema).retry($1)", [id])
        guard let state = JobState(rawValue: outcome) else { throw Self.unknown(outcome) }
        return state
    }

    // MARK: Dead letters

    /// Dead jobs that the role may read, newest first.
    public func deadJobs(kind: String? = nil, limit: Int = 100) async throws -> [JobInfo] {
        let rows = try await run(Self.jobColumns(of: "\(schema).dead($1, $2) AS j"), [kind, limit])
        return try rows.compactMap(Self.job)
    }

    /// Runs dead jobs again, oldest first: all that the role may change, or those of a kind.
    ///
    /// - Returns: how many.
    @discardableResult
    public func retryDead(kind: String? = nil, limit: Int = 10_000) async throws -> Int {
        try await value("SELECT \(schema).retry_dead($1, $2)", [kind, limit])
    }

    /// Deletes dead jobs, but for those whose children still need them.
    ///
    /// - Parameter before: only what died before.
    /// - Returns: how many.
    @discardableResult
    public func purgeDead(kind: String? = nil, before: Date? = nil) async throws -> Int {
        try await value("SELECT \(schema).purge_dead($1, $2)", [kind, before])
    }

    // MARK: Reading

    /// The payload and its like come apart from the rest, as the bytes they are.
    private static func jobColumns(of source: String) -> String {
        """
        SELECT (j - '{payload,result,metadata,timeout}'::text[]) || jsonb_build_object(
                'timeout_seconds', extract(epoch FROM (j ->> 'timeout')::interval)),
            j -> 'payload', j -> 'result', j -> 'metadata'
        FROM \(source)
        """
    }

    private static func job(_ row: PostgresRow) throws -> JobInfo? {
        guard let json: PostgresJSON = try row.decode(0, as: PostgresJSON?.self) else { return nil }
        var job: JobInfo = try decode(json)
        job.payload = try row.decode(1, as: PostgresJSON?.self).map { RawJSON($0.bytes) }
        let result = try row.decode(2, as: PostgresJSON?.self).map { RawJSON($0.bytes) }
        job.result = job.state == .succeeded ? result ?? RawJSON("null") : nil
        job.metadata = try row.decode(3, as: PostgresJSON?.self).map { RawJSON($0.bytes) }
        if job.metadata?.isNull == true { job.metadata = nil }
        return job
    }

    private static func unknown(_ state: String) -> QueueError {
        QueueError(
            .badRow, "the state \(state.debugDescription) is not known to this library",
            hint: "the schema and this library may be of different versions")
    }
}
