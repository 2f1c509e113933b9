import ArgumentParser
import MediaKit

/// How pictures are made.
struct VideoOptions: ParsableArguments {
    @Option(help: "auto, copy, h264, hevc, av1, vp9, or none.")
    var videoCodec: VideoCodec?
    @Option(help: "Constant quality on the encoder's scale, lower is better (default: 23 for h264).")
    var crf: Double?
    @Option(help: "Average bits per second instead of --crf, such as 2.5M.")
    var videoBitrate: Quantity?
    @Option(help: "Bits per second at most, over --buffer-size.")
    var maxBitrate: Quantity?
    @Option(help: "Bits of the decoder's buffer.")
    var bufferSize: Quantity?
    @Flag(help: "Encode twice, for --video-bitrate.")
    var twoPass = false
    @Option(help: "Speed against size, from ultrafast to placebo (default: veryfast).")
    var preset: String?
    @Option(help: "The encoder's own: film, animation, …")
    var tune: String?
    @Option(help: "baseline, main, high, main10, …")
    var profile: String?
    @Option(help: "Such as 4.1.")
    var level: String?
    @Option(help: "Seconds between key frames at most.")
    var gopSeconds: Double?
    @Option(help: "A libav pixel format, such as yuv420p10le.")
    var pixelFormat: String?
    @Option(help: "Pixels.")
    var width: Int?
    @Option(help: "Pixels; what is missing follows from the picture's shape.")
    var height: Int?
    @Option(help: "How another shape goes into width and height: contain, cover or stretch (default: contain).")
    var fit: PictureSize.Fit?
    @Flag(help: "Let a picture become larger than it is.")
    var enlarge = false
    @Option(help: "A constant frame rate: 25, 29.97, 30000/1001.")
    var fps: FrameRate?
    @Flag(help: "Leave interlaced pictures as they are.")
    var noDeinterlace = false

    func validate() throws {
        if width == nil, height == nil, fit != nil || enlarge {
            throw ValidationError("--fit and --enlarge need --width or --height")
        }
    }

    /// - Parameter usual: the codec where none is named.
    func settings(usual: VideoCodec = .auto) -> VideoSettings {
        var settings = VideoSettings(codec: videoCodec ?? usual)
        settings.crf = crf
        settings.bitRate = videoBitrate?.value
        settings.maximumBitRate = maxBitrate?.value
        settings.bufferSize = bufferSize?.value
        settings.twoPass = twoPass
        settings.preset = preset
        settings.tune = tune
        settings.profile = profile
        settings.level = level
        settings.gopSeconds = gopSeconds
        settings.pixelFormat = pixelFormat
        if width != nil || height != nil {
            settings.size = PictureSize(width: width, height: height, fit: fit ?? .contain, enlarge: enlarge)
        }
        settings.frameRate = fps
        settings.deinterlace = !noDeinterlace
        return settings
    }
}
