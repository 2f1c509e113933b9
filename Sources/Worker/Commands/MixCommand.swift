public import ArgumentParser
public import MediaKit

extension MixAudio.Length: ExpressibleByArgument {}

struct MixCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mix", abstract: "Lay sounds over each other, alone or under a video's pictures.",
        discussion: """
            Inputs are counted from 0, in the order in which they are named; N=VALUE sets a value for one of them. Sounds \
            are added as they are; peaks over the ceiling are limited.

              kiln mix speech.wav music.mp3 show.m4a --input-gain 1=-12 --loop 1 --duck 1=0 --fade-out 1=3
              kiln mix talk.mp4 music.mp3 film.mp4 --video talk.mp4 --delay 1=2.5
            """)

    @Argument(help: "The files to read, then the file to make: paths, URLs (s3, https, http, store), or -.")
    var files: [String]
    @Option(help: "A file whose pictures and subtitles are copied; its sound is heard if it is an input, too.")
    var video: String?
    @OptionGroup(title: "Inputs") var inputs: MixInputOptions
    @Option(help: "longest, first, shortest or video (default: video where there is one, else longest).")
    var length: MixAudio.Length?
    @Option(help: "How long the mix is, in seconds or HH:MM:SS, instead of --length.")
    var duration: Seconds?
    @Flag(help: "Do not limit peaks.")
    var noLimiter = false
    @Option(parsing: .unconditional, help: "Decibels of full scale that the limiter keeps (default: -1).")
    var ceiling: Double?
    @OptionGroup(title: "Audio") var audio: AudioOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @OptionGroup(title: "Output") var layout: LayoutOptions
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard files.count >= 2 else { throw ValidationError("Name at least one input and the output.") }
        try inputs.requireInputs(files.count - 1)
    }

    var request: MediaRequest {
        var request = MixAudio(
            inputs: inputs.inputs(files.dropLast()), output: files.last ?? "", video: video,
            container: outputOptions.container, audio: audio.settings(), length: length, duration: duration?.value,
            limiter: !noLimiter, indexFirst: !layout.noIndexFirst, bitexact: outputOptions.bitexact,
            overwrite: outputOptions.overwrite, threads: job.threads, limits: job.limit.limits,
            tolerance: job.tolerance)
        if let ceiling { request.ceiling = ceiling }
        return .mixAudio(request)
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}
