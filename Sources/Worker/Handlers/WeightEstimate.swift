import MediaKit

/// What encoding pictures will take, by what is known before it begins. Rough on purpose: it keeps two large encodes from
/// being run beside each other on a small machine, and leaves small ones at a core each.
struct WeightEstimate: Sendable, Hashable {
    /// CPU cores that the encoder keeps busy.
    var cores: Double
    /// Bytes.
    var memory: Int64

    /// - Parameters:
    ///   - input: the pixels of a decoded picture.
    ///   - output: the pixels of an encoded one.
    ///   - bits: of a sample.
    init(input: Int, output: Int, bits: Int = 8, video: VideoSettings) {
        // A million pixels a picture, about 720p, are a core's worth of H.264 at the usual preset.
        let effort = Double(output) / 1e6 * Self.codec(video.codec) * Self.preset(video.preset)
        cores = max(1, effort.rounded())
        // 4:2:0, which is what is encoded: 1.5 samples a pixel.
        let sample = bits > 8 ? 2.0 : 1.0
        let decoded = Double(input) * 1.5 * sample * Self.decodedPictures
        let encoded = Double(output) * 1.5 * sample * (Self.encodedPictures + 6 * cores)
        memory = Self.base + Int64(decoded + encoded)
    }

    /// What holds so many bytes until its end.
    init(held: Int64) {
        cores = 1
        memory = Self.base + held
    }

    /// For a request on an input that was looked at; `nil` where no picture is going to be encoded.
    init?(_ operation: some WritingOperation, _ info: MediaInfo) {
        guard let video = operation.encodedVideo, let source = Self.pictures(info) else { return nil }
        let pixels = source.width * source.height
        self.init(
            input: pixels, output: Self.outputPixels(source, video.size), bits: source.bitDepth ?? 8, video: video)
    }

    /// For a request on several inputs, of which the first tells what size the others get.
    ///
    /// - Parameters:
    ///   - inputs: all that are decoded.
    ///   - crossFade: what holds the end of each until the next has begun.
    init?(_ operation: some WritingOperation, _ first: MediaInfo, among inputs: [MediaInfo], crossFade: CrossFade?) {
        guard let video = operation.encodedVideo, let shown = Self.pictures(first) else { return nil }
        let all = inputs.compactMap(Self.pictures)
        let largest = all.map { $0.width * $0.height }.max() ?? 0
        let output = Self.outputPixels(shown, video.size)
        self.init(input: largest, output: output, bits: all.map { $0.bitDepth ?? 8 }.max() ?? 8, video: video)
        guard let crossFade else { return }
        let rate =
            video.frameRate?.rational.value ?? all.compactMap {
                $0.averageFrameRate.flatMap { FrameRate($0) }?.rational.value
            }.max() ?? 25
        memory += Int64(min(crossFade.seconds * min(rate, 120) * Double(output) * 1.5, Self.mostFaded))
    }

    private static func pictures(_ info: MediaInfo) -> MediaInfo.Video? {
        info.streams.filter { $0.kind == "video" }.compactMap(\.video).max {
            $0.width * $0.height < $1.width * $1.height
        }
    }

    /// What a size that is asked for comes to, shapes being kept.
    private static func outputPixels(_ source: MediaInfo.Video, _ size: PictureSize?) -> Int {
        let (width, height) = (max(1, source.displayWidth), max(1, source.displayHeight))
        guard let size else { return width * height }
        if size.fit != .contain, let width = size.width, let height = size.height { return width * height }
        let scale = min(
            size.width.map { Double($0) / Double(width) } ?? .infinity,
            size.height.map { Double($0) / Double(height) } ?? .infinity)
        let limited = size.enlarge ? scale : min(1, scale)
        return Int(min(Double(width) * limited * Double(height) * limited, 1e9))
    }

    /// Against H.264.
    private static func codec(_ codec: VideoCodec) -> Double {
        switch codec {
        case .hevc, .av1: 2
        case .vp9: 1.5
        case .auto, .h264, .copy, .none: 1
        }
    }

    /// Against veryfast, the default.
    private static func preset(_ preset: String?) -> Double {
        switch preset {
        case "ultrafast"?, "superfast"?: 0.5
        case "faster"?, "fast"?, "medium"?: 1.5
        case "slow"?, "slower"?, "veryslow"?, "placebo"?: 2
        default: 1
        }
    }

    /// The engine and its libraries, blocks read ahead and parts on their way.
    private static let base: Int64 = 192 << 20
    /// What the engine lets a cross-fade hold.
    private static let mostFaded = Double(1 << 30)
    /// Reference pictures, and those between the stages.
    private static let decodedPictures = 24.0
    /// x264's lookahead and references; each thread has some more.
    private static let encodedPictures = 60.0
}
