import ArgumentParser
import MediaKit

struct SampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Make a clip to try things on: a moving picture and spoken words.",
        discussion: """
              kiln sample clip.mp4 --subtitles clip.srt
              kiln burn clip.mp4 clip.srt captioned.mp4
            """)

    @Argument(help: "The clip to make, or - for standard output.")
    var output: String
    @Option(help: "Write the words that are spoken to this SRT file.")
    var subtitles: String?
    @Option(help: "Length in seconds, 1 to 600.")
    var seconds: Double = 12
    @Option(help: "Pixels.")
    var width: Int = 1280
    @Option(help: "Pixels.")
    var height: Int = 720
    @Option(help: "Pictures per second.")
    var fps: FrameRate?
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @Option(help: "Cores to use (default: all that this process may use).")
    var threads: Int?
    @OptionGroup(title: "Report") var report: ReportOptions

    var request: MediaRequest {
        var request = SampleClip(
            output: output, subtitles: subtitles, seconds: seconds, width: width, height: height,
            container: outputOptions.container, bitexact: outputOptions.bitexact, overwrite: outputOptions.overwrite,
            threads: threads)
        if let fps { request.frameRate = fps }
        return .sampleClip(request)
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}
