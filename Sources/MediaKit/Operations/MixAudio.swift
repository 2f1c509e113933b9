/// Lays the sound of several files over each other, alone or under the pictures of a video. Sounds are added as they are:
/// nothing is made quieter because there is more than one.
///
/// ```swift
/// let music = MixInput(input: "music.mp3", gain: -12, fadeOut: 3, loop: true, duck: Ducking(key: 0))
/// try await MediaEngine().run(MixAudio(inputs: [MixInput(input: "speech.wav"), music], output: "show.m4a"))
/// ```
public struct MixAudio: MediaOperation, Equatable {
    /// "mix_audio".
    public static let name = "mix_audio"

    /// How long the mix is.
    public enum Length: String, Codable, Sendable, CaseIterable {
        /// Until the last input that does not loop has ended.
        case longest
        /// As long as the first input, its delay included.
        case first
        /// Until one of them has ended.
        case shortest
        /// As long as the video's pictures.
        case video
    }

    /// What is mixed, 1 to 32.
    public var inputs: [MixInput]
    /// Where the result goes: a location that the engine's resolver knows, or `-`.
    public var output: String
    /// A file whose pictures, and subtitles, are copied and whose sound is replaced by the mix; it is only heard if it is
    /// one of `inputs` as well. Default: none, sound alone.
    public var video: String?
    /// Default: by the output's name.
    public var container: Container?
    /// How the mix is encoded; `gain` is applied to all of it. Default: the container's usual codec, the highest rate and
    /// most channels of the inputs.
    public var audio: AudioSettings
    /// Default: video where there is one, else longest.
    public var length: Length?
    /// Seconds that the mix lasts, exact to the sample, instead of `length`: what is longer is cut off, what is missing is
    /// silent.
    public var duration: Double?
    /// Whether peaks over `ceiling` are limited. If not, what is over full scale is clipped where the codec has no room for
    /// it. Default true.
    public var limiter: Bool
    /// Decibels of full scale that the limiter keeps, -20 to 0. Default -1.
    public var ceiling: Double
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
    /// How much damage of the inputs is put up with. Default: 5 % of a stream's frames lost.
    public var tolerance: Tolerance

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        inputs: [MixInput], output: String, video: String? = nil, container: Container? = nil,
        audio: AudioSettings = AudioSettings(), length: Length? = nil, duration: Double? = nil, limiter: Bool = true,
        ceiling: Double = -1, indexFirst: Bool = true, bitexact: Bool = false, overwrite: Bool = false,
        threads: Int? = nil, limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.inputs = inputs
        self.output = output
        self.video = video
        self.container = container
        self.audio = audio
        self.length = length
        self.duration = duration
        self.limiter = limiter
        self.ceiling = ceiling
        self.indexFirst = indexFirst
        self.bitexact = bitexact
        self.overwrite = overwrite
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case inputs, output, video, container, audio, length, duration, limiter, ceiling, indexFirst, bitexact
        case overwrite, threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        self.init(
            inputs: try values.decode([MixInput].self, forKey: .inputs),
            output: try values.decode(String.self, forKey: .output))
        video = try values.decodeIfPresent(String.self, forKey: .video)
        container = try values.decodeIfPresent(Container.self, forKey: .container)
        audio = try values.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? audio
        length = try values.decodeIfPresent(Length.self, forKey: .length)
        duration = try values.decodeIfPresent(Double.self, forKey: .duration)
        limiter = try values.decodeIfPresent(Bool.self, forKey: .limiter) ?? limiter
        ceiling = try values.decodeIfPresent(Double.self, forKey: .ceiling) ?? ceiling
        indexFirst = try values.decodeIfPresent(Bool.self, forKey: .indexFirst) ?? indexFirst
        bitexact = try values.decodeIfPresent(Bool.self, forKey: .bitexact) ?? bitexact
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? overwrite
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? limits
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? tolerance
    }

    public var request: MediaRequest { .mixAudio(self) }

    public static func output(of result: MediaResult) -> RenderResult? {
        if case .render(let result) = result { result } else { nil }
    }
}

extension MixAudio {
    public func validate() throws {
        try audio.validate()
        try limits.validate()
        try tolerance.validate()
        try validateThreads(threads)
        let container = try Container.resolve(container, output: output)
        guard (1...32).contains(inputs.count) else {
            throw MediaError(.badRequest, "a mix is made of 1 to 32 inputs, not \(inputs.count)")
        }
        for (index, input) in inputs.enumerated() {
            try input.validate("inputs[\(index)]")
            if let duck = input.duck { try validate(duck, of: index) }
        }
        guard inputs.filter({ $0.input == "-" }).count <= 1 else {
            throw MediaError(.badRequest, "only one input can come from standard input")
        }
        if video != nil, !container.holdsVideo {
            throw MediaError(
                .badRequest, "a \(container.rawValue) file holds no pictures", hint: "leave video out, or name an mp4")
        }
        if audio.codec == .copy || audio.codec == .none {
            throw MediaError(
                .badRequest, "audio.codec \"\(audio.codec.rawValue)\" leaves nothing to mix",
                hint: "name a codec to encode with")
        }
        guard (-20...0).contains(ceiling) else {
            throw MediaError(.badRequest, "ceiling must lie between -20 and 0 dB, not \(ceiling)")
        }
        try validateLength()
    }

    private func validate(_ duck: Ducking, of index: Int) throws {
        guard inputs.indices.contains(duck.key), duck.key != index else {
            throw MediaError(
                .badRequest, "inputs[\(index)].duck.key must be another input's number, from 0, not \(duck.key)")
        }
        guard inputs[duck.key].duck == nil else {
            throw MediaError(
                .badRequest, "inputs[\(index)].duck.key names inputs[\(duck.key)], which is lowered itself")
        }
    }

    private func validateLength() throws {
        if let duration {
            guard (0.001...86_400).contains(duration) else {
                throw MediaError(.badRequest, "duration must lie between 0.001 and 86,400 seconds, not \(duration)")
            }
            guard length == nil else { throw MediaError(.badRequest, "length and duration exclude each other") }
            return
        }
        if length == .video, video == nil {
            throw MediaError(.badRequest, "length \"video\" needs a video", hint: "set video")
        }
        let hasEnd: Bool
        switch effectiveLength {
        case .video: hasEnd = true
        case .first: hasEnd = inputs.first?.loop == false
        case .longest, .shortest: hasEnd = inputs.contains { !$0.loop }
        }
        guard hasEnd else {
            throw MediaError(
                .badRequest, "the mix would never end: the input that its length follows from loops",
                hint: "set duration")
        }
    }

    /// The length where no duration is named.
    var effectiveLength: Length { length ?? (video == nil ? .longest : .video) }
}

extension MixAudio: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        .render(try SoundMixing(self, job: job).run())
    }
}
