import ArgumentParser
import MediaKit

struct BurnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burn", abstract: "Draw subtitles into a video's pictures.",
        discussion: """
            SRT, WebVTT and ASS are read in any usual encoding, transcripts in Kiln's JSON. The sound is copied where the \
            output takes it.

              kiln burn talk.mp4 talk.srt captioned.mp4
              kiln burn film.mkv embedded:1 captioned.mp4 --crf 20
              kiln burn talk.mp4 talk.vtt captioned.mp4 --style '{"fontSize": 0.08, "fillColor": "#FFEE00"}'
              kiln burn talk.mp4 captioned.mp4 --subtitles talk.json --captions karaoke
            """)

    @Argument(help: "The video to read: a path, a URL (s3, https, http, store) or - for standard input.")
    var input: String
    @Argument(
        help: ArgumentHelp(
            "A subtitle file, transcript or URL, - for standard input, or embedded[:N] for a text track of the video. "
                + "Left out where --subtitles is given.", valueName: "subtitles"))
    var second: String
    @Argument(help: ArgumentHelp("The file to make: a path, a URL or - for standard output.", valueName: "output"))
    var third: String?
    @Option(name: .customLong("subtitles"), help: "What is burnt in, instead of the second argument.")
    var subtitleOption: SubtitleArgument?
    @Option(
        help: ArgumentHelp(
            "A look whose words can light up: \(CaptionLookArgument.names), or JSON, or @FILE with JSON."))
    var captions: String?
    @Option(help: "How SRT and WebVTT look, as JSON or @FILE with JSON.")
    var style: String?
    @Flag(help: "Let the style replace those of ASS subtitles, too.")
    var overrideStyles = false
    @Option(name: .customLong("font-file"), help: "A font file to look in before the system's; may be repeated.")
    var fontFiles: [String] = []
    @Flag(help: "Fail if a font or a character's glyph is missing.")
    var strictFonts = false
    @OptionGroup(title: "Video") var video: VideoOptions
    @OptionGroup(title: "Audio") var audio: AudioOptions
    @OptionGroup(title: "What is used") var window: WindowOptions
    @OptionGroup(title: "What is used") var streams: StreamOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @OptionGroup(title: "Output") var layout: LayoutOptions
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        let (subtitles, _) = try places
        if input == "-", subtitles == .file("-") {
            throw ValidationError("Only one of the video and the subtitles can come from standard input")
        }
    }

    /// Subtitles and output, from two or three arguments.
    private var places: (subtitles: SubtitleInput, output: String) {
        get throws {
            switch (subtitleOption, third) {
            case (let option?, nil): return (option.input, second)
            case (.some, .some): throw ValidationError("Subtitles are given twice: as an argument and by --subtitles")
            case (nil, let output?):
                guard let argument = SubtitleArgument(argument: second) else {
                    throw ValidationError("\"\(second)\" is no track: write embedded:N with a number from 0")
                }
                return (argument.input, output)
            case (nil, nil): throw ValidationError("Missing expected argument '<output>'")
            }
        }
    }

    var request: MediaRequest {
        get throws {
            let (subtitles, output) = try places
            return .burnSubtitles(
                BurnSubtitles(
                    input: input, subtitles: subtitles, output: output, style: try captionStyle,
                    overridesStyles: overrideStyles, captions: try captions.map(CaptionLookArgument.look),
                    fonts: fontFiles, strictFonts: strictFonts,
                    container: outputOptions.container, video: video.settings(), audio: audio.settings(),
                    streams: streams.selection, start: window.start?.value, end: window.end?.value,
                    indexFirst: !layout.noIndexFirst, bitexact: outputOptions.bitexact,
                    overwrite: outputOptions.overwrite, threads: job.threads, limits: job.limit.limits,
                    tolerance: job.tolerance))
        }
    }

    private var captionStyle: CaptionStyle {
        get throws {
            guard let style else { return CaptionStyle() }
            guard style.hasPrefix("@") else {
                return try JSONText.decode(CaptionStyle.self, from: Array(style.utf8), name: "--style")
            }
            let file = String(style.dropFirst())
            return try JSONText.decode(CaptionStyle.self, from: RequestFile.read(file), name: file)
        }
    }

    func run() async throws {
        try await RequestRunner(report: report).run { try request }
    }
}

/// A look by the name of its preset, as JSON, or in a file.
enum CaptionLookArgument {
    static let names = CaptionLook.Preset.allCases.map(\.rawValue).joined(separator: ", ")

    static func look(_ argument: String) throws -> CaptionLook {
        if argument.hasPrefix("@") {
            let file = String(argument.dropFirst())
            return try JSONText.decode(CaptionLook.self, from: RequestFile.read(file), name: file)
        }
        if argument.hasPrefix("{") {
            return try JSONText.decode(CaptionLook.self, from: Array(argument.utf8), name: "--captions")
        }
        guard let preset = CaptionLook.Preset(rawValue: argument.lowercased()) else {
            throw ValidationError("\"\(argument)\" is no look of captions; there are \(names), or JSON")
        }
        return CaptionLook(preset: preset)
    }
}

/// Where subtitles come from: a file, `-`, or a track within the video.
struct SubtitleArgument: ExpressibleByArgument {
    var input: SubtitleInput

    init?(argument: String) {
        if argument == "embedded" {
            input = .embedded(nil)
        } else if argument.hasPrefix("embedded:") {
            guard let track = Int(argument.dropFirst("embedded:".count)), track >= 0 else { return nil }
            input = .embedded(track)
        } else {
            input = .file(argument)
        }
    }
}
