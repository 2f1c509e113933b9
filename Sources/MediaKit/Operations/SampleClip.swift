import ByteIO
import CAVShim

/// Makes a short clip to try things on: a moving test picture and a voice, with subtitles of the words that are
/// spoken, at the times at which they are spoken.
///
/// The voice is libavfilter's `flite`; where that is missing there is a tone instead, and a warning says so.
public struct SampleClip: MediaOperation, Equatable {
    /// "sample_clip".
    public static let name = "sample_clip"

    /// A location that the engine's resolver knows: a path, or `-`.
    public var output: String
    /// Where the words go, as SRT. Default: nowhere.
    public var subtitles: String?
    /// Seconds, 1…600. Default 12.
    public var seconds: Double
    /// Pixels, even. Default 1280 × 720.
    public var width: Int
    /// Pixels, even, 32…8192. Default 720.
    public var height: Int
    /// Pictures per second. Default 30.
    public var frameRate: FrameRate
    /// Default: by the output's name.
    public var container: Container?
    /// Whether the same request gives the same bytes, on the same libraries and with the same thread count. Default
    /// false.
    public var bitexact: Bool
    /// Whether outputs that are there already are replaced.
    public var overwrite: Bool
    /// Cores to use. Default: all that the process may use.
    public var threads: Int?

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        output: String, subtitles: String? = nil, seconds: Double = 12, width: Int = 1280, height: Int = 720,
        frameRate: FrameRate = FrameRate(Rational(30, 1)), container: Container? = nil, bitexact: Bool = false,
        overwrite: Bool = false, threads: Int? = nil
    ) {
        self.output = output
        self.subtitles = subtitles
        self.seconds = seconds
        self.width = width
        self.height = height
        self.frameRate = frameRate
        self.container = container
        self.bitexact = bitexact
        self.overwrite = overwrite
        self.threads = threads
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case output, subtitles, seconds, width, height, frameRate, container, bitexact, overwrite, threads
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        self.init(output: try values.decode(String.self, forKey: .output))
        subtitles = try values.decodeIfPresent(String.self, forKey: .subtitles)
        seconds = try values.decodeIfPresent(Double.self, forKey: .seconds) ?? seconds
        width = try values.decodeIfPresent(Int.self, forKey: .width) ?? width
        height = try values.decodeIfPresent(Int.self, forKey: .height) ?? height
        frameRate = try values.decodeIfPresent(FrameRate.self, forKey: .frameRate) ?? frameRate
        container = try values.decodeIfPresent(Container.self, forKey: .container)
        bitexact = try values.decodeIfPresent(Bool.self, forKey: .bitexact) ?? bitexact
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? overwrite
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
    }

    public func validate() throws {
        guard (1...600).contains(seconds) else {
            throw MediaError(.badRequest, "seconds must lie between 1 and 600, not \(seconds)")
        }
        for (name, value) in [("width", width), ("height", height)] {
            guard (32...8192).contains(value), value % 2 == 0 else {
                throw MediaError(.badRequest, "\(name) must be an even number from 32 to 8192, not \(value)")
            }
        }
        guard frameRate.rational.value <= 240 else {
            throw MediaError(.badRequest, "frameRate must be at most 240, not \(frameRate)")
        }
        try validateThreads(threads)
        let container = try Container.resolve(container, output: output)
        guard container.holdsVideo else {
            throw MediaError(
                .badRequest, "a \(container.rawValue) file holds no pictures", hint: "choose mp4, mov, mkv or webm")
        }
        if subtitles == output { throw MediaError(.badRequest, "the clip and its subtitles need two names") }
    }

    public var request: MediaRequest { .sampleClip(self) }

    public static func output(of result: MediaResult) -> SampleClipResult? {
        if case .sample(let result) = result { result } else { nil }
    }
}

/// What ``SampleClip`` has made.
public struct SampleClipResult: Codable, Sendable, Equatable {
    /// Words and when they are spoken, in seconds.
    public struct Cue: Codable, Sendable, Equatable {
        /// Seconds at which the words begin.
        public var start: Double
        /// Seconds at which the words end.
        public var end: Double
        /// One sentence, as it is spoken.
        public var text: String
    }

