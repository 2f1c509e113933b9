public import ArgumentParser
public import MediaKit

extension ExtractAudio.Preset: ExpressibleByArgument {}

struct ExtractAudioCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract-audio", abstract: "Take the sound out of a file.",
        discussion: """
            Without settings the sound is copied where the output takes it. Of an MP4 or MOV only the sound is read.

              kiln extract-audio talk.mp4 talk.wav --for speech
              kiln extract-audio call.mp4 'call-{n}.wav' --for speech --split-at-silence 30
            """)

    @Argument(help: "The file to read: a path, a URL (s3, https, http, store) or - for standard input.")
    var input: String
    @Argument(help: "wav, flac, mp3, m4a, ogg or opus, or -. Of chunks, {n} is the number.")
    var output: String
    @Option(name: .customLong("for"), help: "speech: 16 kHz, mono, as recognisers take it.")
    var preset: ExtractAudio.Preset?
    @OptionGroup(title: "Audio") var audio: AudioOptions
    @Option(help: "The sound stream, counted from 0 among its kind (default: as a player would choose).")
    var audioStream: Int?
    @OptionGroup(title: "What is used") var window: WindowOptions
    @Flag(help: "Cut silence off at both ends.")
    var trimSilence = false
    @Option(help: "Split into chunks of at most so many seconds, at silences where there are any.")
    var splitAtSilence: Seconds?
    @Option(parsing: .unconditional, help: "Decibels under which sound is silence (default: -40).")
    var silenceThreshold: Double?
    @Option(help: "Seconds that a silence lasts at least (default: 0.3).")
    var silenceMinimum: Double?
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    var request: MediaRequest {
        var silence = SilenceSettings()
        if let silenceThreshold { silence.threshold = silenceThreshold }
        if let silenceMinimum { silence.minimum = silenceMinimum }
        return .extractAudio(
            ExtractAudio(
                input: input, output: output, container: outputOptions.container, preset: preset,
                audio: audio.settings(), track: audioStream, start: window.start?.value, end: window.end?.value,
                trimSilence: trimSilence, splitAtSilence: splitAtSilence?.value, silence: silence,
                bitexact: outputOptions.bitexact, overwrite: outputOptions.overwrite, threads: job.threads,
                limits: job.limit.limits, tolerance: job.tolerance))
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}
