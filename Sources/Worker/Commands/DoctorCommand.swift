import ArgumentParser

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at all that a worker needs here, and tell what is wrong.",
        discussion: """
            Settings, database and schema, clocks, store (a small object is written, read and deleted), codecs, fonts, \
            speech recognition, disk, memory, cores, ports. Each is given some seconds, and none keeps the others from being looked at.

            The exit code is 0 if a worker can do its work here, else 1.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let report = await Doctor().examine(DoctorContext(loaded: options.load()))
        try Console.output.print(json ? JSONText.pretty(report) : report.text)
        if !report.isHealthy { throw Unhealthy() }
    }

    /// The report has said what.
    private struct Unhealthy: ReportableError {
        func report() -> ExitStatus { .jobFailed }
    }
}
