import ArgumentParser

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Run jobs from the queue.",
        discussion: """
            Takes its settings from the environment and a YAML file; kiln config shows them, kiln kinds what it runs.

            SIGTERM or SIGINT: takes no new jobs, lets those that run finish for SHUTDOWN_GRACE, hands the rest back at no \
            cost, and ends. A second one ends it at once; its jobs go to other workers when its lease is over.
            """)
    @Flag(help: "Serve the HTTP API as well (KILN_HTTP).")
    var http = false
    @OptionGroup var settings: ConfigurationOptions

    func run() async throws {
        let configuration = try settings.checked()
        let parts = Self.parts(configuration, http: http)
        guard !parts.isEmpty else {
            Console.error.write("kiln: RUN_WORKERS=false, and no API asked for by --http: there is nothing to run\n")
            return
        }
        try await ServiceRun.run(configuration, parts: parts)
    }

    static func parts(_ configuration: WorkerConfiguration, http: Bool) -> KilnService.Parts {
        let api: KilnService.Parts = http || configuration.http.isEnabled ? .api : []
        return switch configuration.worker.role {
        case .any: api.union(.jobs)
        case .jobs: .jobs
        case .api: api
        }
    }
}
