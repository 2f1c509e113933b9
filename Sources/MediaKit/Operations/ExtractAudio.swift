/// Takes the sound out of a file: for listening, or for a speech recogniser.
///
/// Of a seekable MP4 or MOV only the sound's own bytes are read.
///
/// ```swift
/// let result = try await MediaEngine().run(
///     ExtractAudio(input: "call.mp4", output: "call-{n}.wav", preset: .speech, splitAtSilence: 30))
/// for chunk in result.outputs { print(chunk.output, chunk.start, chunk.duration) }
/// ```
public struct ExtractAudio: MediaOperation, Equatable {
    /// "extract_audio".
    public static let name = "extract_audio"

    /// Settings that belong together. What is set besides has precedence.
    public enum Preset: String, Codable, Sendable, CaseIterable {
        /// 16 kHz, mono: what recognisers take.
        case speech
    }

    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// With `splitAtSilence`, `{n}` stands for the chunk's number from 1 on; without it, "-001" and so on is put
    /// before the ending.
    public var output: String
    /// wav, flac, mp3, m4a, ogg or opus. Default: by the output's name.
    public var container: Container?
    /// Settings that stand in for what `audio` leaves out. Default: none.
    public var preset: Preset?
    /// How the sound is made. With everything left out it is copied if the container takes it.
    public var audio: AudioSettings
    /// The sound stream, counted from 0. Default: the one that a player would choose.
    public var track: Int?
    /// Seconds of the input, exact to the sample.
    public var start: Double?
    /// Seconds of the input at which the result ends, after `start`; `nil` is the end of the input.
    public var end: Double?
    /// Whether silence at both ends is cut off, but for a tenth of a second.
    public var trimSilence: Bool
    /// Splits into chunks of at most so many seconds, at silences where there are any.
    public var splitAtSilence: Double?
    /// What counts as silence for `trimSilence` and `splitAtSilence`. Default: below -40 dB for 0.3 seconds.
    public var silence: SilenceSettings
    /// Whether the same request gives the same bytes, on the same libraries and with the same thread count. Default
    /// false.
    public var bitexact: Bool
    /// Whether outputs that are there already are replaced. Default false.
    public var overwrite: Bool
    /// Cores to use. Default: all that the process may use.
    public var threads: Int?
    /// Bounds on what the job may take; beyond lies a `resource_limit` error.
    public var limits: Limits
    /// How much damage of the input is put up with. Default: 5 % of a stream's frames lost.
    public var tolerance: Tolerance

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        input: String, output: String, container: Container? = nil, preset: Preset? = nil,
        audio: AudioSettings = AudioSettings(), track: Int? = nil, start: Double? = nil, end: Double? = nil,
        trimSilence: Bool = false, splitAtSilence: Double? = nil, silence: SilenceSettings = SilenceSettings(),
        bitexact: Bool = false, overwrite: Bool = false, threads: Int? = nil, limits: Limits = Limits(),
        tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.output = output
        self.container = container
        self.preset = preset
        self.audio = audio
        self.track = track
        self.start = start
        self.end = end
        self.trimSilence = trimSilence
        self.splitAtSilence = splitAtSilence
        self.silence = silence
        self.bitexact = bitexact
        self.overwrite = overwrite
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, output, container, preset, audio, track, start, end, trimSilence, splitAtSilence
        case silence, bitexact, overwrite, threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        input = try values.decode(String.self, forKey: .input)
        output = try values.decode(String.self, forKey: .output)
        container = try values.decodeIfPresent(Container.self, forKey: .container)
        preset = try values.decodeIfPresent(Preset.self, forKey: .preset)
        audio = try values.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? AudioSettings()
        track = try values.decodeIfPresent(Int.self, forKey: .track)
        start = try values.decodeIfPresent(Double.self, forKey: .start)
        end = try values.decodeIfPresent(Double.self, forKey: .end)
        trimSilence = try values.decodeIfPresent(Bool.self, forKey: .trimSilence) ?? false
        splitAtSilence = try values.decodeIfPresent(Double.self, forKey: .splitAtSilence)
        silence = try values.decodeIfPresent(SilenceSettings.self, forKey: .silence) ?? SilenceSettings()
        bitexact = try values.decodeIfPresent(Bool.self, forKey: .bitexact) ?? false
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? false
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? Tolerance()
    }

    public func validate() throws {
        try audio.validate()
        try silence.validate()
        try limits.validate()
        try tolerance.validate()
        try validateWindow(start: start, end: end)
        try validateThreads(threads)
        let container = try Container.resolve(container, output: output)
        guard !container.holdsVideo || container == .mkv else {
            throw MediaError(
                .badRequest, "sound is extracted into wav, flac, mp3, m4a, ogg, opus or mka, not \(container.rawValue)",
                hint: "for \(container.rawValue) use transcode without video")
        }
        if audio.codec == .none { throw MediaError(.badRequest, "audio.codec \"none\" leaves nothing to extract") }
        if let splitAtSilence {
            guard (1...86_400).contains(splitAtSilence) else {
                throw MediaError(.badRequest, "splitAtSilence must lie between 1 and 86,400 seconds")
            }
            if output == "-" { throw MediaError(.badRequest, "chunks cannot all go to standard output") }
        }
        if audio.codec == .copy, trimSilence || splitAtSilence != nil {
            throw MediaError(
                .badRequest, "a copied stream cannot be cut at silences", hint: "name a codec to encode with")
        }
    }

    public var request: MediaRequest { .extractAudio(self) }

    public static func output(of result: MediaResult) -> ExtractAudioResult? {
        if case .audio(let result) = result { result } else { nil }
    }
}

