public import ArgumentParser
public import MediaKit

extension ImageFormat: ExpressibleByArgument {}

struct ThumbnailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "thumbnail", abstract: "Take pictures out of a video.",
        discussion: """
            Without a moment the best picture of the whole film is looked for. Of a file of sound it is the cover.

              kiln thumbnail talk.mp4 talk.jpg --width 640
              kiln thumbnail talk.mp4 'talk-{n}.webp' --at 5 --at 50% --at 1:30
              kiln thumbnail talk.mp4 'talk-{n}.jpg' --count 10
            """)

    @Argument(help: "The file to read: a path, a URL (s3, https, http, store) or - for standard input.")
    var input: String
    @Argument(help: "jpg, png or webp, or -. Of several pictures, {n} is the number.")
    var output: String
    @Option(help: "A moment: seconds, HH:MM:SS.mmm, or a share of the length such as 50%. May be given more than once.")
    var at: [MomentArgument] = []
    @Option(help: "How many pictures are looked for (default: 1).")
    var count: Int?
    @Option(help: "jpg, png or webp (default: by the output's name).")
    var format: ImageFormat?
    @Option(help: "1 to 100, for jpg and webp (default: 85).")
    var quality: Int?
    @Option(help: "Pixels.")
    var width: Int?
    @Option(help: "Pixels; what is missing follows from the picture's shape.")
    var height: Int?
    @Option(help: "How another shape goes into width and height: contain, cover or stretch (default: contain).")
    var fit: PictureSize.Fit?
    @Flag(help: "Let a picture become larger than it is.")
    var enlarge = false
    @Option(help: "The video stream, counted from 0 among its kind (default: the largest).")
    var videoStream: Int?
    @Flag(name: [.customShort("y"), .long], help: "Replace a file that is there already.")
    var overwrite = false
    @OptionGroup(title: "Job") var job: JobOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if width == nil, height == nil, fit != nil || enlarge {
            throw ValidationError("--fit and --enlarge need --width or --height")
        }
    }

    var request: MediaRequest {
        var request = Thumbnail(
            input: input, output: output, format: format, at: at.map(\.moment), track: videoStream,
            overwrite: overwrite, threads: job.threads, limits: job.limit.limits, tolerance: job.tolerance)
        if let count { request.count = count }
        if let quality { request.quality = quality }
        if width != nil || height != nil {
            request.size = PictureSize(width: width, height: height, fit: fit ?? .contain, enlarge: enlarge)
        }
        return .thumbnail(request)
    }

    func run() async throws { try await RequestRunner(report: report).run(request) }
}

/// "12.5", "1:30" or "50%".
struct MomentArgument: ExpressibleByArgument {
    var moment: Thumbnail.Moment

    init?(argument: String) {
        if argument.hasSuffix("%") {
            guard let moment = Thumbnail.Moment(argument) else { return nil }
            self.moment = moment
        } else {
            guard let seconds = Seconds(argument: argument) else { return nil }
            moment = .seconds(seconds.value)
        }
    }
}
