public import Foundation

extension QueueClient {
    // MARK: Queues

    /// Every queue that has or had jobs, or limits.
    public func queues() async throws -> [QueueInfo] {
        try await values(
            """
            SELECT to_jsonb(q) - 'rate_interval'
                || jsonb_build_object('rate_interval_seconds', extract(epoch FROM q.rate_interval))
            FROM \(schema).queues AS q ORDER BY q.queue
            """)
    }

    /// Sets all limits of a queue; those that are nil are lifted.
    public func setQueue(_ name: String, _ limits: QueueLimits) async throws {
        _ = try await run(
            """
            SELECT \(schema).set_queue(name => $1, concurrency => $2, worker_concurrency => $3, key_concurrency => $4,
                rate_limit => $5, rate_interval => $6)
            """,
            [
                name, limits.concurrency, limits.workerConcurrency, limits.keyConcurrency, limits.rate?.limit,
                limits.rate?.interval,
            ])
    }

    /// Keeps workers from starting jobs of a queue; those that run go on.
    public func pause(_ queue: String) async throws { _ = try await run("SELECT \(schema).pause($1)", [queue]) }

    /// Undoes `pause`.
    public func resume(_ queue: String) async throws { _ = try await run("SELECT \(schema).resume($1)", [queue]) }

    // MARK: Workers and health

    /// The workers of the last day, those alive first.
    public func workers() async throws -> [WorkerInfo] {
        try await values(
            """
            SELECT to_jsonb(w) FROM \(schema).workers AS w
            ORDER BY w.state NOT IN ('alive', 'draining'), w.name, w.started_at, w.id
            """)
    }

    /// What the queue as a whole is like.
    public func health() async throws -> HealthInfo {
        let found: [HealthInfo] = try await values(
            """
            SELECT to_jsonb(h) - '{oldest_ready,oldest_transaction}'::text[] || jsonb_build_object(
                'oldest_ready_seconds', extract(epoch FROM h.oldest_ready),
                'oldest_transaction_seconds', extract(epoch FROM h.oldest_transaction))
            FROM \(schema).health AS h
            """)
        guard let health = found.first else { throw QueueError(.badRow, "the view health is empty") }
        return health
    }

    // MARK: Schedules

    /// All schedules that the role may see, by name.
    public func schedules() async throws -> [ScheduleInfo] {
        var schedules: [ScheduleInfo] = try await values(
            "SELECT to_jsonb(s) FROM \(schema).schedule AS s ORDER BY s.name")
        // A worker writes the next tick down when it first sees a schedule.
        for (index, schedule) in schedules.enumerated() {
            if schedule.paused {
                schedules[index].nextTick = nil
            } else if schedule.nextTick == nil {
                let cron = try? CronSchedule(schedule.cron, timeZone: schedule.timezone)
                schedules[index].nextTick = cron?.next(after: max(schedule.lastTick ?? .distantPast, .now))
            }
        }
        return schedules
    }

    /// Makes a schedule, or changes the one of that name: at each tick a job is enqueued, by whichever worker is first.
    ///
    /// - Parameters:
    ///   - cron: five fields, or six with seconds first, or `@daily` and the like.
    ///   - timezone: a name such as `Europe/Berlin`.
    ///   - options: all but `runAt`, `dependsOn`, `onParentFailure` and `workflow`.
    ///   - missed: what becomes of ticks that came while no worker was there.
    /// - Throws: `badRequest`, `permission` for the schedule of another role.
    public func schedule<P: Encodable & Sendable>(
        _ name: String, cron: String, timezone: String = "UTC", kind: String, payload: P = JSONValue.object([:]),
        options: EnqueueOptions = EnqueueOptions(), missed: MissedTicks = .last, paused: Bool = false
    ) async throws {
        // What the queue's workers will make of it, with its own words.
        do {
            _ = try CronSchedule(cron, timeZone: timezone)
        } catch {
            throw QueueError(.badRequest, "schedule \(name.debugDescription): \(error)", cause: error)
        }
        _ = try await run(
            """
            SELECT \(schema).schedule(name => $1, cron => $2, timezone => $3, kind => $4, payload => $5, options => $6,
                missed => $7, paused => $8)
            """,
            [
                name, cron, timezone, kind, PostgresJSON(try RawJSON(encoding: payload, of: "the payload").bytes),
                try JobText.options(options), missed.rawValue, paused,
            ])
    }

    /// Removes a schedule.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public func unschedule(_ name: String) async throws -> Bool {
        try await value("SELECT \(schema).unschedule($1)", [name])
    }

    // MARK: Workflows

    /// Lists workflows, newest first.
    ///
    /// - Parameter limit: at most so many, up to 10,000.
    /// - Throws: `permission` unless the role may read all (kiln_reader, kiln_worker, the schema's owner).
    public func workflows(limit: Int = 100) async throws -> [WorkflowInfo] {
        try await values(
            """
            SELECT to_jsonb(p) - 'workflow' || jsonb_build_object('id', p.workflow)
            FROM \(schema).pipeline_runs AS p ORDER BY p.workflow DESC LIMIT $1
            """, [min(max(limit, 0), 10_000)])
    }

    /// The jobs of a workflow in the order in which they can run: parents before children.
    ///
    /// - Throws: `notFound`; `permission` if it belongs to another role.
    public func workflowNodes(_ id: UUID) async throws -> [WorkflowNode] {
        try await values("SELECT to_jsonb(n) FROM \(schema).workflow_nodes($1) AS n", [id])
    }

    /// How far a workflow has come; nil if there is none of that id. Its jobs: `jobs(JobFilter(workflow: id))`.
    public func workflow(_ id: UUID) async throws -> WorkflowInfo? {
        let rows = try await run(
            "SELECT w - 'workflow' || jsonb_build_object('id', w -> 'workflow') FROM \(schema).workflow($1) AS w", [id])
        guard let json: PostgresJSON = try rows.one(as: PostgresJSON?.self) else { return nil }
        return try Self.decode(json)
    }

    /// Cancels every unfinished job of a workflow.
    ///
    /// - Returns: how many were cancelled or told to stop.
    @discardableResult
    public func cancelWorkflow(_ id: UUID, reason: String? = nil) async throws -> Int {
        try await value("SELECT \(schema).cancel_workflow($1, $2)", [id, reason])
    }

    /// Runs the dead and cancelled jobs of a workflow again; what succeeded keeps its result.
    ///
    /// - Returns: how many.
    @discardableResult
    public func retryWorkflow(_ id: UUID) async throws -> Int {
        try await value("SELECT \(schema).retry_workflow($1)", [id])
    }
}
