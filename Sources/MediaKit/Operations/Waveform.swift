/// Makes a video, or with the name of an image a single picture, out of sound.
///
/// The sound is carried along: copied where the container takes it, else encoded. The pictures end where the sound does.
///
/// ```swift
/// let made = try await MediaEngine().run(
///     Waveform(input: "call.wav", output: "call.mp4", colors: [.white, CaptionColor(red: 255, green: 183, blue: 77)]))
/// ```
public struct Waveform: MediaOperation, Equatable {
    /// "waveform".
    public static let name = "waveform"

    /// What is drawn.
    public enum Style: String, Codable, Sendable, CaseIterable {
        /// The wave as one line.
        case line
        /// Broad bars, even on both sides of the middle.
        case bars
        /// The wave filled, even on both sides of the middle.
        case centered
        /// Which frequencies sound, over time: a spectrogram that moves to the left.
        case spectrum
        /// How loud each frequency is at the moment, the low ones on the left.
        case frequencies
    }

    /// What becomes of several channels.
    public enum Channels: String, Codable, Sendable, CaseIterable {
        /// They are mixed and drawn once.
        case mixed
        /// Each in its colour, over each other.
        case overlaid
        /// Each in its colour, one below the other.
        case separate
    }

    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// Where the result goes: a video's name, or one that ends in jpg, png or webp for a single picture of all the sound.
    public var output: String
    /// Default: by the output's name.
    public var container: Container?
    /// What is drawn. Default: centered.
    public var style: Style
    /// Pixels, even. Default 1280.
    public var width: Int
    /// Pixels, even. Default 720.
    public var height: Int
    /// Pictures per second. Default 25.
    public var frameRate: FrameRate
    /// What becomes of several channels; a spectrum is always of all of them. Default: drawn apart if two colours or more
    /// are named, else mixed.
    public var channels: Channels?
    /// Of each channel, the first of which colours a spectrum. Default: light ones that differ; a spectrum has all the
    /// colours of a flame.
    public var colors: [CaptionColor]
    /// Default: black.
    public var backgroundColor: CaptionColor
    /// The location of a picture behind, which fills the frame; what sticks out is cut off. Default: none.
    public var background: String?
    /// The part of the frame's height that the wave takes, 0.05…1. Default 0.6.
    public var waveHeight: Double
    /// Where the middle of the wave lies, from 0 at the top to 1. Default 0.5.
    public var waveCenter: Double
    /// The part of the frame's width that is left free on both sides, 0…0.45. Default 0.05.
    public var marginHorizontal: Double
    /// How the pictures are encoded. Their size and rate are the operation's own.
    public var video: VideoSettings
    /// How the sound is made. Default: copied if the container takes it and nothing that is asked changes it.
    public var audio: AudioSettings
    /// The sound stream, counted from 0. Default: the one that a player would choose.
    public var track: Int?
    /// Seconds of the input at which the result begins.
    public var start: Double?
    /// Seconds of the input at which the result ends, after `start`; `nil` is the end of the input.
    public var end: Double?
    /// Whether the same request gives the same bytes, on the same libraries and with the same thread count. Default
    /// false.
    public var bitexact: Bool
    /// Whether an output that is there already is replaced. Default false.
    public var overwrite: Bool
    /// Cores to use. Default: all that the process may use.
    public var threads: Int?
    /// Bounds on what the job may take; beyond lies a `resource_limit` error.
    public var limits: Limits
    /// How much damage of the input is put up with. Default: 5 % of a stream's frames lost.
    public var tolerance: Tolerance

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        input: String, output: String, container: Container? = nil, style: Style = .centered, width: Int = 1280,
        height: Int = 720, frameRate: FrameRate = FrameRate(Rational(25, 1)), channels: Channels? = nil,
        colors: [CaptionColor] = [], backgroundColor: CaptionColor = .black, background: String? = nil,
        waveHeight: Double = 0.6, waveCenter: Double = 0.5, marginHorizontal: Double = 0.05,
        video: VideoSettings = VideoSettings(), audio: AudioSettings = AudioSettings(), track: Int? = nil,
        start: Double? = nil, end: Double? = nil, bitexact: Bool = false, overwrite: Bool = false,
        threads: Int? = nil, limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.output = output
        self.container = container
        self.style = style
        self.width = width
        self.height = height
        self.frameRate = frameRate
        self.channels = channels
        self.colors = colors
        self.backgroundColor = backgroundColor
        self.background = background
        self.waveHeight = waveHeight
        self.waveCenter = waveCenter
        self.marginHorizontal = marginHorizontal
        self.video = video
        self.audio = audio
        self.track = track
        self.start = start
        self.end = end
        self.bitexact = bitexact
        self.overwrite = overwrite
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, output, container, style, width, height, frameRate, channels, colors, backgroundColor, background
        case waveHeight, waveCenter, marginHorizontal, video, audio, track, start, end, bitexact, overwrite, threads
        case limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        self.init(
            input: try values.decode(String.self, forKey: .input),
            output: try values.decode(String.self, forKey: .output))
        container = try values.decodeIfPresent(Container.self, forKey: .container)
        style = try values.decodeIfPresent(Style.self, forKey: .style) ?? style
        width = try values.decodeIfPresent(Int.self, forKey: .width) ?? width
        height = try values.decodeIfPresent(Int.self, forKey: .height) ?? height
        frameRate = try values.decodeIfPresent(FrameRate.self, forKey: .frameRate) ?? frameRate
        channels = try values.decodeIfPresent(Channels.self, forKey: .channels)
        colors = try values.decodeIfPresent([CaptionColor].self, forKey: .colors) ?? colors
        backgroundColor =
            try values.decodeIfPresent(CaptionColor.self, forKey: .backgroundColor) ?? backgroundColor
        background = try values.decodeIfPresent(String.self, forKey: .background)
        waveHeight = try values.decodeIfPresent(Double.self, forKey: .waveHeight) ?? waveHeight
        waveCenter = try values.decodeIfPresent(Double.self, forKey: .waveCenter) ?? waveCenter
        marginHorizontal = try values.decodeIfPresent(Double.self, forKey: .marginHorizontal) ?? marginHorizontal
        video = try values.decodeIfPresent(VideoSettings.self, forKey: .video) ?? video
        audio = try values.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? audio
        track = try values.decodeIfPresent(Int.self, forKey: .track)
        start = try values.decodeIfPresent(Double.self, forKey: .start)
        end = try values.decodeIfPresent(Double.self, forKey: .end)
        bitexact = try values.decodeIfPresent(Bool.self, forKey: .bitexact) ?? bitexact
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? overwrite
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? limits
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? tolerance
    }

    public func validate() throws {
        try video.validate()
        try audio.validate()
        try limits.validate()
        try tolerance.validate()
        try validateWindow(start: start, end: end)
        try validateThreads(threads)
        if input == "-", background == "-" {
            throw MediaError(.badRequest, "only one input can come from standard input")
        }
        for (name, value) in [("width", width), ("height", height)] {
            guard (64...8192).contains(value), value % 2 == 0 else {
                throw MediaError(.badRequest, "\(name) must be an even number from 64 to 8192, not \(value)")
            }
        }
        guard (1...120).contains(frameRate.rational.value) else {
            throw MediaError(.badRequest, "frameRate must lie between 1 and 120, not \(frameRate)")
        }
        guard colors.count <= 8 else { throw MediaError(.badRequest, "there can be at most 8 colors") }
        guard colors.allSatisfy({ $0.alpha == 255 }), backgroundColor.alpha == 255 else {
            throw MediaError(.badRequest, "the colours of a wave are opaque", hint: "write #RRGGBB")
        }
        let parts: [(String, Double, ClosedRange<Double>)] = [
            ("waveHeight", waveHeight, 0.05...1), ("waveCenter", waveCenter, 0...1),
            ("marginHorizontal", marginHorizontal, 0...0.45),
        ]
        for (name, value, range) in parts where !range.contains(value) {
            throw MediaError(
                .badRequest, "\(name) must lie between \(range.lowerBound) and \(range.upperBound), not \(value)")
        }
        if video.codec == .copy || video.codec == .none {
            throw MediaError(.badRequest, "a wave is encoded: video.codec cannot be \"\(video.codec.rawValue)\"")
        }
        if video.size != nil || video.frameRate != nil {
            throw MediaError(
                .badRequest, "the size and rate of a wave are its own", hint: "set width, height and frameRate instead")
        }
        guard imageFormat == nil else {
            guard style != .frequencies else {
                throw MediaError(
                    .badRequest, "frequencies are those of a moment, and a single picture is of all the sound",
                    hint: "choose spectrum, or make a video")
            }
            return
        }
        let container = try Container.resolve(container, output: output)
        guard container.holdsVideo else {
            throw MediaError(
                .badRequest, "a \(container.rawValue) file holds no pictures",
                hint: "choose mp4, mov, mkv or webm, or jpg, png or webp for a single picture")
        }
    }

    public var request: MediaRequest { .waveform(self) }

    public static func output(of result: MediaResult) -> WaveformResult? {
        if case .waveform(let result) = result { result } else { nil }
    }
}

