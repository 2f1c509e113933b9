/// Repeats a clip, or shows a still image, for an exact time: a number of seconds, or as long as another file's sound.
///
/// ```swift
/// let result = try await MediaEngine().run(
///     LoopTo(input: "waves.mp4", output: "call.mp4", match: "call.wav", crossFade: CrossFade(seconds: 1)))
/// ```
public struct LoopTo: MediaOperation, Equatable {
    /// "loop_to".
    public static let name = "loop_to"

    /// What is heard.
    public enum Sound: String, Codable, Sendable, CaseIterable {
        /// The clip's own, as often as the clip is shown.
        case repeated
        /// That of the file in `match`.
        case matched
        /// Nothing.
        case none
    }

    /// A location that the engine's resolver knows.
    public var input: String
    /// Where the result goes: a location that the engine's resolver knows, or `-`.
    public var output: String
    /// Seconds of the result; either this or `match`.
    public var length: Double?
    /// A location whose sound tells how long the result is, to the sample.
    public var match: String?
    /// Default: matched where `match` is given, else repeated.
    public var sound: Sound?
    /// How the clip's end goes over into its beginning. Default: a hard cut.
    public var crossFade: CrossFade?
    /// Seconds of the clip at which each round begins. Default: its beginning.
    public var start: Double?
    /// Seconds of the clip at which each round ends. Default: its end.
    public var end: Double?
    /// What is seen around pictures that do not fill the frame. Default black.
    public var background: CaptionColor
    /// Default: by the output's name.
    public var container: Container?
    /// How the pictures are made; the codecs `copy` and `none` are refused. Default size and rate: the clip's, upright
    /// and in square pixels; 25 pictures per second of a still.
    public var video: VideoSettings
    /// How the sound is made; the codec `copy` is refused.
    public var audio: AudioSettings
    /// Whether an MP4 or MOV has its index in front, so that it plays while it is loaded. Default true.
    public var indexFirst: Bool
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
        input: String, output: String, length: Double? = nil, match: String? = nil, sound: Sound? = nil,
        crossFade: CrossFade? = nil, start: Double? = nil, end: Double? = nil, background: CaptionColor = .black,
        container: Container? = nil, video: VideoSettings = VideoSettings(), audio: AudioSettings = AudioSettings(),
        indexFirst: Bool = true, bitexact: Bool = false, overwrite: Bool = false, threads: Int? = nil,
        limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.output = output
        self.length = length
        self.match = match
        self.sound = sound
        self.crossFade = crossFade
        self.start = start
        self.end = end
        self.background = background
        self.container = container
        self.video = video
        self.audio = audio
        self.indexFirst = indexFirst
        self.bitexact = bitexact
        self.overwrite = overwrite
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, output, length, match, sound, crossFade, start, end, background, container, video, audio
        case indexFirst, bitexact, overwrite, threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        input = try values.decode(String.self, forKey: .input)
        output = try values.decode(String.self, forKey: .output)
        length = try values.decodeIfPresent(Double.self, forKey: .length)
        match = try values.decodeIfPresent(String.self, forKey: .match)
        sound = try values.decodeIfPresent(Sound.self, forKey: .sound)
        crossFade = try values.decodeIfPresent(CrossFade.self, forKey: .crossFade)
        start = try values.decodeIfPresent(Double.self, forKey: .start)
        end = try values.decodeIfPresent(Double.self, forKey: .end)
        background = try values.decodeIfPresent(CaptionColor.self, forKey: .background) ?? .black
        container = try values.decodeIfPresent(Container.self, forKey: .container)
        video = try values.decodeIfPresent(VideoSettings.self, forKey: .video) ?? VideoSettings()
        audio = try values.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? AudioSettings()
        indexFirst = try values.decodeIfPresent(Bool.self, forKey: .indexFirst) ?? true
        bitexact = try values.decodeIfPresent(Bool.self, forKey: .bitexact) ?? false
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? false
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? Tolerance()
    }

    public func validate() throws {
        guard (length == nil) != (match == nil) else {
            throw MediaError(.badRequest, "either length or match says how long the result is; one of them is needed")
        }
        if sound == .matched, match == nil {
            throw MediaError(.badRequest, "sound \"matched\" needs match")
        }
        if sound == .matched, audio.codec == .none {
            throw MediaError(.badRequest, "sound \"matched\" was asked for, and audio.codec \"none\" leaves it out")
        }
        try sequence.validate()
    }

    public var request: MediaRequest { .loopTo(self) }

    public static func output(of result: MediaResult) -> RenderResult? {
        if case .render(let result) = result { result } else { nil }
    }

    /// The same as a sequence of one clip that is repeated.
    var sequence: ConcatenateClips {
        var audio = audio
        if sound == Sound.none { audio = AudioSettings(codec: .none) }
        let replaces = match != nil && (sound ?? .matched) == .matched && audio.codec != .none
        return ConcatenateClips(
            clips: [Clip(input: input, start: start, end: end)], output: output, crossFade: crossFade,
            sound: replaces ? match : nil, length: length, background: background, container: container,
            video: video, audio: audio, indexFirst: indexFirst, bitexact: bitexact, overwrite: overwrite,
            threads: threads, limits: limits, tolerance: tolerance)
    }
}

extension LoopTo: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        let sequence = sequence
        return .render(
            try SequenceRendering(sequence, job: job, endsWith: sequence.sound == nil ? match : nil).run())
    }
}
