import ArgumentParser
import MediaKit

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Carry out any request, given as JSON.",
        discussion: """
            The same JSON that the library takes; --print-request of the other commands prints it.

              kiln transcode a.mov b.mp4 --height 480 --print-request > request.json
              kiln run request.json --json
            """)

    @Argument(help: ArgumentHelp("A file with a request, or - for standard input.", valueName: "request.json"))
    var file: String
    @OptionGroup var report: ReportOptions

    func run() async throws {
        try await RequestRunner(report: report, isMadeOfFlags: false).run {
            try JSONText.decode(
                MediaRequest.self, from: RequestFile.read(file), name: file == "-" ? "standard input" : file)
        }
    }
}
