extension QueueClient {
    /// Lends a connection of the client's to `body`, for statements of its caller's own.
    ///
    /// - Throws: as every call; whatever `body` throws.
    package func withConnection<R: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await explaining { try await pool.withConnection { try await body($0) } }
    }

    /// The same, with a transaction open: committed when `body` returns, rolled back when it throws. What is enqueued
    /// on the connection happens together with the caller's own statements, or not at all.
    package func withTransaction<R: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await explaining { try await pool.withTransaction { try await body($0) } }
    }

    /// Enqueues a job on a connection of the client's; see `withTransaction`.
    package func enqueue(_ job: NewJob, on connection: PostgresConnection) async throws -> JobID {
        try await explaining {
            try await connection.query(try enqueueStatement(job.kind, job.payload, job.options)).one()
        }
    }

    /// Enqueues a workflow on a connection of the client's; see `withTransaction`.
    package func enqueueWorkflow(
        _ workflow: WorkflowRequest, on connection: PostgresConnection
    ) async throws -> EnqueuedWorkflow {
        try await explaining { try Self.workflow(try await connection.query(try workflowStatement(workflow))) }
    }
}
