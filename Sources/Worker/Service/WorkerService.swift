import JobQueue
import Logging
import ServiceLifecycle
import Transfer

/// The process that runs jobs: takes them out of the queue, and has the handlers, the stores and the engine work on them.
///
/// ```swift
/// let service = try WorkerService(configuration, logger: logger)
/// try await service.run()         // or in a ServiceGroup
/// ```
/// At a graceful shutdown it takes no new jobs, lets those that run go on for `worker.shutdownGrace`, and hands back what
/// is left at no cost. Cancelling its task hands them back at once.
///
/// Webhooks have a worker of their own in it: a receiver that does not answer takes no slot from the work, and hours of work
/// in all slots do not hold up a message.
struct WorkerService: Service {
    private let configuration: WorkerConfiguration
    private let services: JobServices
    private let workers: [QueueWorker]
    private let sweeper: UploadSweeper
    /// `nil` where no calls are worked on.
    private let closer: CallCloser?
    /// What it is up to.
    let status = WorkerStatus()
    /// What it runs.
    let kinds: [any JobKind.Type]
    private let logger: Logger

    /// - Parameters:
    ///   - middlewares: around every handler, within the service's own.
    ///   - callEngines: who listens to calls; by default what the configuration says.
    ///   - sweepInterval: between two looks for what attempts that died have left.
    /// - Throws: ``ConfigurationFailure`` for kinds that do not exist; `QueueError`, `TransferError`.
    init(
        _ configuration: WorkerConfiguration, middlewares: [any JobMiddleware] = [],
        callEngines: CallEngines = .standard,
        logger: Logger = Logger(label: "kiln.worker"),
        sweepInterval: Duration = .seconds(60)
    ) throws {
        self.configuration = configuration
        self.logger = logger
        let guarding = configuration.network.guarding
        let database = configuration.database
        let queue = try QueueClient(
            database.url, schema: database.schema,
            options: .init(connections: 2, isBehindTransactionPooler: database.isBehindTransactionPooler),
            logger: logger)
        services = JobServices(
            configuration: configuration,
            stores: try configuration.storage.stores(
                fileRoots: configuration.outputs.fileRoots, web: .guarded, guarding: guarding),
            client: try HTTPClient(HTTPConfiguration(addressGuard: guarding), logger: logger), queue: queue,
            callEngines: callEngines)
        let (work, messages) = try Self.kinds(configuration.worker.kinds)
        kinds = work + messages
        var workers: [QueueWorker] = []
        if !work.isEmpty { workers.append(try Self.worker(work, Self.options(configuration), services, logger)) }
        if !messages.isEmpty {
            workers.append(
                try Self.worker(
                    messages, Self.messageOptions(configuration, maintains: work.isEmpty), services, logger))
        }
        let own: [any JobMiddleware] = [status.running, JobMetrics(), JobSpans(traces: status.traces)]
        for worker in workers { (own + middlewares).forEach(worker.use) }
        self.workers = workers
        sweeper = UploadSweeper(queue: queue, stores: services.stores, logger: logger, interval: sweepInterval)
        closer =
            work.contains { $0 == CallRecording.self }
            ? CallCloser(queue: queue, schema: database.schema, logger: logger, interval: sweepInterval) : nil
    }

    func run() async throws {
        let sweeping = Task { await sweeper.run() }
        let closing = Task { await closer?.run() }
        let events = workers.map(\.events)
        let writing = Task { [status, log = EventLog(logger: logger, traces: status.traces)] in
            await withDiscardingTaskGroup { group in
                for stream in events {
                    group.addTask {
                        for await event in stream {
                            status.note(event)
                            log.write(event)
                        }
                    }
                }
            }
        }
        var failure: (any Error)?
        do {
            try await verifySchema()
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in workers { group.addTask { try await worker.run() } }
                    // One that cannot go on ends the others, too.
                    for try await _ in group {}
                }
            } onGracefulShutdown: { [status] in
                status.drain()
            }
        } catch {
            failure = error
        }
        sweeping.cancel()
        closing.cancel()
        await sweeping.value
        await closing.value
        // Over when the workers are; those that have not begun have no end to wait for.
        if failure != nil { writing.cancel() }
        await writing.value
        await services.queue.close()
        await services.client.shutdown()
        if let failure { throw failure }
    }

    /// Says what is wrong in words, where a worker's first call would fail by a function that is missing. A database that is
    /// away is waited for.
    private func verifySchema() async throws {
        do {
            try await Migrations(
                configuration.database.url, schema: configuration.database.schema, logger: logger
            ).verify()
        } catch let error as QueueError where error.isTransient || error.code == .deadline {
            logger.warning("the database is away: \(error)")
        } catch let error as QueueError where error.code == .permission {
            // The worker's role need not read what has been applied.
            logger.debug("the schema's version cannot be looked at: \(error)")
        }
    }

    /// How many jobs of a kind run at a time at most.
    func concurrency(of kind: any JobKind.Type) -> Int {
        let work = configuration.worker
        guard JobKinds.work.contains(where: { $0 == kind }) else { return Self.messageSlots }
        return min(work.concurrency, work.concurrencyPerKind ?? work.concurrency)
    }

    // MARK: What its workers are

    private static func worker(
        _ kinds: [any JobKind.Type], _ options: WorkerOptions, _ services: JobServices, _ logger: Logger
    ) throws -> QueueWorker {
        let database = services.configuration.database
        let worker = try QueueWorker(database.url, schema: database.schema, options: options, logger: logger)
        for kind in kinds { kind.register(on: worker, services) }
        return worker
    }

    private static func options(_ configuration: WorkerConfiguration) -> WorkerOptions {
        let work = configuration.worker
        return WorkerOptions(
            name: work.name, slots: work.concurrency, cores: work.cores, memory: work.memory, lease: work.lease,
            queues: work.queues, grace: work.shutdownGrace, connections: configuration.database.connections)
    }

    private static let messageSlots = 16

    /// A message waits for its receiver, and takes next to nothing.
    private static func messageOptions(_ configuration: WorkerConfiguration, maintains: Bool) -> WorkerOptions {
        let work = configuration.worker
        var options = WorkerOptions(
            name: work.name, slots: messageSlots, memory: work.memory, lease: work.lease,
            grace: min(work.shutdownGrace, .seconds(20)), maintains: maintains, connections: 2)
        options.name += " (webhooks)"
        return options
    }

    /// Messages are every worker's: their jobs would wait for ever where no worker happens to be told of them.
    ///
    /// - Parameter names: `nil` for all.
    private static func kinds(_ names: [String]?) throws(ConfigurationFailure) -> (
        work: [any JobKind.Type], messages: [any JobKind.Type]
    ) {
        guard let names else { return (JobKinds.work, JobKinds.messages) }
        let problems = ConfigurationProblem.unknownKinds(in: names, at: "ENABLE_WORKERS", known: JobKinds.all)
        guard problems.isEmpty else { throw ConfigurationFailure(problems: problems) }
        return (JobKinds.work.filter { names.contains($0.name) }, JobKinds.messages)
    }
}