/// What counts as silence.
public struct SilenceSettings: Codable, Sendable, Equatable {
    /// Decibels below full scale under which sound is silence. Default -40.
    public var threshold: Double
    /// Seconds that it must last. Default 0.3.
    public var minimum: Double

    /// A threshold in decibels, -100 to 0, and a length in seconds, 0.02 to 60; checked when the request is.
    public init(threshold: Double = -40, minimum: Double = 0.3) {
        self.threshold = threshold
        self.minimum = minimum
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case threshold, minimum
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        threshold = try values.decodeIfPresent(Double.self, forKey: .threshold) ?? -40
        minimum = try values.decodeIfPresent(Double.self, forKey: .minimum) ?? 0.3
    }

    func validate() throws {
        guard (-100...0).contains(threshold) else {
            throw MediaError(.badRequest, "silence.threshold must lie between -100 and 0 dB")
        }
        guard (0.02...60).contains(minimum) else {
            throw MediaError(.badRequest, "silence.minimum must lie between 0.02 and 60 s")
        }
    }
}

/// What an extraction has made.
public struct ExtractAudioResult: Codable, Sendable, Equatable {
    /// One file of sound.
    public struct Output: Codable, Sendable, Equatable {
        /// Where it was written; with `splitAtSilence`, the chunk's own name.
        public var output: String
        /// Seconds of the input at which its first sample lies, exact to the sample.
        public var start: Double
        /// Seconds.
        public var duration: Double
        /// Bytes of the file.
        public var bytes: Int64
    }

    /// One, or the chunks in order.
    public var outputs: [Output]
    /// The container that was written.
    public var container: Container
    /// The codec's name, such as "pcm_s16le".
    public var codec: String
    /// Whether the stream was copied without being decoded.
    public var copied: Bool
    /// Hz.
    public var sampleRate: Int
    /// 1 for mono, 2 for stereo.
    public var channels: Int
    /// Seconds of all outputs.
    public var duration: Double
    /// Bytes read from the input, every pass counted.
    public var bytesRead: Int64
    /// Seconds on the clock.
    public var wallSeconds: Double
    /// CPU seconds of the process meanwhile.
    public var cpuSeconds: Double
    /// What a user should know, each once and 200 at most, in the order in which it was found.
    public var warnings: [MediaWarning]
    /// The libraries that made it: a result is only reproducible with the same.
    public var libraries: [LibavLibrary.Version]
}

extension ExtractAudio: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        .audio(try SoundExtraction(self, job: job).run())
    }

    /// The sound settings with the preset's in place of what was left out.
    var effectiveAudio: AudioSettings {
        var audio = audio
        if preset == .speech {
            audio.sampleRate = audio.sampleRate ?? 16_000
            audio.channels = audio.channels ?? 1
        }
        return audio
    }

    /// The name of chunk `number`, counted from 1.
    func chunkName(_ number: Int) -> String { output.numbered(number) }
}
