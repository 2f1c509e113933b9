public import Foundation

extension QueueClient {
    /// Enqueues a job.
    ///
    /// - Parameter payload: anything that can be JSON; a ``RawJSON`` is taken as it is.
    /// - Returns: its id; or that of the job that has its unique key.
    /// - Throws: `badRequest`, `notFound` for a parent that is not there, and as every call.
    @discardableResult
    public func enqueue<P: Encodable & Sendable>(
        _ kind: String, _ payload: P = JSONValue.object([:]), options: EnqueueOptions = EnqueueOptions()
    ) async throws -> JobID {
        try await run(enqueueStatement(kind, payload, options)).one()
    }

    /// Enqueues a job on a libpq connection of the caller's: in the transaction that is open there, it becomes
    /// visible when that commits, and never if it rolls back.
    ///
    /// - Parameter connection: a `PGconn *` with no command under way. Nobody may use it until this returns.
    /// - Throws: as `enqueue`. An error of the server leaves the transaction failed, as any error does.
    @discardableResult
    public func enqueue<P: Encodable & Sendable>(
        _ kind: String, _ payload: P = JSONValue.object([:]), options: EnqueueOptions = EnqueueOptions(),
        on connection: OpaquePointer, isolation: isolated (any Actor)? = #isolation
    ) async throws -> JobID {
        try await run(enqueueStatement(kind, payload, options), on: connection, isolation: isolation).one()
    }

    /// Enqueues jobs, in batches of 1,000 and in one transaction: all of them, or none.
    ///
    /// - Returns: their ids, in their order; for one whose unique key is taken, that of the job that has it.
    /// - Throws: as `enqueue`, naming the job by its number from 1.
    @discardableResult
    public func enqueueMany(_ jobs: [NewJob]) async throws -> [JobID] {
        let batches = try manyStatements(jobs)
        return try await explaining {
            try await pool.withConnection { connection in
                guard batches.count > 1 else { return try await Self.ids(batches, on: connection) }
                return try await connection.withTransaction { try await Self.ids(batches, on: $0) }
            }
        }
    }

    /// Enqueues jobs on a libpq connection of the caller's; see `enqueue`.
    @discardableResult
    public func enqueueMany(
        _ jobs: [NewJob], on connection: OpaquePointer, isolation: isolated (any Actor)? = #isolation
    ) async throws -> [JobID] {
        let batches = try manyStatements(jobs)
        return try await explaining {
            try await PostgresConnection.withExternalConnection(connection, logger: logger) {
                try await Self.ids(batches, on: $0)
            }
        }
    }

    /// Enqueues a workflow.
    ///
    /// - Throws: `badRequest` for a cycle, which it names; `notFound` for the name of a job that is not in it.
    @discardableResult
    public func enqueueWorkflow(_ workflow: WorkflowRequest) async throws -> EnqueuedWorkflow {
        try Self.workflow(try await run(workflowStatement(workflow)))
    }

    /// Enqueues a workflow that is JSON already, as the SQL function `enqueue_workflow` takes it.
    ///
    /// - Throws: as above.
    @discardableResult
    public func enqueueWorkflow(_ workflow: RawJSON) async throws -> EnqueuedWorkflow {
        try Self.workflow(try await run("SELECT \(schema).enqueue_workflow($1)", [PostgresJSON(workflow.bytes)]))
    }

    /// Enqueues a workflow on a libpq connection of the caller's; see `enqueue`.
    @discardableResult
    public func enqueueWorkflow(
        _ workflow: WorkflowRequest, on connection: OpaquePointer, isolation: isolated (any Actor)? = #isolation
    ) async throws -> EnqueuedWorkflow {
        try Self.workflow(try await run(workflowStatement(workflow), on: connection, isolation: isolation))
    }

    // MARK: Statements

    func enqueueStatement(
        _ kind: String, _ payload: some Encodable, _ options: EnqueueOptions
    ) throws(QueueError) -> PostgresStatement {
        let texts = [
            ("kind", kind), ("queue", options.queue), ("unique_key", options.unique?.key),
            ("concurrency_key", options.concurrencyKey),
        ]
        for (name, text) in texts where text?.utf8.contains(0) == true { throw .nul(in: name) }
        let payload = try RawJSON(encoding: payload, of: "the payload")
        var metadata: PostgresJSON?
        if let given = options.metadata { metadata = PostgresJSON(try RawJSON(encoding: given, of: "metadata").bytes) }
        return PostgresStatement(
            """
            SELECT \(schema).enqueue(kind => $1, payload => $2, queue => $3, priority => $4, run_at => $5,
                max_attempts => $6, timeout => $7, unique_key => $8, unique_scope => $9, unique_period => $10,
                on_duplicate => $11, concurrency_key => $12, depends_on => $13, on_parent_failure => $14,
                workflow => $15, cores => $16, memory => $17, metadata => $18)
            """,
            [
                kind, PostgresJSON(payload.bytes), options.queue, options.priority, options.runAt,
                options.maxAttempts, options.timeout, options.unique?.key, options.unique?.scopeName,
                options.unique?.period, options.unique?.onDuplicate.rawValue, options.concurrencyKey,
                options.dependsOn.isEmpty ? nil : options.dependsOn, options.onParentFailure?.rawValue,
                options.workflow, options.cores, options.memory, metadata,
            ], name: "kiln_enqueue")
    }

    private func manyStatements(_ jobs: [NewJob]) throws(QueueError) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        for start in stride(from: 0, to: jobs.count, by: 1000) {
            let batch = jobs[start..<min(start + 1000, jobs.count)]
            statements.append(
                PostgresStatement(
                    "SELECT * FROM \(schema).enqueue_many($1)", [try JobText.array(batch, first: start + 1)],
                    name: "kiln_enqueue_many"))
        }
        return statements
    }

    private static func ids(_ batches: [PostgresStatement], on connection: PostgresConnection) async throws -> [JobID] {
        var ids: [JobID] = []
        for batch in batches {
            for row in try await connection.query(batch) { ids.append(try row.decode(0)) }
        }
        return ids
    }

    func workflowStatement(_ workflow: WorkflowRequest) throws(QueueError) -> PostgresStatement {
        PostgresStatement("SELECT \(schema).enqueue_workflow($1)", [try JobText.workflow(workflow)])
    }

    static func workflow(_ rows: PostgresRows) throws -> EnqueuedWorkflow {
        struct Answer: Decodable {
            var workflow: UUID
            var jobs: [String: JobID]
        }
        let answer: Answer = try decode(rows.one())
        return EnqueuedWorkflow(id: answer.workflow, jobs: answer.jobs)
    }
}
