/// Changes a file's container, codecs, size, rate or length.
///
/// ```swift
/// let result = try await MediaEngine().run(
///     Transcode(input: "in.mov", output: "out.mp4", video: VideoSettings(codec: .h264, crf: 21)))
/// ```
public struct Transcode: MediaOperation, Equatable {
    /// "transcode".
    public static let name = "transcode"

    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// Where the result goes: a location that the engine's resolver knows, or `-`.
    public var output: String
    /// Default: by the output's name.
    public var container: Container?
    /// How the pictures are made. Default: copied if the container takes them and nothing that is asked changes them.
    public var video: VideoSettings
    /// How the sound is made. Default: copied if the container takes it and nothing that is asked changes it.
    public var audio: AudioSettings
    /// Which streams are used. Default: the largest video, the best sound, all subtitles that the container takes.
    public var streams: StreamSelection
    /// Tracks of subtitles that are made for the output, besides those that it takes over. Default: none.
    public var textTracks: [TextTrack]
    /// Seconds of the input, on its own clock from its first picture or sound on, at which the result begins and
    /// ends. Exact to the picture and sample wherever a stream is encoded; a copied stream begins at a packet.
    public var start: Double?
    /// Seconds on the same clock, after `start`; `nil` is the end of the input.
    public var end: Double?
    /// Whether an MP4 or MOV has its index in front, so that it plays while it is loaded. Default true.
    public var indexFirst: Bool
    /// Whether the same request gives the same bytes, on the same libraries and with the same thread count.
    public var bitexact: Bool
    /// Whether an output that is there already is replaced.
    public var overwrite: Bool
    /// Cores to use. Default: all that the process may use.
    public var threads: Int?
    /// Bounds on what the job may take; beyond lies a `resource_limit` error.
    public var limits: Limits
    /// How much damage of the input is put up with. Default: 5 % of a stream's frames lost.
    public var tolerance: Tolerance

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        input: String, output: String, container: Container? = nil, video: VideoSettings = VideoSettings(),
        audio: AudioSettings = AudioSettings(), streams: StreamSelection = StreamSelection(),
        textTracks: [TextTrack] = [], start: Double? = nil, end: Double? = nil, indexFirst: Bool = true,
        bitexact: Bool = false, overwrite: Bool = false,
        threads: Int? = nil, limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.output = output
        self.container = container
        self.video = video
        self.audio = audio
        self.streams = streams
        self.textTracks = textTracks
        self.start = start
        self.end = end
        self.indexFirst = indexFirst
        self.bitexact = bitexact
        self.overwrite = overwrite
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, output, container, video, audio, streams, textTracks, start, end, indexFirst, bitexact, overwrite
        case threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        input = try values.decode(String.self, forKey: .input)
        output = try values.decode(String.self, forKey: .output)
        container = try values.decodeIfPresent(Container.self, forKey: .container)
        video = try values.decodeIfPresent(VideoSettings.self, forKey: .video) ?? VideoSettings()
        audio = try values.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? AudioSettings()
        streams = try values.decodeIfPresent(StreamSelection.self, forKey: .streams) ?? StreamSelection()
        textTracks = try values.decodeIfPresent([TextTrack].self, forKey: .textTracks) ?? []
        start = try values.decodeIfPresent(Double.self, forKey: .start)
        end = try values.decodeIfPresent(Double.self, forKey: .end)
        indexFirst = try values.decodeIfPresent(Bool.self, forKey: .indexFirst) ?? true
        bitexact = try values.decodeIfPresent(Bool.self, forKey: .bitexact) ?? false
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? false
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? Tolerance()
    }

    public func validate() throws {
        try video.validate()
        try audio.validate()
        try limits.validate()
        try tolerance.validate()
        try validateWindow(start: start, end: end)
        try validateThreads(threads)
        for track in textTracks { try track.validate() }
        let container = try Container.resolve(container, output: output)
        if !textTracks.isEmpty { try TextTrackPlan.requireRoom(in: container) }
        if video.codec == .none, audio.codec == .none {
            throw MediaError(.badRequest, "neither pictures nor sound were asked for")
        }
        if !container.holdsVideo, ![.auto, .none].contains(video.codec) || video.asksForEncoding {
            throw MediaError(
                .badRequest, "a \(container.rawValue) file holds no pictures", hint: "leave the video settings out")
        }
    }

    public var request: MediaRequest { .transcode(self) }

    public static func output(of result: MediaResult) -> RenderResult? {
        if case .render(let result) = result { result } else { nil }
    }
}

extension Transcode: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        .render(try Rendering(self, job: job).run())
    }
}

func validateWindow(start: Double?, end: Double?) throws {
    for (name, value) in [("start", start), ("end", end)] {
        if let value, !(0...1e9).contains(value) {
            throw MediaError(.badRequest, "\(name) must be a number of seconds from 0 on, not \(value)")
        }
    }
    if let end, end <= start ?? 0 {
        throw MediaError(.badRequest, "end (\(end) s) must come after start (\(start ?? 0) s)")
    }
}

func validateThreads(_ threads: Int?) throws {
    if let threads, !(1...256).contains(threads) {
        throw MediaError(.badRequest, "threads must lie between 1 and 256, not \(threads)")
    }
}
