import ArgumentParser

/// How progress is shown.
enum ProgressMode: String, ExpressibleByArgument, CaseIterable {
    /// A bar on a terminal, else nothing.
    case auto
    case bar, json, none
}

/// What is printed.
struct ReportOptions: ParsableArguments {
    @Flag(
        help: """
            Print the result as JSON; of a failure, {"error": {…}}. On standard output, or on standard error where \
            the media goes to standard output.
            """)
    var json = false
    @Option(help: "auto, bar, json (one object a line, on standard error) or none.")
    var progress: ProgressMode = .auto
    @Flag(name: .shortAndLong, help: "Print neither progress nor a summary.")
    var quiet = false
    @Flag(help: "Print the request as JSON, for \"kiln run\", and do nothing.")
    var printRequest = false
}
