import Foundation
import Locking
public import Logging
public import ServiceLifecycle

/// Takes jobs out of the queue and runs their handlers.
///
/// ```swift
/// let worker = try QueueWorker("postgresql://app@db/app", options: WorkerOptions(slots: 16))
/// worker.register("mail.send") { (job: Job<Mail>) in try await send(job.payload) }
/// try await worker.run()          // or as a service of a ServiceGroup
/// ```
/// At a graceful shutdown it takes no new jobs, lets handlers go on for `options.grace`, then cancels them and hands
/// their jobs back, which costs those no attempt. Cancelling the task of `run` is the same without the grace.
///
/// A worker that could not renew its lease in time cancels its handlers, drops their results, and goes on under a new
/// id. Jobs whose kind has no handler here, but whose queue it serves, are put off for 30 s at no cost, and logged.
///
/// While handlers take less than a few milliseconds, jobs are claimed in advance, up to 128 at a time; one that has not
/// started after half a second is handed back. Thread-safe.
public final class QueueWorker: Service, Sendable {
    private struct State {
        var kinds: [String: RegisteredKind] = [:]
        var middlewares: [any JobMiddleware] = []
        var hasBegun = false
        var stopping: Duration?
        var session: WorkerSession?
    }

    private let settings: PostgresSettings
    private let schema: String
    /// As it was made with.
    public let options: WorkerOptions
    private let logger: Logger
    private let hub = WorkerEvents()
    private let state = Locked(State())
    private let stopSignal = AsyncSignal()

    /// - Parameters:
    ///   - connectionString: as libpq takes it. Straight to the server, or through a pooler in session mode; behind
    ///     one in transaction mode the worker polls.
    /// - Throws: `badConnectionString`, `badRequest` for a schema's name that cannot be one.
    public init(
        _ connectionString: String, schema: String = "kiln", options: WorkerOptions = WorkerOptions(),
        logger: Logger = Logger(label: "kiln.worker")
    ) throws(QueueError) {
        settings = try PostgresSettings(connectionString)
        self.schema = try SchemaNames(schema: schema, rolePrefix: "kiln").schema
        self.options = options
        self.logger = logger
    }

    // MARK: Setting up

    /// Says what runs jobs of a kind. Before `run`.
    ///
    /// - Parameter handler: gets the job with its payload; a payload that cannot be decoded ends the job, with an
    ///   error that names the key. What it returns is stored as the job's result. Errors: see ``JobError``.
    public func register<Payload: Decodable & Sendable, Result: Encodable & Sendable>(
        _ kind: String, _ options: KindOptions = KindOptions(),
        _ handler: @escaping @Sendable (Job<Payload>) async throws -> Result
    ) {
        register(kind, options) { context in
            let result = try await handler(try Self.job(context))
            return try JSONEncoder().encode(result)
        }
    }

    /// Says what runs jobs of a kind that have no result.
    public func register<Payload: Decodable & Sendable>(
        _ kind: String, _ options: KindOptions = KindOptions(),
        _ handler: @escaping @Sendable (Job<Payload>) async throws -> Void
    ) {
        register(kind, options) { context in
            try await handler(try Self.job(context))
            return nil
        }
    }

    /// Puts code around every handler; the first added is the outermost. Before `run`.
    public func use(_ middleware: any JobMiddleware) { state.withLock { $0.middlewares.append(middleware) } }

    /// What happens from now on, until `run` returns. A listener that falls behind by 4096 events loses the oldest.
    public var events: AsyncStream<WorkerEvent> { hub.stream() }

    private func register(
        _ kind: String, _ options: KindOptions, raw: @escaping @Sendable (JobContext) async throws -> Data?
    ) {
        let registered = RegisteredKind(name: kind, options: options, handler: raw)
        state.withLock { $0.kinds[kind] = registered }
    }

    private static func job<Payload: Decodable>(_ context: JobContext) throws -> Job<Payload> {
        do {
            return Job(payload: try context.job.payload.decode(), context: context)
        } catch {
            throw PayloadError(kind: context.kindName, error)
        }
    }

    // MARK: Running

