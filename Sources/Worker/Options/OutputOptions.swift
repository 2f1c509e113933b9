import ArgumentParser
import MediaKit

/// How an output is made and whether it may replace a file.
struct OutputOptions: ParsableArguments {
    @Option(help: "The output's container (default: by its name).")
    var container: Container?
    @Flag(help: "Write the same bytes for the same request.")
    var bitexact = false
    @Flag(name: [.customShort("y"), .long], help: "Replace a file that is there already.")
    var overwrite = false
}

/// How a movie is laid out.
struct LayoutOptions: ParsableArguments {
    @Flag(help: "Leave an MP4's index at its end.")
    var noIndexFirst = false
}
