import FoundationEssentials
import JobQueue
import Logging
import MediaKit
import Server
import ServiceLifecycle
import Transfer

/// All that a process of the service does: jobs, the HTTP API, or both, with a listener for probes where that is set.
///
/// ```swift
/// let telemetry = try ProcessTelemetry.start(configuration)
/// let service = try KilnService(configuration, parts: [.jobs, .api], telemetry: telemetry)
/// try await service.run()         // or in a ServiceGroup
/// ```
/// At a graceful shutdown the jobs end first; meanwhile the API and the probes answer, the probes that it is not ready
/// any more.
struct KilnService: Service {
    /// What a process does.
    struct Parts: OptionSet, Sendable {
        let rawValue: Int

        static let jobs = Parts(rawValue: 1 << 0)
        static let api = Parts(rawValue: 1 << 1)
    }

    private let services: [ServiceGroupConfiguration.ServiceConfiguration]
    private let queue: QueueClient
    private let logger: Logger?

    /// - Parameters:
    ///   - telemetry: what the process has started; without it nothing is collected and no span sent.
    ///   - logger: of all parts; by default each has its own.
    ///   - onListening: is told the API's port once it listens.
    /// - Throws: ``ConfigurationFailure``, `QueueError`, `TransferError`.
    init(
        _ configuration: WorkerConfiguration, parts: Parts, telemetry: ProcessTelemetry? = nil,
        logger: Logger? = nil, onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws {
        self.logger = logger
        let database = configuration.database
        // Of the API and the probes; the worker has its own.
        let queue = try QueueClient(
            database.url, schema: database.schema,
            options: .init(
                // One for probes while another reads metrics; who waits for an answer is told soon that there is none.
                connections: max(2, parts.contains(.api) ? database.connections : 2), acquireTimeout: .seconds(3),
                isBehindTransactionPooler: database.isBehindTransactionPooler),
            logger: logger ?? Logger(label: "kiln.queue"))
        self.queue = queue
        // In the order in which they begin; they end the other way round.
        var services: [(name: String, service: any Service)] = []
        if let spans = telemetry?.spans { services.append(("traces", spans)) }
        let worker =
            parts.contains(.jobs)
            ? try WorkerService(configuration, logger: logger ?? Logger(label: "kiln.worker")) : nil
        if let metrics = telemetry?.metrics {
            ServiceMetrics.collect(queue, in: metrics)
            if let worker { ServiceMetrics.collect(worker.status.running, of: configuration.worker, in: metrics) }
        }
        if configuration.health.isEnabled {
            let logger = logger ?? Logger(label: "kiln.health")
            let probes = ServiceProbes(queue: queue, worker: worker, telemetry: telemetry)
            services.append(
                (
                    "health",
                    HealthServer(probes.settings(configuration.health), logger: logger) { port in
                        Self.log("health listener", configuration.health.address, port, logger)
                    }
                ))
        }
        if parts.contains(.api) {
            let logger = logger ?? Logger(label: "kiln.http")
            let server = APIServer(
                queue, settings: try ServerSettings(configuration), logger: logger
            ) { port in
                Self.log("API", configuration.http.address, port, logger)
                await onListening(port)
            }
            services.append(("api", server))
        }
        if let worker { services.append(("worker", worker)) }
        // Named, as the name is logged, and a service's own description would hold its settings.
        self.services = services.map { .init(service: $0.service, serviceName: $0.name) }
    }

    private static func log(_ name: String, _ address: String, _ port: Int, _ logger: Logger) {
        logger.info("the \(name) listens", metadata: ["address": "\(address)", "port": .stringConvertible(port)])
    }

    /// Runs until it is shut down, or a part of it cannot go on.
    ///
    /// - Throws: what that part has thrown.
    func run() async throws {
        let group = ServiceGroup(
            configuration: .init(services: services, logger: logger ?? Logger(label: "kiln.lifecycle")))
        do {
            try await group.run()
        } catch {
            await queue.close()
            throw error
        }
        await queue.close()
    }
}