    /// Works until it is shut down. Call it once.
    ///
    /// - Throws: `badRequest` without a handler; `schema`, `permission` and the like when the database does not let it
    ///   register. While the database is away it waits.
    public func run() async throws {
        let setup = try begin()
        defer { hub.finish() }
        // On its own: what has to be written at the end must not be cancelled with the caller.
        let work = Task.detached { try await self.work(setup) }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await work.value
            } onGracefulShutdown: {
                self.shutDown()
            }
        } onCancel: {
            shutDown(grace: .zero)
        }
    }

    /// Begins to drain, as a graceful shutdown does; `run` returns when that is done.
    ///
    /// - Parameter grace: for handlers to go on; `options.grace` by default.
    public func shutDown(grace: Duration? = nil) {
        let grace = grace ?? options.grace
        let session = state.withLock { state in
            state.stopping = min(state.stopping ?? grace, grace)
            return state.session
        }
        session?.drain(grace: grace)
        stopSignal.raise()
    }

    private var stopping: Duration? { state.withLock { $0.stopping } }

    private func begin() throws(QueueError) -> WorkerSetup {
        let (kinds, middlewares, hasBegun) = state.withLock { state in
            defer { state.hasBegun = true }
            return (state.kinds, state.middlewares, state.hasBegun)
        }
        guard !hasBegun else { throw QueueError(.badRequest, "the worker runs already, or did") }
        let queues = options.queues ?? Set(kinds.values.map(\.queue)).sorted()
        guard !kinds.isEmpty, !queues.isEmpty else {
            throw QueueError(.badRequest, "the worker has no handlers", hint: "call register before run")
        }
        var limits: [String: Int] = [:]
        for kind in kinds.values {
            guard let most = kind.options.concurrency else { continue }
            limits[kind.queue] = min(limits[kind.queue] ?? most, max(1, most))
        }
        return WorkerSetup(
            schema: schema, options: options, queues: queues, kinds: kinds, limits: limits, middlewares: middlewares,
            logger: logger, events: hub)
    }

    private func work(_ setup: WorkerSetup) async throws {
        var setup = setup
        var settings = settings
        try await untilStopped {
            if try await PoolerDetection.probe(settings, logger: self.logger) == .transactionPooler {
                settings.pooling = .transaction
                setup.polls = true
            }
        }
        let pool = PostgresPool(
            settings, options: PostgresPool.Options(size: options.connections, acquireTimeout: .seconds(5)),
            logger: logger)
        let housekeeper = Housekeeper(setup, pool: pool) { self.state.withLock { $0.session } }
        // Not children: a pool that is closed ends what they wait for, and nothing waits for them before.
        let side = Task { [setup, settings] in
            await withDiscardingTaskGroup { group in
                if !setup.polls { group.addTask { await self.listen(settings, setup, housekeeper) } }
                if self.options.maintains {
                    group.addTask { await housekeeper.maintain() }
                    group.addTask { await housekeeper.fireSchedules() }
                }
            }
        }
        var failure: (any Error)?
        do {
            while stopping == nil { try await session(setup, pool) }
        } catch {
            failure = error
        }
        side.cancel()
        housekeeper.stop()
        await side.value
        await pool.close()
        if let failure { throw failure }
    }

    /// One life under one id.
    private func session(_ setup: WorkerSetup, _ pool: PostgresPool) async throws {
        let session = try WorkerSession(setup, pool: pool)
        let kinds = JSONText.array(
            setup.kinds.values.sorted { $0.name < $1.name }.map { $0.options.description(of: $0.name) })
        let statement = session.statements.register(setup.options, queues: setup.queues, kinds: kinds)
        var firstSentAt: ContinuousClock.Instant?
        var hasFailed = false
        var sentAt: ContinuousClock.Instant?
        try await untilStopped {
            do {
                sentAt = try await pool.withConnection { connection in
                    // When there is a connection: waiting for one must not use up the lease.
                    let now = ContinuousClock.now
                    firstSentAt = firstSentAt ?? now
                    _ = try await connection.query(statement)
                    return now
                }
            } catch let error as QueueError where error.sqlState == "23505" && hasFailed {
                // An earlier try had arrived: the lease counts from then.
                sentAt = firstSentAt
            } catch {
                hasFailed = true
                throw error
            }
        }
        guard let sentAt else { return }
        state.withLock { $0.session = session }
        hub.send(.registered(worker: session.id))
        session.keeper.begin(session, registeredAt: sentAt)
        if let grace = stopping { session.drain(grace: grace) }
        await session.drive()
        let isLost = session.state.withLock { $0.phase == .lost }
        state.withLock { $0.session = nil }
        await session.keeper.close()
        guard !isLost else { return }
        do {
            let leave = session.statements.leave
            let left: Int = try await pool.withConnection {
                try await $0.query(leave, timeout: .seconds(5)).first?.decode(0) ?? 0
            }
            if left > 0 { logger.warning("\(left) jobs that the worker knew nothing of were handed back as it left") }
        } catch {
            logger.warning("the worker could not take its leave; its lease ends in \(options.lease): \(error)")
        }
    }

    /// Repeats while the database is away, until the worker is told to stop.
    private func untilStopped(_ body: () async throws -> Void) async throws {
        var backoff = ReconnectBackoff()
        while stopping == nil {
            do {
                return try await body()
            } catch let error as QueueError where error.mayPassByItself || error.code == .deadline {
                logger.warning("the database is away, trying again: \(error)")
                await stopSignal.wait(for: backoff.next())
            }
        }
    }

    private func listen(_ settings: PostgresSettings, _ setup: WorkerSetup, _ housekeeper: Housekeeper) async {
        let queues = Set(setup.queues)
        await PostgresListener(settings, channels: [schema], logger: logger).run { [self] event in
            let session = state.withLock { $0.session }
            switch event {
            case .connected:
                session?.notified()
                // Cancels as well may have been missed.
                session?.keeper.askSignals()
                housekeeper.schedulesChanged()
            case .disconnected: break
            case .notification(let note):
                let parts = note.payload.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                let rest = parts.count > 1 ? String(parts[1]) : ""
                switch parts.first {
                case "wake" where queues.contains(rest): session?.notified()
                case "due": if let seconds = Double(rest), seconds < 1e6 { session?.due(in: .seconds(seconds)) }
                case "schedule": housekeeper.schedulesChanged()
                case "cancel":
                    let ids = rest.split(separator: ":").map { UUID(uuidString: String($0)) }
                    if let session, ids.count == 2, ids[0] == session.id, let job = ids[1] {
                        session.cancel(job, reason: nil)
                    }
                default: break
                }
            }
        }
    }
}

extension QueueError {
    /// Whether a call that failed so may succeed without anybody doing something about it: not with a wrong password.
    fileprivate var mayPassByItself: Bool { isTransient && (code != .cannotConnect || mayPass) }
}
