/// Bounds on what a job may take. Each has an error of its own (code `resource_limit`) that names it.
public struct Limits: Codable, Sendable, Equatable {
    /// Width × height of any decoded or made picture. Default 67,108,864 (8192 × 8192).
    public var pixels: Int
    /// Seconds of input. Default: no limit.
    public var durationSeconds: Double?
    /// Bytes of each output. Default: no limit.
    public var outputBytes: Int64?
    /// Streams in an input. Default 100.
    public var streams: Int
    /// Seconds on the clock from start to end. Default: no limit.
    public var wallSeconds: Double?

    /// Members that are not given take their defaults; each must be above 0, which is checked when the request is.
    public init(
        pixels: Int = 1 << 26, durationSeconds: Double? = nil, outputBytes: Int64? = nil, streams: Int = 100,
        wallSeconds: Double? = nil
    ) {
        self.pixels = pixels
        self.durationSeconds = durationSeconds
        self.outputBytes = outputBytes
        self.streams = streams
        self.wallSeconds = wallSeconds
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case pixels, durationSeconds, outputBytes, streams, wallSeconds
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        let defaults = Limits()
        pixels = try values.decodeIfPresent(Int.self, forKey: .pixels) ?? defaults.pixels
        durationSeconds = try values.decodeIfPresent(Double.self, forKey: .durationSeconds)
        outputBytes = try values.decodeIfPresent(Int64.self, forKey: .outputBytes)
        streams = try values.decodeIfPresent(Int.self, forKey: .streams) ?? defaults.streams
        wallSeconds = try values.decodeIfPresent(Double.self, forKey: .wallSeconds)
    }

    func validate() throws {
        func positive(_ value: Double?, _ name: String) throws {
            if let value, !(value > 0) { throw MediaError(.badRequest, "limits.\(name) must be above 0") }
        }
        try positive(Double(pixels), "pixels")
        try positive(durationSeconds, "durationSeconds")
        try positive(outputBytes.map(Double.init), "outputBytes")
        try positive(Double(streams), "streams")
        try positive(wallSeconds, "wallSeconds")
    }
}

/// What to do with a damaged or truncated input.
public struct Tolerance: Codable, Sendable, Equatable {
    /// The share of a stream's frames that may be lost before the job fails. Default 0.05.
    public var lostFrames: Double
    /// Whether the first damaged packet or frame fails the job. Default false.
    public var strict: Bool

    /// Members that are not given take their defaults; `lostFrames` must lie within 0…1, which is checked when the
    /// request is.
    public init(lostFrames: Double = 0.05, strict: Bool = false) {
        self.lostFrames = lostFrames
        self.strict = strict
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case lostFrames, strict
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        lostFrames = try values.decodeIfPresent(Double.self, forKey: .lostFrames) ?? 0.05
        strict = try values.decodeIfPresent(Bool.self, forKey: .strict) ?? false
    }

    func validate() throws {
        guard (0...1).contains(lostFrames) else {
            throw MediaError(.badRequest, "tolerance.lostFrames must lie between 0 and 1")
        }
    }
}
