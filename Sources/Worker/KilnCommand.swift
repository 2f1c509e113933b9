import ArgumentParser
import MediaKit

/// The root of the command line.
struct KilnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiln",
        abstract: "Looks into, converts and captions media, in this process.",
        discussion: """
            Times are seconds (90.5) or clocks (1:30.5, 00:01:30.500); bit rates take k and M (128k, 2.5M). "-" stands \
            for standard input or output.

            Exit codes: 0 done, 64 usage, 65 bad input, 66 no input, 69 unsupported, 70 internal, 73 cannot create, \
            74 input/output, 75 resource limit, 130 cancelled.
            """,
        version: versionText,
        subcommands: [
            ProbeCommand.self, TranscodeCommand.self, BurnCommand.self, ExtractAudioCommand.self, RunCommand.self,
            CapabilitiesCommand.self, SampleCommand.self,
        ])

    /// One line: this version, the FFmpeg release, and the libraries that are loaded.
    private static var versionText: String {
        let libraries = LibavLibrary.versions.map { "lib\($0.name) \($0.loaded)" }.joined(separator: ", ")
        return "kiln \(MediaKitVersion.current) (FFmpeg \(LibavLibrary.release), \(libraries))"
    }
}
