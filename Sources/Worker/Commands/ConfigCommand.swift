import ArgumentParser

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Tell the settings that are in effect, and where each comes from.",
        discussion: """
            The environment comes before the file, and the file before the defaults. Secrets are masked. If something \
            is wrong, all of it is told, and the exit code is 78.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false
    @Flag(help: "Print the tables of docs/configuration.md, and look at no setting.")
    var markdown = false

    /// What `--json` prints.
    struct Report: Codable {
        struct Setting: Codable {
            var key: String
            /// Of the environment's variables.
            var names: [String]
            /// As it may be shown.
            var value: String
            var isSecret: Bool
            /// "environment", "file" or "default".
            var source: String
            /// The variable that it comes from.
            var variable: String?
            var file: String?
            /// From 1.
            var line: Int?
        }
        struct Problem: Codable {
            var place: String
            var message: String
        }

        var settings: [Setting]
        var warnings: [String]
        var problems: [Problem]
    }

    func run() async throws {
        if markdown { return try Console.output.print(SettingsMarkdown.text) }
        let loaded = options.load()
        try Console.output.print(json ? JSONText.pretty(Self.report(loaded)) : Self.text(loaded))
        if !json {
            for warning in loaded.warnings { Console.error.write("kiln: \(warning)\n") }
        }
        _ = try loaded.checked()
    }

    static func text(_ loaded: LoadedConfiguration) -> String {
        var table = TextTable(indent: 0)
        table.add(["SETTING", "VALUE", "FROM"])
        for setting in loaded.settings { table.add([setting.key, setting.value, setting.origin.description]) }
        return table.lines(hasHead: true).joined(separator: "\n")
    }

    static func report(_ loaded: LoadedConfiguration) -> Report {
        Report(
            settings: loaded.settings.map { setting in
                var entry = Report.Setting(
                    key: setting.key, names: setting.names, value: setting.value, isSecret: setting.isSecret,
                    source: "default")
                switch setting.origin {
                case .environment(let name):
                    entry.source = "environment"
                    entry.variable = name
                case .file(let path, let line):
                    entry.source = "file"
                    entry.file = path
                    entry.line = line
                case .fallback: break
                }
                return entry
            }, warnings: loaded.warnings,
            problems: loaded.problems.map { Report.Problem(place: $0.place, message: $0.message) })
    }
}
