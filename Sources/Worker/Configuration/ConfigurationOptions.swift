import ArgumentParser
import FoundationEssentials

/// Where a command finds its settings.
struct ConfigurationOptions: ParsableArguments {
    /// The variable that names the file where the command line does not.
    static let variable = "KILN_CONFIG"

    @Option(
        help: ArgumentHelp(
            "A file of settings in YAML (default: the variable KILN_CONFIG). The environment's come before it.",
            valueName: "file"))
    var config: String?

    /// All settings, whether or not they can be used.
    func load(environment: [String: String] = ProcessInfo.processInfo.environment) -> LoadedConfiguration {
        let variable = environment[Self.variable].map(\.trimmed) ?? ""
        return ConfigurationLoader.load(
            environment: environment, file: config ?? (variable.isEmpty ? nil : variable))
    }

    /// The configuration, for a command that works by it. Prints warnings.
    ///
    /// - Throws: ``ConfigurationFailure`` with all that is wrong.
    func checked() throws(ConfigurationFailure) -> WorkerConfiguration {
        let loaded = load()
        for warning in loaded.warnings { Console.error.write("kiln: \(warning)\n") }
        return try loaded.checked()
    }
}
