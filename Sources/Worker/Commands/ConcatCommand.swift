import ArgumentParser
import MediaKit

struct ConcatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concat", abstract: "Join clips and still images to one video.",
        discussion: """
            Sizes, rates, colours and sound may differ: all become what the first one is, unless it is said otherwise. \
            Clips without sound are silent. What each clip's start, end and fit are can be said in a request (kiln run).

              kiln concat intro.mp4 talk.mov outro.mp4 film.mp4
              kiln concat title.png talk.mov film.mp4 --fade 0.5 --still-duration 3 --width 1280 --height 720
              kiln concat one.jpg two.jpg slides.mp4 --sound call.wav --fade 1
            """)

    @Argument(help: "The clips in their order, and the file to make: paths, URLs (s3, https, http, store) or -.")
    var files: [String]
    @OptionGroup(title: "Sequence") var sequence: SequenceOptions
    @Option(help: "Seconds that each still image is shown (default: 5).")
    var stillDuration: Seconds?
    @Option(help: "Sound to hear instead of the clips' own; the video ends with it.")
    var sound: String?
    @Option(help: "Repeat or cut the clips to exactly that: seconds, or HH:MM:SS.mmm.")
    var length: Seconds?
    @OptionGroup(title: "Video") var video: VideoOptions
    @OptionGroup(title: "Audio") var audio: AudioOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions
    @OptionGroup(title: "Output") var layout: LayoutOptions
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard files.count >= 2 else { throw ValidationError("Give at least one clip, and the file to make") }
    }

    var request: MediaRequest {
        let clips = files.dropLast().map { file in
            // Whether a file is a still is only seen in it; its name tells what the option is meant for.
            Clip(input: file, duration: Self.looksStill(file) ? stillDuration?.value : nil)
        }
        return .concatenateClips(
            ConcatenateClips(
                clips: clips, output: files.last ?? "", crossFade: sequence.crossFade, sound: sound,
                length: length?.value, background: sequence.background, container: outputOptions.container,
                video: video.settings(), audio: audio.settings(), indexFirst: !layout.noIndexFirst,
                bitexact: outputOptions.bitexact, overwrite: outputOptions.overwrite, threads: job.threads,
                limits: job.limit.limits, tolerance: job.tolerance))
    }

    private static func looksStill(_ file: String) -> Bool {
        let name = file.split(separator: "?", maxSplits: 1).first.map(String.init) ?? file
        let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        return ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "avif", "heic", "jxl"].contains(ending)
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}
