import ArgumentParser
import MediaKit

struct LoopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loop", abstract: "Repeat a clip, or show a still image, for an exact time.",
        discussion: """
            The time is given in seconds, or by another file's sound, which is then heard unless it is said otherwise.

              kiln loop waves.mp4 long.mp4 --length 60
              kiln loop waves.mp4 call.mp4 --match call.wav --fade 1
              kiln loop cover.jpg song.mp4 --match song.mp3
            """)

    @Argument(help: "The clip to repeat: a path, a URL (s3, https, http, store) or - for standard input.")
    var input: String
    @Argument(help: "The file to make: a path, a URL or - for standard output.")
    var output: String
    @Option(help: "How long the result is: seconds, or HH:MM:SS.mmm.")
    var length: Seconds?
    @Option(help: "A file whose sound tells how long the result is.")
    var match: String?
    @Option(help: "repeated (the clip's own), matched (that of --match), or none.")
    var sound: LoopTo.Sound?
    @OptionGroup(title: "Sequence") var sequence: SequenceOptions
    @OptionGroup(title: "What is used") var window: WindowOptions
    @OptionGroup(title: "Video") var video: VideoOptions
    @OptionGroup(title: "Audio") var audio: AudioOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @OptionGroup(title: "Output") var layout: LayoutOptions
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard (length == nil) != (match == nil) else { throw ValidationError("Give either --length or --match") }
    }

    var request: MediaRequest {
        .loopTo(
            LoopTo(
                input: input, output: output, length: length?.value, match: match, sound: sound,
                crossFade: sequence.crossFade, start: window.start?.value, end: window.end?.value,
                background: sequence.background, container: outputOptions.container, video: video.settings(),
                audio: audio.settings(), indexFirst: !layout.noIndexFirst, bitexact: outputOptions.bitexact,
                overwrite: outputOptions.overwrite, threads: job.threads, limits: job.limit.limits,
                tolerance: job.tolerance))
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}
