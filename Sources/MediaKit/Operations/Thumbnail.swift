/// Takes one or several pictures out of a video and writes each as JPEG, PNG or WebP: upright, with square pixels, and in
/// the colours that a screen shows.
///
/// Goes to the pictures instead of decoding all that comes before them. Of a file of sound it takes the cover.
///
/// ```swift
/// let made = try await MediaEngine().run(
///     Thumbnail(input: "talk.mp4", output: "talk-{n}.jpg", at: [.seconds(2), .fraction(0.5)]))
/// ```
public struct Thumbnail: MediaOperation, Equatable {
    /// "thumbnail".
    public static let name = "thumbnail"

    /// A moment of a video; in JSON a number of seconds, or a share of its length such as "50%".
    public enum Moment: Codable, Sendable, Equatable {
        /// From its first picture or sound on.
        case seconds(Double)
        /// 0…1.
        case fraction(Double)

        /// Reads "12.5" or "50%".
        public init?(_ text: String) {
            if text.hasSuffix("%"), let percent = Double(text.dropLast()), percent.isFinite {
                self = .fraction(percent / 100)
            } else if let seconds = Double(text), seconds.isFinite {
                self = .seconds(seconds)
            } else {
                return nil
            }
        }

        public init(from decoder: any Swift.Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let seconds = try? container.decode(Double.self) {
                self = .seconds(seconds)
                return
            }
            guard let text = try? container.decode(String.self), let moment = Moment(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "a moment is a number of seconds, or a share such as \"50%\"")
            }
            self = moment
        }

        public func encode(to encoder: any Swift.Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .seconds(let value): try container.encode(value)
            case .fraction(let value): try container.encode("\(value * 100)%")
            }
        }
    }

    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// Where the picture goes. Of several, `{n}` stands for the number from 1 on; without it, "-001" and so on is put before
    /// the ending.
    public var output: String
    /// jpg, png or webp. Default: by the output's name.
    public var format: ImageFormat?
    /// The moments whose pictures are taken. Default: none; then the best of the whole film are looked for.
    public var at: [Moment]
    /// How many pictures are looked for where no moment is named: the best one of each of so many parts of equal length.
    /// Black, even and blurred ones are passed over where there are others. Default 1.
    public var count: Int
    /// Default: as the video is shown.
    public var size: PictureSize?
    /// 1…100, for jpg and webp. Default 85.
    public var quality: Int
    /// The video stream, counted from 0. Default: the one with the most pixels.
    public var track: Int?
    /// Whether outputs that are there already are replaced. Default false.
    public var overwrite: Bool
    /// Cores to use. Default: all that the process may use.
    public var threads: Int?
    /// Bounds on what the job may take; beyond lies a `resource_limit` error.
    public var limits: Limits
    /// How much damage of the input is put up with: strict fails at the first, else a picture that can be decoded will do.
    public var tolerance: Tolerance

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        input: String, output: String, format: ImageFormat? = nil, at: [Moment] = [], count: Int = 1,
        size: PictureSize? = nil, quality: Int = 85, track: Int? = nil, overwrite: Bool = false, threads: Int? = nil,
        limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.output = output
        self.format = format
        self.at = at
        self.count = count
        self.size = size
        self.quality = quality
        self.track = track
        self.overwrite = overwrite
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, output, format, at, count, size, quality, track, overwrite, threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        self.init(
            input: try values.decode(String.self, forKey: .input),
            output: try values.decode(String.self, forKey: .output))
        format = try values.decodeIfPresent(ImageFormat.self, forKey: .format)
        at = try values.decodeIfPresent([Moment].self, forKey: .at) ?? at
        count = try values.decodeIfPresent(Int.self, forKey: .count) ?? count
        size = try values.decodeIfPresent(PictureSize.self, forKey: .size)
        quality = try values.decodeIfPresent(Int.self, forKey: .quality) ?? quality
        track = try values.decodeIfPresent(Int.self, forKey: .track)
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? overwrite
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? limits
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? tolerance
    }

    public func validate() throws {
        try size?.validate()
        try limits.validate()
        try tolerance.validate()
        try validateThreads(threads)
        _ = try ImageFormat.resolve(format, output: output)
        guard (1...1000).contains(count), at.count <= 1000 else {
            throw MediaError(.badRequest, "between 1 and 1,000 pictures can be taken at once")
        }
        guard at.isEmpty || count == 1 else {
            throw MediaError(.badRequest, "count is for pictures that are looked for", hint: "leave out at or count")
        }
        guard (1...100).contains(quality) else {
            throw MediaError(.badRequest, "quality must lie between 1 and 100, not \(quality)")
        }
        for moment in at {
            switch moment {
            case .seconds(let value) where !(0...1e9).contains(value):
                throw MediaError(.badRequest, "a moment must be a number of seconds from 0 on, not \(value)")
            case .fraction(let value) where !(0...1).contains(value):
                throw MediaError(.badRequest, "a share of a video lies between 0% and 100%, not at \(value * 100)%")
            default: break
            }
        }
        if output == "-", max(count, at.count) > 1 {
            throw MediaError(.badRequest, "several pictures cannot all go to standard output")
        }
    }

    public var request: MediaRequest { .thumbnail(self) }

    public static func output(of result: MediaResult) -> ThumbnailResult? {
        if case .thumbnail(let result) = result { result } else { nil }
    }
}

/// What ``Thumbnail`` has made.
public struct ThumbnailResult: Codable, Sendable, Equatable {
    /// One picture.
    public struct Output: Codable, Sendable, Equatable {
        /// Where it was written.
        public var output: String
        /// Seconds of the video at which the picture is shown; `nil` for a cover.
        public var time: Double?
        /// Pixels.
        public var width: Int
        /// Pixels.
        public var height: Int
        /// Bytes.
        public var bytes: Int64
    }

    /// In the order of the moments.
    public var outputs: [Output]
    /// The format that was written.
    public var format: ImageFormat
    /// Whether it is the cover of a file of sound.
    public var isCover: Bool
    /// Bytes read from the input.
    public var bytesRead: Int64
    /// Seconds on the clock.
    public var wallSeconds: Double
    /// CPU seconds of the process meanwhile; jobs at the same time are counted together.
    public var cpuSeconds: Double
    /// What a user should know, each once and 200 at most, in the order in which it was found.
    public var warnings: [MediaWarning]
    /// The libraries that made it: a result is only reproducible with the same.
    public var libraries: [LibavLibrary.Version]
}

extension Thumbnail: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult { .thumbnail(try PictureTaking(self, job: job).run()) }

    /// The location of each picture.
    var names: [String] {
        let total = at.isEmpty ? count : at.count
        guard total > 1 || output.contains("{n}") else { return [output] }
        return (1...total).map(output.numbered)
    }
}