    /// Where it was written, as the request named it.
    public var output: String
    /// Where the words were written, as the request named it; `nil` if nowhere.
    public var subtitles: String?
    /// The container that was written.
    public var container: Container
    /// Seconds: the end of the longest stream.
    public var duration: Double
    /// Bytes of the clip.
    public var bytes: Int64
    /// Whether the words are spoken; if not, a tone sounds instead.
    public var isSpoken: Bool
    /// In the order in which they are spoken; the times are those of the SRT file.
    public var cues: [Cue]
    /// Seconds on the clock.
    public var wallSeconds: Double
    /// CPU seconds of the process meanwhile; jobs at the same time are counted together.
    public var cpuSeconds: Double
    /// What a user should know, each once and 200 at most, in the order in which it was found.
    public var warnings: [MediaWarning]
}

extension SampleClip: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads) }

    func execute(_ job: Job) throws -> MediaResult {
        let container = try Container.resolve(container, output: output)
        let sink = try job.sink(output, overwrite: overwrite)
        let subtitleSink = try subtitles.map { try job.sink($0, overwrite: overwrite) }
        let script = try SampleScript(seconds: seconds, control: job.control)
        let graph = try graph(script, container: container, sink: sink, job: job)
        job.control.progress.expect(microseconds: Int64(clamping: seconds * 1e6))

        let target = OutputTarget(sink: sink, reservedIndexBytes: reservedIndexBytes(container, sink))
        let report = try GraphRunner(
            graph: graph, demuxers: [], targets: [target], tolerance: Tolerance(), control: job.control,
            progress: job.progress
        ).run()
        do {
            try Array(script.srt.utf8).withUnsafeBytes { try subtitleSink?.write($0) }
        } catch {
            throw MediaError.wrapping(error, input: subtitles)
        }
        try Publication.publish([sink] + (subtitleSink.map { [$0] } ?? []))
        let elapsed = job.elapsed
        return .sample(
            SampleClipResult(
                output: output, subtitles: subtitles, container: container,
                duration: Double(report.muxed[0].compactMap(\.end).max() ?? 0) / 1e6, bytes: target.size,
                isSpoken: script.isSpoken, cues: script.cues, wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu,
                warnings: job.control.warnings.all))
    }

    private func graph(
        _ script: SampleScript, container: Container, sink: any ByteSink, job: Job
    ) throws -> MediaGraph {
        let video = try VideoEncoderChoice(
            codec: container.usualVideoCodec, video: VideoSettings(), container: container, budget: job.control.budget,
            bitexact: bitexact, pass: nil, statisticsPath: nil)
        let audio = try AudioEncoderChoice(
            codec: container.usualAudioCodec, audio: AudioSettings(), container: container, sourceChannels: 2,
            sourceBits: 16, bitexact: bitexact)
        var output = MediaGraph.Output(container: container.muxer)
        output.bitexact = bitexact
        if container.isMovie, sink.rewritableHead == 0 {
            output.options = Container.fragmented
        }
        output.streams = [
            MediaGraph.OutputStream(disposition: AV_DISPOSITION_DEFAULT),
            MediaGraph.OutputStream(tags: [("language", "eng")], disposition: AV_DISPOSITION_DEFAULT),
        ]
        var graph = MediaGraph()
        graph.branches = [
            MediaGraph.Branch(
                sources: [], filter: .generator(picture, isPicture: true),
                target: .encode(video.settings, to: [MediaGraph.OutputSlot(output: 0, stream: 0)])),
            MediaGraph.Branch(
                sources: [], filter: .generator(try script.sound(audio.plan), isPicture: false),
                target: .encode(audio.settings, to: [MediaGraph.OutputSlot(output: 0, stream: 1)])),
        ]
        graph.outputs = [output]
        return graph
    }

    private var picture: FilterText {
        var text = FilterText()
        text.append(
            "testsrc2", [("size", "\(width)x\(height)"), ("rate", "\(frameRate)"), ("duration", "\(seconds)")])
        text.append("format", [("pix_fmts", "yuv420p")])
        // The source draws with BT.601 whatever the size.
        text.append("scale", [("in_color_matrix", "bt601"), ("out_color_matrix", "bt709"), ("out_range", "tv")])
        text.append(
            "setparams",
            [
                ("range", "tv"), ("color_primaries", "bt709"), ("color_trc", "bt709"), ("colorspace", "bt709"),
            ])
        return text
    }

    private func reservedIndexBytes(_ container: Container, _ sink: any ByteSink) -> Int? {
        guard container.isMovie, sink.rewritableHead > 0 else { return nil }
        var outline = MovieOutline()
        outline.tracks = 2
        outline.videoFrames = Int64((seconds * frameRate.rational.value).rounded(.up)) + 8
        outline.audioFrames = Int64((seconds * 48_000 / 1024).rounded(.up)) + 8
        return ProgressiveMovieOutput.estimateIndexBytes(outline)
    }
}
