/// How loud sound is, by EBU R 128 (ITU-R BS.1770-4, EBU Tech 3342). Mono counts as one channel, as the standard has it.
public struct LoudnessMeasurement: Codable, Sendable, Equatable {
    /// LUFS over all of it; `nil` where it is silent (below -70 LUFS) or shorter than the 0.4 s that are measured at once.
    public var integrated: Double?
    /// LU between its quiet and its loud parts; 0 for less than 3 s.
    public var range: Double
    /// dBTP, peaks between the samples included; `nil` for digital silence.
    public var truePeak: Double?

    /// Values as they were measured.
    public init(integrated: Double?, range: Double, truePeak: Double?) {
        self.integrated = integrated
        self.range = range
        self.truePeak = truePeak
    }
}

/// Tells how loud a file's sound is.
///
/// ```swift
/// let loudness = try await MediaEngine().run(MeasureLoudness(input: "talk.mp4")).tracks[0].loudness
/// ```
public struct MeasureLoudness: MediaOperation, Equatable {
    /// "measure_loudness".
    public static let name = "measure_loudness"

    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// The sound stream, counted from 0. Default: every one.
    public var track: Int?
    /// Cores to use. Default: all that the process may use.
    public var threads: Int?
    /// Bounds on what the job may take; beyond lies a `resource_limit` error.
    public var limits: Limits
    /// How much damage of the input is put up with. Default: 5 % of a stream's frames lost.
    public var tolerance: Tolerance

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        input: String, track: Int? = nil, threads: Int? = nil, limits: Limits = Limits(),
        tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.track = track
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, track, threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        input = try values.decode(String.self, forKey: .input)
        track = try values.decodeIfPresent(Int.self, forKey: .track)
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? Tolerance()
    }

    public func validate() throws {
        try validateThreads(threads)
        try limits.validate()
        try tolerance.validate()
    }

    public var request: MediaRequest { .measureLoudness(self) }

    public static func output(of result: MediaResult) -> MeasureLoudnessResult? {
        if case .loudness(let result) = result { result } else { nil }
    }
}

/// What ``MeasureLoudness`` has found.
public struct MeasureLoudnessResult: Codable, Sendable, Equatable {
    /// One stream of sound.
    public struct Track: Codable, Sendable, Equatable {
        /// The stream's index in the input.
        public var sourceIndex: Int
        /// How loud it is.
        public var loudness: LoudnessMeasurement
    }

    /// In the input's order.
    public var tracks: [Track]
    /// Bytes read from the input.
    public var bytesRead: Int64
    /// Seconds on the clock.
    public var wallSeconds: Double
    /// CPU seconds of the process meanwhile; jobs at the same time are counted together.
    public var cpuSeconds: Double
    /// What a user should know, each once and 200 at most, in the order in which it was found.
    public var warnings: [MediaWarning]
}

extension MeasureLoudness: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        let demuxer = try job.open(input, analysis: .headerIfSoundIsKnown)
        let streams = try StreamSelection(audio: track.map { .indices([$0]) } ?? .all).chooseAudio(demuxer)
        guard !streams.isEmpty else { throw MediaError(.badInput, "there is no sound in it", input: demuxer.name) }
        job.control.progress.expect(microseconds: demuxer.duration)
        var window = MediaGraph.Window(origin: demuxer.presentationStart)
        window.dropsPriming = demuxer.presentationStart != demuxer.startTime
        let listening = LoudnessListening(
            streams: streams.map { ($0.index, SoundPlan()) }, window: window, tolerance: tolerance)
        let heard = try listening.run(demuxer, job: job, isFinal: true)
        let elapsed = job.elapsed
        return .loudness(
            MeasureLoudnessResult(
                tracks: zip(streams, heard).map { .init(sourceIndex: $0.index, loudness: $1.loudness) },
                bytesRead: job.bytesRead, wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu,
                warnings: job.control.warnings.all))
    }
}
