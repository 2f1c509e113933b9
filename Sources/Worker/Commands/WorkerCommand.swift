import ArgumentParser
import JobQueue
import Logging
import MediaKit
import ServiceLifecycle
import Transfer

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Run jobs from the queue.",
        discussion: """
            Takes its settings from the environment and a YAML file; kiln config shows them, kiln kinds what it runs.

            SIGTERM or SIGINT: takes no new jobs, lets those that run finish for SHUTDOWN_GRACE, hands the rest back at no \
            cost, and ends. A second one ends it at once; its jobs go to other workers when its lease is over.
            """)
    @OptionGroup var settings: ConfigurationOptions

    func run() async throws {
        let configuration = try settings.checked()
        guard configuration.worker.role != .api else {
            Console.error.write("kiln: RUN_WORKERS=false: there is nothing to run\n")
            return
        }
        var logger = Logger(label: "kiln.worker") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = configuration.log.level
        do {
            // Named, as the name is logged, and a service's own description would hold its settings.
            let service = ServiceGroupConfiguration.ServiceConfiguration(
                service: try WorkerService(configuration, logger: logger), serviceName: "worker")
            let group = ServiceGroup(configuration: .init(services: [service], logger: logger))
            try await KilnProgram.withService {
                try await group.run()
            } drain: {
                await group.triggerGracefulShutdown()
            }
        } catch let error as TransferError {
            throw MediaError(error, input: nil)
        } catch {
            throw CommandFailure.wrapping(error, json: nil)
        }
    }
}
