public import ArgumentParser
public import MediaKit

extension Waveform.Style: ExpressibleByArgument {}
extension Waveform.Channels: ExpressibleByArgument {}

struct WaveformCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waveform", abstract: "Make a video, or a picture, out of sound.",
        discussion: """
            The sound is carried along, and the video is exactly as long as it is. With an output that ends in jpg, png or \
            webp, all of the sound becomes a single picture.

              kiln waveform call.wav call.mp4 --color '#4FC3F7' --color '#FFB74D'
              kiln waveform talk.mp3 talk.mp4 --style bars --background studio.jpg --wave-height 0.3 --wave-center 0.7
              kiln waveform talk.mp3 talk.png
            """)

    @Argument(help: "The file to read: a path, a URL (s3, https, http, store) or - for standard input.")
    var input: String
    @Argument(help: "The video or picture to make: a path, a URL or - for standard output.")
    var output: String
    @Option(help: "line, bars, centered, spectrum or frequencies (default: centered).")
    var style: Waveform.Style = .centered
    @Option(help: "mixed, overlaid or separate (default: separate if two colours are named, else mixed).")
    var channelLayout: Waveform.Channels?
    @Option(name: .customLong("color"), help: "Of a channel, as #RRGGBB; once for each.")
    var colors: [ColorArgument] = []
    @Option(help: "As #RRGGBB (default: black).")
    var backgroundColor: ColorArgument?
    @Option(help: "A picture behind, which fills the frame.")
    var background: String?
    @Option(help: "The part of the frame's height that the wave takes (default: 0.6).")
    var waveHeight: Double?
    @Option(help: "Where the middle of the wave lies, from 0 at the top to 1 (default: 0.5).")
    var waveCenter: Double?
    @Option(help: "The part of the frame's width that is left free on both sides (default: 0.05).")
    var marginHorizontal: Double?
    @OptionGroup(title: "Video") var video: VideoOptions
    @OptionGroup(title: "Audio") var audio: AudioOptions
    @Option(help: "The sound stream, counted from 0 among its kind (default: as a player would choose).")
    var audioStream: Int?
    @OptionGroup(title: "What is used") var window: WindowOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if video.fit != nil || video.enlarge {
            throw ValidationError("--fit and --enlarge mean nothing for a wave, which is drawn in its size")
        }
    }

    var request: MediaRequest {
        var settings = video.settings()
        settings.size = nil
        settings.frameRate = nil
        var request = Waveform(
            input: input, output: output, container: outputOptions.container, style: style, channels: channelLayout,
            colors: colors.map(\.color), background: background, video: settings, audio: audio.settings(),
            track: audioStream, start: window.start?.value, end: window.end?.value, bitexact: outputOptions.bitexact,
            overwrite: outputOptions.overwrite, threads: job.threads, limits: job.limit.limits,
            tolerance: job.tolerance)
        if let width = video.width { request.width = width }
        if let height = video.height { request.height = height }
        if let fps = video.fps { request.frameRate = fps }
        if let backgroundColor { request.backgroundColor = backgroundColor.color }
        if let waveHeight { request.waveHeight = waveHeight }
        if let waveCenter { request.waveCenter = waveCenter }
        if let marginHorizontal { request.marginHorizontal = marginHorizontal }
        return .waveform(request)
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}

/// `#RRGGBB`.
struct ColorArgument: ExpressibleByArgument {
    var color: CaptionColor

    init?(argument: String) {
        guard let color = CaptionColor(argument) else { return nil }
        self.color = color
    }
}
