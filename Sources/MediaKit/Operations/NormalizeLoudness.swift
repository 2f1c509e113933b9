/// Makes a file's sound as loud as is asked for, by EBU R 128: it is measured in a first pass, and one gain is applied to
/// all of it in a second. Quiet and loud parts keep their distance. Pictures and subtitles are copied.
///
/// ```swift
/// let result = try await MediaEngine().run(NormalizeLoudness(input: "call.wav", output: "call.m4a"))
/// print(result.tracks[0].before.integrated ?? 0, result.tracks[0].gain)
/// ```
public struct NormalizeLoudness: MediaOperation, Equatable {
    /// "normalize_loudness".
    public static let name = "normalize_loudness"

    /// What is done where the gain would lift peaks over the ceiling.
    public enum Peaks: String, Codable, Sendable, CaseIterable {
        /// Those peaks alone are turned down for the milliseconds that they last. What that takes from the loudness is
        /// measured, and made up for by up to 12 dB of gain.
        case limit
        /// The gain is made smaller, and the result is quieter than the target.
        case reduce
    }

    /// A location that the engine's resolver knows: a path. A pipe cannot be read twice.
    public var input: String
    /// Where the result goes: a location that the engine's resolver knows, or `-`.
    public var output: String
    /// Default: by the output's name.
    public var container: Container?
    /// LUFS, -70 to -5. Default -16.
    public var target: Double
    /// dBTP that no peak goes over, -20 to 0. A lossy codec adds some tenths of a decibel when it is decoded. Default -1.5.
    public var ceiling: Double
    /// Default: limit.
    public var peaks: Peaks
    /// Decibels that the sound is raised by at most, 0 to 60: what is quieter than that is hardly meant to be heard. Default
    /// 40.
    public var maximumGain: Double
    /// How the sound is encoded, without a gain. Default: the container's usual codec, the source's rate and channels.
    public var audio: AudioSettings
    /// The sound stream, counted from 0. Default: every one that the container takes, each by itself.
    public var track: Int?
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
        input: String, output: String, container: Container? = nil, target: Double = -16, ceiling: Double = -1.5,
        peaks: Peaks = .limit, maximumGain: Double = 40, audio: AudioSettings = AudioSettings(), track: Int? = nil,
        indexFirst: Bool = true, bitexact: Bool = false, overwrite: Bool = false, threads: Int? = nil,
        limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.output = output
        self.container = container
        self.target = target
        self.ceiling = ceiling
        self.peaks = peaks
        self.maximumGain = maximumGain
        self.audio = audio
        self.track = track
        self.indexFirst = indexFirst
        self.bitexact = bitexact
        self.overwrite = overwrite
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, output, container, target, ceiling, peaks, maximumGain, audio, track, indexFirst, bitexact
        case overwrite, threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        self.init(
            input: try values.decode(String.self, forKey: .input),
            output: try values.decode(String.self, forKey: .output))
        container = try values.decodeIfPresent(Container.self, forKey: .container)
        target = try values.decodeIfPresent(Double.self, forKey: .target) ?? target
        ceiling = try values.decodeIfPresent(Double.self, forKey: .ceiling) ?? ceiling
        peaks = try values.decodeIfPresent(Peaks.self, forKey: .peaks) ?? peaks
        maximumGain = try values.decodeIfPresent(Double.self, forKey: .maximumGain) ?? maximumGain
        audio = try values.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? audio
        track = try values.decodeIfPresent(Int.self, forKey: .track)
        indexFirst = try values.decodeIfPresent(Bool.self, forKey: .indexFirst) ?? indexFirst
        bitexact = try values.decodeIfPresent(Bool.self, forKey: .bitexact) ?? bitexact
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? overwrite
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? limits
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? tolerance
    }

    public func validate() throws {
        try audio.validate()
        try limits.validate()
        try tolerance.validate()
        try validateThreads(threads)
        _ = try Container.resolve(container, output: output)
        guard (-70 ... -5).contains(target) else {
            throw MediaError(.badRequest, "target must lie between -70 and -5 LUFS, not \(target)")
        }
        guard (-20...0).contains(ceiling) else {
            throw MediaError(.badRequest, "ceiling must lie between -20 and 0 dBTP, not \(ceiling)")
        }
        guard (0...60).contains(maximumGain) else {
            throw MediaError(.badRequest, "maximumGain must lie between 0 and 60 dB, not \(maximumGain)")
        }
        if audio.gain != nil {
            throw MediaError(
                .badRequest, "the gain of normalized sound follows from its loudness", hint: "set target instead")
        }
        if audio.codec == .copy || audio.codec == .none {
            throw MediaError(
                .badRequest, "audio.codec \"\(audio.codec.rawValue)\" leaves nothing to normalize",
                hint: "name a codec to encode with")
        }
    }

    public var request: MediaRequest { .normalizeLoudness(self) }

    public static func output(of result: MediaResult) -> NormalizeLoudnessResult? {
        if case .normalized(let result) = result { result } else { nil }
    }
}

/// What a normalization has made.
public struct NormalizeLoudnessResult: Codable, Sendable, Equatable {
    /// One stream of sound.
    public struct Track: Codable, Sendable, Equatable {
        /// The stream's index in the input.
        public var sourceIndex: Int
        /// How loud it was.
        public var before: LoudnessMeasurement
        /// How loud it is, as it went to the encoder.
        public var after: LoudnessMeasurement
        /// Decibels that were applied to all of it.
        public var gain: Double
        /// Whether peaks were limited.
        public var isLimited: Bool
    }

    /// The file that was made.
    public var file: RenderResult
    /// Its sound, in order.
    public var tracks: [Track]
}

extension NormalizeLoudness: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        .normalized(try LoudnessNormalization(self, job: job).run())
    }
}
