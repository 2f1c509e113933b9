import Foundation
import JobQueue
import Logging

/// The life of a worker process.
package enum ChaosWorker {
    /// Serves all kinds until the process that started this one is gone.
    package static func run(_ settings: WorkerSettings) async throws {
        endWithStandardInput()
        // Crashing is what some jobs are for: no core files.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let logger = Logger(label: settings.name)
        let worker = try QueueWorker(
            settings.url,
            options: WorkerOptions(
                name: settings.name, slots: settings.slots, lease: .seconds(settings.lease), grace: .seconds(2),
                cancellationGrace: .seconds(1)),
            logger: logger)
        let records = Records(
            pool: PostgresPool(
                try PostgresSettings(settings.recordURL), options: .init(size: 2, acquireTimeout: .seconds(2)),
                logger: Logger(label: "records") { _ in SwiftLogNoOpLogHandler() }))
        register(on: worker, records)
        let events = worker.events
        let notes = Task {
            for await event in events { await records.note(event) }
        }
        try await worker.run()
        notes.cancel()
    }

    /// Reads until the other end of the pipe is closed, by whatever end of the orchestrator.
    private static func endWithStandardInput() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(0, &byte, 1) > 0 {}
            _exit(0)
        }
    }

    private static func register(on worker: QueueWorker, _ records: Records) {
        func register(_ kind: ChaosKind, _ body: @escaping @Sendable (Job<Work>) async throws -> Void) {
            // Attempts cost nothing when a worker dies; they do when the database is away in the middle.
            let options = KindOptions(
                retry: RetryPolicy(maxAttempts: 1000, base: .milliseconds(100), cap: .seconds(1)))
            worker.register(kind.rawValue, options) { (job: Job<Work>) in
                try await body(job)
                return Outcome(token: job.context.token)
            }
        }
        register(.noop) { _ in }
        for kind in [ChaosKind.write, .node, .limited, .keyed, .rated, .unique] {
            register(kind) { job in
                try await records.around(job) { try await Task.sleep(for: .milliseconds(job.payload.milliseconds)) }
            }
        }
        register(.spin) { job in
            try await records.around(job) {
                let end = ContinuousClock.now + .milliseconds(job.payload.milliseconds)
                while ContinuousClock.now < end {}
            }
        }
        register(.deaf) { job in
            try await records.around(job, isDeaf: true) { await wait(.milliseconds(job.payload.milliseconds)) }
        }
        register(.steps) { job in
            for name in ["one", "two", "three"] {
                try await job.step(name) {
                    try await records.ran(name, of: job)
                    try await Task.sleep(for: .milliseconds(job.payload.milliseconds))
                }
            }
        }
        register(.poison) { _ in abort() }
    }

    /// Waits whether the task is cancelled or not.
    private static func wait(_ duration: Duration) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + duration / .seconds(1)) { continuation.resume() }
        }
    }
}

/// What handlers and workers write down for the orchestrator to count.
struct Records: Sendable {
    let pool: PostgresPool
    private var pid: Int { Int(ProcessInfo.processInfo.processIdentifier) }

    init(pool: PostgresPool) { self.pool = pool }

    /// Writes down the beginning and the end of `body`.
    ///
    /// - Parameter isDeaf: also the end of what was cancelled.
    func around(_ job: Job<Work>, isDeaf: Bool = false, _ body: () async throws -> Void) async throws {
        let (token, id) = (job.context.token, job.id)
        try await query("INSERT INTO chaos.execution (token, job, pid) VALUES ($1, $2, $3)", [token, id, pid])
        try await body()
        let end = Task {
            try await query("UPDATE chaos.execution SET ended = clock_timestamp() WHERE token = $1", [token])
        }
        if isDeaf { _ = await end.result } else { try await end.value }
    }

    func ran(_ step: String, of job: Job<Work>) async throws {
        try await query(
            "INSERT INTO chaos.step_run (job, name, token) VALUES ($1, $2, $3)", [job.id, step, job.context.token])
    }

    func note(_ event: WorkerEvent) async {
        let (what, detail): (String, String)
        switch event {
        case .refused(let attempt): (what, detail) = ("refused", attempt.kind)
        case .abandoned(let attempt): (what, detail) = ("abandoned", attempt.kind)
        case .leaseLost(_, let reason): (what, detail) = ("lease lost", reason)
        case .rescued(let count): (what, detail) = ("rescued", "\(count)")
        default: return
        }
        try? await query("INSERT INTO chaos.note (what, pid, detail) VALUES ($1, $2, $3)", [what, pid, detail])
    }

    private func query(_ sql: String, _ parameters: [(any PostgresEncodable)?]) async throws {
        _ = try await pool.retrying(for: .seconds(20)) {
            try await pool.withConnection { try await $0.query(sql, parameters, timeout: .seconds(5)) }
        }
    }
}
