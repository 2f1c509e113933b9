import Foundation

/// The calls of the protocol between a worker and the database.
struct WorkerStatements: Sendable {
    let worker: UUID
    /// The schema's name as an SQL identifier.
    private let schema: String
    private let texts: [Text: String]

    private enum Text: CaseIterable {
        case claim, complete, fail, snooze, release, cancelled, start, renew, signals, progress, sleep

        var call: String {
            switch self {
            case .claim: "worker_claim($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            case .complete: "worker_complete($1, $2, $3, $4)"
            case .fail: "worker_fail($1, $2, $3, $4, $5, $6, $7)"
            case .snooze: "worker_snooze($1, $2, $3, $4, $5)"
            case .release: "worker_release($1, $2, $3, $4)"
            case .cancelled: "worker_cancelled($1, $2, $3, $4, $5)"
            case .start: "worker_start($1, $2, $3, $4)"
            case .renew: "worker_renew($1, $2, $3)"
            case .signals: "worker_signals($1)"
            case .progress: "worker_progress($1, $2)"
            case .sleep: "worker_sleep($1, $2)"
            }
        }
    }

    init(worker: UUID, schema: String) {
        self.worker = worker
        self.schema = schema.quotedIdentifier
        let schema = self.schema
        texts = Dictionary(uniqueKeysWithValues: Text.allCases.map { ($0, "SELECT * FROM \(schema).\($0.call)") })
    }

    private func statement(_ text: Text, _ parameters: [(any PostgresEncodable)?]) -> PostgresStatement {
        PostgresStatement(texts[text] ?? "", parameters, name: "kiln_\(text)")
    }

    func claim(
        queues: [String], allowance: [Int], most: Int, free: JobWeight, total: JobWeight, isIdle: Bool
    ) -> PostgresStatement {
        statement(
            .claim,
            [
                worker, queues, allowance, most, free.cores, free.memory, total.cores, total.memory, isIdle,
            ])
    }

    func complete(_ items: [FinishedAttempt]) -> PostgresStatement {
        statement(.complete, [worker, items.map(\.job.id), items.map(\.job.token), items.map(\.result)])
    }

    /// Anything but a success, which goes with others through `complete`.
    func write(_ item: FinishedAttempt) -> PostgresStatement {
        let job = item.job
        switch item.write {
        case .complete: return complete([item])
        case .fail(let error, _, let log, let delay, let permanent):
            let lines = log.isEmpty ? nil : JSONText.strings(log)
            return statement(.fail, [worker, job.id, job.token, error, lines, delay, permanent])
        case .snooze(let until, let reason):
            return statement(.snooze, [worker, job.id, job.token, until, reason])
        case .release(let reason):
            return statement(.release, [worker, [job.id], [job.token], reason])
        case .cancelled(let reason, let log):
            let lines = log.isEmpty ? nil : JSONText.strings(log)
            return statement(.cancelled, [worker, job.id, job.token, reason, lines])
        }
    }

    func release(ids: [UUID], tokens: [Int64], reason: String) -> PostgresStatement {
        statement(.release, [worker, ids, tokens, reason])
    }

    func start(_ job: ClaimedJob, alone: Bool) -> PostgresStatement {
        statement(.start, [worker, [job.id], [job.token], alone])
    }

    /// Without progress, which would make it wait for the locks of jobs.
    func renew(lease: Duration) -> PostgresStatement { statement(.renew, [worker, lease, nil]) }

    /// Makes what follows in the same transaction fail with SQLSTATE 55P03 rather than wait longer for a lock.
    func limitLocks(to limit: Duration) -> PostgresStatement {
        let milliseconds = Int((limit / .milliseconds(1)).rounded(.up))
        return PostgresStatement(
            "SELECT set_config('lock_timeout', $1, true)", ["\(max(1, milliseconds))ms"], name: "kiln_limit_locks")
    }

    var signals: PostgresStatement { statement(.signals, [worker]) }

    func progress(_ items: [PostgresJSON]) -> PostgresStatement {
        statement(.progress, [worker, JSONText.array(items)])
    }

    func sleep(totalMemory: Int64) -> PostgresStatement { statement(.sleep, [worker, totalMemory]) }

    var drain: PostgresStatement { PostgresStatement("SELECT \(schema).worker_drain($1)", [worker]) }
    var leave: PostgresStatement { PostgresStatement("SELECT \(schema).worker_leave($1)", [worker]) }

    /// The jobs that the database believes this worker runs.
    var held: PostgresStatement {
        PostgresStatement(
            "SELECT job, token FROM \(schema).worker_jobs($1)", [worker])
    }

    func register(_ options: WorkerOptions, queues: [String], kinds: PostgresJSON) -> PostgresStatement {
        let process = ProcessInfo.processInfo
        return PostgresStatement(
            "SELECT \(schema).worker_register($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            [
                worker, options.name, process.hostName, Int(process.processIdentifier), jobQueueVersion, queues,
                kinds, options.capacity.cores, options.memory, options.slots, options.lease,
            ])
    }

    func weigh(_ job: ClaimedJob, _ weight: JobWeight) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(schema).worker_weigh($1, $2, $3, $4, $5)",
            [worker, job.id, job.token, weight.cores, weight.memory])
    }

    func parents(of job: ClaimedJob) -> PostgresStatement {
        PostgresStatement("SELECT * FROM \(schema).worker_parents($1)", [job.id])
    }

    func spawn(from job: ClaimedJob, _ jobs: PostgresJSON) -> PostgresStatement {
        PostgresStatement("SELECT * FROM \(schema).worker_spawn($1, $2, $3, $4)", [worker, job.id, job.token, jobs])
    }

    func beginStep(_ job: ClaimedJob, _ name: String, metadata: PostgresJSON?) -> PostgresStatement {
        PostgresStatement(
            "SELECT * FROM \(schema).worker_step_begin($1, $2, $3, $4, $5)",
            [worker, job.id, job.token, name, metadata])
    }

    func finishStep(
        _ job: ClaimedJob, _ name: String, result: PostgresJSON? = nil, artifact: String? = nil,
        error: PostgresJSON? = nil
    ) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(schema).worker_step_finish($1, $2, $3, $4, $5, $6, $7)",
            [worker, job.id, job.token, name, result, artifact, error])
    }
}
