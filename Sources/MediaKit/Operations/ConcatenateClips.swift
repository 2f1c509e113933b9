/// Joins clips and still images, whatever their sizes, rates, colours and sound, to one video.
///
/// All get one size, one constant rate and one kind of sound; clips without sound are silent. Sound keeps exactly to the
/// length of its pictures, so that nothing drifts. Clips are read one after another, so that their number costs no memory.
///
/// ```swift
/// let result = try await MediaEngine().run(
///     ConcatenateClips(
///         clips: [Clip(input: "intro.mp4"), Clip(input: "photo.jpg", duration: 3), Clip(input: "talk.mov", start: 10)],
///         output: "film.mp4", crossFade: CrossFade(seconds: 0.5)))
/// ```
public struct ConcatenateClips: MediaOperation, Equatable {
    /// "concatenate_clips".
    public static let name = "concatenate_clips"

    /// At least one, in the order in which they are shown.
    public var clips: [Clip]
    /// Where the result goes: a location that the engine's resolver knows, or `-`.
    public var output: String
    /// How neighbours go over into each other. Default: hard cuts.
    public var crossFade: CrossFade?
    /// A location whose sound is heard instead of the clips' own. The video ends exactly with it, unless `length` is
    /// given: the clips are repeated or cut.
    public var sound: String?
    /// Seconds of the result: the clips are repeated from the first on, or cut, to exactly that.
    public var length: Double?
    /// What is seen around pictures that do not fill the frame. Default black.
    public var background: CaptionColor
    /// Default: by the output's name.
    public var container: Container?
    /// How the pictures are made; the codecs `copy` and `none` are refused. Default size: the first clip's, upright and
    /// in square pixels; default rate: that of the first that moves, else 25.
    public var video: VideoSettings
    /// How the sound is made; the codec `copy` is refused. Default rate and channels: those of `sound`, else of the
    /// first clip that has any.
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
    /// Bounds on what the job may take; beyond lies a `resource_limit` error. `durationSeconds` holds for each input
    /// and for the result.
    public var limits: Limits
    /// How much damage of each input is put up with. Default: 5 % of a stream's frames lost.
    public var tolerance: Tolerance

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        clips: [Clip], output: String, crossFade: CrossFade? = nil, sound: String? = nil, length: Double? = nil,
        background: CaptionColor = .black, container: Container? = nil, video: VideoSettings = VideoSettings(),
        audio: AudioSettings = AudioSettings(), indexFirst: Bool = true, bitexact: Bool = false,
        overwrite: Bool = false, threads: Int? = nil, limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.clips = clips
        self.output = output
        self.crossFade = crossFade
        self.sound = sound
        self.length = length
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
        case clips, output, crossFade, sound, length, background, container, video, audio, indexFirst, bitexact
        case overwrite, threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        clips = try values.decode([Clip].self, forKey: .clips)
        output = try values.decode(String.self, forKey: .output)
        crossFade = try values.decodeIfPresent(CrossFade.self, forKey: .crossFade)
        sound = try values.decodeIfPresent(String.self, forKey: .sound)
        length = try values.decodeIfPresent(Double.self, forKey: .length)
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
        guard !clips.isEmpty else { throw MediaError(.badRequest, "clips needs at least one") }
        guard clips.count <= Self.mostClips else {
            throw MediaError(.badRequest, "clips are \(clips.count); \(Self.mostClips) is the most")
        }
        for (index, clip) in clips.enumerated() {
            do { try clip.validate() } catch var error as MediaError {
                error.message = "clips[\(index)]: \(error.message)"
                throw error
            }
        }
        guard (clips.map(\.input) + [sound].compactMap { $0 }).filter({ $0 == "-" }).count <= 1 else {
            throw MediaError(.badRequest, "only one input can come from standard input")
        }
        try crossFade?.validate()
        if let length, !(0.01...1e6).contains(length) {
            throw MediaError(.badRequest, "length must lie between 0.01 and 1,000,000 seconds, not \(length)")
        }
        try SequenceRendering.validate(video: video, audio: audio, container: container, output: output)
        if sound != nil, audio.codec == .none {
            throw MediaError(.badRequest, "sound was given, and audio.codec \"none\" leaves it out")
        }
        try limits.validate()
        try tolerance.validate()
        try validateThreads(threads)
    }

    /// Each is a line of the request, opened once to look at it and once to show it.
    private static let mostClips = 1000

    public var request: MediaRequest { .concatenateClips(self) }

    public static func output(of result: MediaResult) -> RenderResult? {
        if case .render(let result) = result { result } else { nil }
    }
}

extension ConcatenateClips: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        .render(try SequenceRendering(self, job: job).run())
    }
}
