import ArgumentParser
import MediaKit

struct TranscodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transcode", abstract: "Change a file's container, codecs, size, rate or length.",
        discussion: """
            Streams that the container takes and that nothing asked for changes are copied; the rest is encoded.

              kiln transcode talk.mov talk.mp4
              kiln transcode talk.mp4 small.mp4 --height 480 --crf 28 --audio-bitrate 96k
              kiln transcode talk.mp4 part.mp4 --start 1:30 --end 2:00
            """)

    @Argument(help: "The file to read: a path, a URL (s3, https, http, store) or - for standard input.")
    var input: String
    @Argument(help: "The file to make: a path, a URL or - for standard output.")
    var output: String
    @OptionGroup(title: "Video") var video: VideoOptions
    @OptionGroup(title: "Audio") var audio: AudioOptions
    @OptionGroup(title: "What is used") var window: WindowOptions
    @OptionGroup(title: "What is used") var streams: StreamOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @OptionGroup(title: "Output") var layout: LayoutOptions
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    var request: MediaRequest {
        .transcode(
            Transcode(
                input: input, output: output, container: outputOptions.container, video: video.settings(),
                audio: audio.settings(), streams: streams.selection, textTracks: streams.textTracks,
                start: window.start?.value,
                end: window.end?.value, indexFirst: !layout.noIndexFirst, bitexact: outputOptions.bitexact,
                overwrite: outputOptions.overwrite, threads: job.threads, limits: job.limit.limits,
                tolerance: job.tolerance))
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}
