import ArgumentParser

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the HTTP API, and run no jobs.",
        discussion: """
            Takes its settings from the environment and a YAML file; kiln config shows them. Listens on 127.0.0.1:8000 \
            unless KILN_HTTP_ADDRESS and KILN_HTTP_PORT say otherwise; beyond this machine it needs a token (kiln token \
            create).

            SIGTERM or SIGINT: takes no new connections, finishes the requests that are under way, and ends.
            """)
    @OptionGroup var settings: ConfigurationOptions

    func run() async throws {
        try await ServiceRun.run(settings.checked(), parts: .api)
    }
}
