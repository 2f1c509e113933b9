import ArgumentParser
import MediaKit

struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "probe", abstract: "Tell what is in a file.")

    @Argument(help: "The file: a path, a URL (s3, https, http, store) or - for standard input.")
    var input: String
    @Flag(help: "Read all of it to find how far apart its key frames are.")
    var keyFrames = false
    @OptionGroup var limit: LimitOptions
    @OptionGroup var report: ReportOptions

    var request: MediaRequest {
        .probe(Probe(input: input, keyFrames: keyFrames, limits: limit.limits))
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}
