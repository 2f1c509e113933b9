public import ArgumentParser
public import MediaKit

extension NormalizeLoudness.Peaks: ExpressibleByArgument {}

struct NormalizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "normalize", abstract: "Make sound as loud as is asked for, by EBU R 128.",
        discussion: """
            The sound is measured first; then one gain is applied to all of it. Pictures are copied.

              kiln normalize call.wav call.m4a
              kiln normalize talk.mp4 broadcast.mp4 --target -23 --ceiling -1
              kiln normalize talk.mp4 --measure-only
            """)

    @Argument(help: "The file to read: a path or a URL (s3, https, http, store).")
    var input: String
    @Argument(help: "The file to make, or -.")
    var output: String?
    @Flag(help: "Make nothing, and print how loud the sound is.")
    var measureOnly = false
    @Option(parsing: .unconditional, help: "LUFS (default: -16).")
    var target: Double?
    @Option(parsing: .unconditional, help: "dBTP that no peak goes over (default: -1.5).")
    var ceiling: Double?
    @Option(help: "Where the gain would lift peaks over it: limit them, or reduce the gain (default: limit).")
    var peaks: NormalizeLoudness.Peaks?
    @Option(help: "Decibels that it is raised by at most (default: 40).")
    var maximumGain: Double?
    @OptionGroup(title: "Audio") var audio: AudioOptions
    @Option(help: "The sound stream, counted from 0 among its kind (default: all).")
    var audioStream: Int?
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @OptionGroup(title: "Output") var layout: LayoutOptions
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if measureOnly, output != nil { throw ValidationError("--measure-only makes no output; leave it out.") }
        if !measureOnly, output == nil { throw ValidationError("Name the output, or use --measure-only.") }
    }

    var request: MediaRequest {
        guard let output, !measureOnly else {
            return .measureLoudness(
                MeasureLoudness(
                    input: input, track: audioStream, threads: job.threads, limits: job.limit.limits,
                    tolerance: job.tolerance))
        }
        var request = NormalizeLoudness(
            input: input, output: output, container: outputOptions.container, audio: audio.settings(),
            track: audioStream, indexFirst: !layout.noIndexFirst, bitexact: outputOptions.bitexact,
            overwrite: outputOptions.overwrite, threads: job.threads, limits: job.limit.limits,
            tolerance: job.tolerance)
        if let target { request.target = target }
        if let ceiling { request.ceiling = ceiling }
        if let peaks { request.peaks = peaks }
        if let maximumGain { request.maximumGain = maximumGain }
        return .normalizeLoudness(request)
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}