/// What ``Waveform`` has made.
public struct WaveformResult: Codable, Sendable, Equatable {
    /// Where it was written, as the request named it.
    public var output: String
    /// The container that was written; `nil` for a single picture.
    public var container: Container?
    /// The format of a single picture; `nil` for a video.
    public var format: ImageFormat?
    /// Pixels.
    public var width: Int
    /// Pixels.
    public var height: Int
    /// Seconds of the longest stream; of a single picture, 0.
    public var duration: Double
    /// Bytes of the output.
    public var bytes: Int64
    /// In the output's order; empty for a single picture.
    public var streams: [RenderResult.Stream]
    /// Seconds on the clock.
    public var wallSeconds: Double
    /// CPU seconds of the process meanwhile; jobs at the same time are counted together.
    public var cpuSeconds: Double
    /// Bytes read from the inputs.
    public var bytesRead: Int64
    /// What a user should know, each once and 200 at most, in the order in which it was found.
    public var warnings: [MediaWarning]
    /// The libraries that made it: a result is only reproducible with the same.
    public var libraries: [LibavLibrary.Version]
}

extension Waveform: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        .waveform(try imageFormat.map { try StillWave(self, format: $0, job: job).run() } ?? film(job))
    }

    /// What the sound of a single picture takes, which is held until its end.
    static let mostHeldBytes = 256 << 20
    /// Hz below which too little would be seen of it.
    private static let lowestRate = 4000

    /// The rate at which sound of that length is held for a single picture: the higher, the more is seen.
    ///
    /// - Returns: `nil` if there is too much of it.
    func heldRate(seconds: Double, sampleRate: Int, channels: Int) -> Int? {
        let most = style == .spectrum ? sampleRate : min(8000, sampleRate)
        let affordable = Double(Self.mostHeldBytes) / Double(heldBytes(channels: channels)) / max(seconds, 0.001)
        guard affordable < Double(most) else { return most }
        return affordable >= Double(Self.lowestRate) ? Int(affordable) : nil
    }

    /// Bytes of a moment of sound that has so many channels.
    func heldBytes(channels count: Int) -> Int {
        if style == .spectrum { return 4 }
        let areApart = channels.map { $0 != .mixed } ?? (colors.count > 1)
        return 2 * (areApart ? max(1, count) : 1)
    }

    /// Bytes that are held of sound for a single picture; 0 for a film.
    package func heldBytes(seconds: Double, sampleRate: Int, channels: Int) -> Int64 {
        guard imageFormat != nil else { return 0 }
        let rate = heldRate(seconds: seconds, sampleRate: sampleRate, channels: channels) ?? Self.lowestRate
        return min(
            Int64(Self.mostHeldBytes), Int64(seconds * Double(rate) * Double(heldBytes(channels: channels))))
    }

    /// The format of a single picture, if that is what is asked for.
    var imageFormat: ImageFormat? { container == nil ? ImageFormat(fileName: output) : nil }

    private func film(_ job: Job) throws -> WaveformResult {
        var streams = StreamSelection(subtitles: .indices([]))
        if let track { streams.audio = .indices([track]) }
        let transcode = Transcode(
            input: input, output: output, container: container, video: video, audio: audio, streams: streams,
            start: start, end: end, bitexact: bitexact, overwrite: overwrite, limits: limits, tolerance: tolerance)
        let made = try Rendering(transcode, job: job, drawing: { try WaveDrawing(self, job: job) }).run()
        return WaveformResult(
            output: made.output, container: made.container, width: width, height: height, duration: made.duration,
            bytes: made.bytes, streams: made.streams, wallSeconds: made.wallSeconds, cpuSeconds: made.cpuSeconds,
            bytesRead: made.bytesRead, warnings: made.warnings, libraries: made.libraries)
    }

    /// What the filters are told, but for the encoder's wishes.
    var plan: WavePlan {
        func even(_ value: Double) -> Int { Int((value / 2).rounded()) * 2 }
        let areaWidth = max(16, min(width, even(Double(width) * (1 - 2 * marginHorizontal))))
        let areaHeight = max(16, min(height, even(Double(height) * waveHeight)))
        let top = even(Double(height) * waveCenter - Double(areaHeight) / 2)
        let area = WavePlan.Area(
            x: even(Double(width - areaWidth) / 2), y: max(0, min(height - areaHeight, top)), width: areaWidth,
            height: areaHeight)
        var plan = WavePlan(style: style, width: width, height: height, frameRate: frameRate.rational, area: area)
        plan.colors = colors
        plan.backgroundColor = backgroundColor
        plan.channels = channels
        return plan
    }
}
