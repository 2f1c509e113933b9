/// The settings as the documentation lists them.
enum SettingsMarkdown {
    /// What stands in the document before and behind the tables.
    static let begin = "<!-- The tables are printed by: kiln config --markdown -->"
    static let end = "<!-- End of the tables -->"

    /// A table for each section.
    static var text: String {
        SettingsTable.sections.map { section in
            let rows = section.settings.map(row)
            return """
                ### \(section.title)

                | Environment | File | Default | |
                | --- | --- | --- | --- |
                \(rows.joined(separator: "\n"))
                """
        }.joined(separator: "\n\n")
    }

    private static func row(_ setting: Setting) -> String {
        let names = setting.names.map { "`\($0)`" }.joined(separator: ", ")
        let fallback = setting.fallback.contains(" ") || setting.isRequired ? setting.fallback : "`\(setting.fallback)`"
        let secret = setting.isSecret ? " *Secret.*" : ""
        let expected = "Takes \(setting.expected)."
        let cells = [names, "`\(setting.key)`", fallback, "\(setting.summary) \(expected)\(secret)"]
        return "| " + cells.map { $0.split(separator: "|").joined(separator: "\\|") }.joined(separator: " | ") + " |"
    }
}
