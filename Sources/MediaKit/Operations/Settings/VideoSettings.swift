/// Video codecs that can be asked for.
public enum VideoCodec: String, Codable, Sendable, CaseIterable {
    /// Copies the stream if the container takes it and nothing that was asked changes it; else encodes with the
    /// container's usual codec.
    case auto
    /// Copies the stream without decoding it.
    case copy
    /// Encodes with that codec.
    case h264, hevc, av1, vp9
    /// Leaves pictures out.
    case none
}

/// How pictures are made. All optional: what is not set is chosen well.
public struct VideoSettings: Codable, Sendable, Equatable {
    /// Default: auto.
    public var codec: VideoCodec
    /// Constant quality, on the encoder's own scale: lower is better. Default: 23 for h264, 28 for hevc, 35 for av1,
    /// 33 for vp9.
    public var crf: Double?
    /// Bits per second on average, instead of `crf`.
    public var bitRate: Int64?
    /// Bits per second at most, over `bufferSize`. Default: 1.5 × `bitRate`.
    public var maximumBitRate: Int64?
    /// Bits of the decoder's buffer. Default: 2 × `bitRate`.
    public var bufferSize: Int64?
    /// Two passes, for `bitRate`.
    public var twoPass: Bool
    /// Speed against size, by x264's names from "ultrafast" to "placebo" for every codec, or the encoder's own.
    /// Default: veryfast.
    public var preset: String?
    /// The encoder's own: "film", "animation", …
    public var tune: String?
    /// "baseline", "main", "high", "main10", …
    public var profile: String?
    /// "4.1"
    public var level: String?
    /// Seconds between key frames at most. Default: the encoder's choice, about ten.
    public var gopSeconds: Double?
    /// A libav pixel format. Default: 4:2:0; 10 bits are kept for hevc, av1 and vp9, and HDR with them; h264 gets 8
    /// bits and SDR, since hardly a player shows anything else.
    public var pixelFormat: String?
    /// The size in pixels that pictures shall have. Default: the source's.
    public var size: PictureSize?
    /// A constant frame rate: "25", "29.97" or "30000/1001". Default: each picture keeps its own time.
    public var frameRate: FrameRate?
    /// Whether interlaced pictures are made progressive. Default true.
    public var deinterlace: Bool

    /// Members that are not given take their defaults; ranges are checked when the request is.
    public init(
        codec: VideoCodec = .auto, crf: Double? = nil, bitRate: Int64? = nil, maximumBitRate: Int64? = nil,
        bufferSize: Int64? = nil, twoPass: Bool = false, preset: String? = nil, tune: String? = nil,
        profile: String? = nil, level: String? = nil, gopSeconds: Double? = nil, pixelFormat: String? = nil,
        size: PictureSize? = nil, frameRate: FrameRate? = nil, deinterlace: Bool = true
    ) {
        self.codec = codec
        self.crf = crf
        self.bitRate = bitRate
        self.maximumBitRate = maximumBitRate
        self.bufferSize = bufferSize
        self.twoPass = twoPass
        self.preset = preset
        self.tune = tune
        self.profile = profile
        self.level = level
        self.gopSeconds = gopSeconds
        self.pixelFormat = pixelFormat
        self.size = size
        self.frameRate = frameRate
        self.deinterlace = deinterlace
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case codec, crf, bitRate, maximumBitRate, bufferSize, twoPass, preset, tune, profile, level, gopSeconds
        case pixelFormat, size, frameRate, deinterlace
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        codec = try values.decodeIfPresent(VideoCodec.self, forKey: .codec) ?? .auto
        crf = try values.decodeIfPresent(Double.self, forKey: .crf)
        bitRate = try values.decodeIfPresent(Int64.self, forKey: .bitRate)
        maximumBitRate = try values.decodeIfPresent(Int64.self, forKey: .maximumBitRate)
        bufferSize = try values.decodeIfPresent(Int64.self, forKey: .bufferSize)
        twoPass = try values.decodeIfPresent(Bool.self, forKey: .twoPass) ?? false
        preset = try values.decodeIfPresent(String.self, forKey: .preset)
        tune = try values.decodeIfPresent(String.self, forKey: .tune)
        profile = try values.decodeIfPresent(String.self, forKey: .profile)
        level = try values.decodeIfPresent(String.self, forKey: .level)
        gopSeconds = try values.decodeIfPresent(Double.self, forKey: .gopSeconds)
        pixelFormat = try values.decodeIfPresent(String.self, forKey: .pixelFormat)
        size = try values.decodeIfPresent(PictureSize.self, forKey: .size)
        frameRate = try values.decodeIfPresent(FrameRate.self, forKey: .frameRate)
        deinterlace = try values.decodeIfPresent(Bool.self, forKey: .deinterlace) ?? true
    }

    /// Whether anything is asked that only an encoder can do.
    var asksForEncoding: Bool {
        var plain = VideoSettings(codec: codec)
        plain.deinterlace = deinterlace
        return self != plain
    }

    func validate() throws {
        if let crf, !(0...63).contains(crf) { throw MediaError(.badRequest, "video.crf must lie between 0 and 63") }
        if crf != nil, bitRate != nil {
            throw MediaError(.badRequest, "video.crf and video.bitRate exclude each other", hint: "choose one")
        }
        let rates = [("bitRate", bitRate), ("maximumBitRate", maximumBitRate), ("bufferSize", bufferSize)]
        for (name, value) in rates {
            if let value, !(1000...10_000_000_000).contains(value) {
                throw MediaError(.badRequest, "video.\(name) must lie between 1,000 and 10,000,000,000 bits")
            }
        }
        if twoPass, bitRate == nil {
            throw MediaError(.badRequest, "video.twoPass needs video.bitRate", hint: "with crf one pass is enough")
        }
        if let gopSeconds, !(0.01...600).contains(gopSeconds) {
            throw MediaError(.badRequest, "video.gopSeconds must lie between 0.01 and 600")
        }
        if let pixelFormat, PixelFormat(name: pixelFormat) == nil {
            throw MediaError(
                .badRequest, "there is no pixel format \"\(pixelFormat)\"", hint: "yuv420p is the usual one")
        }
        try size?.validate()
        if codec == .copy || codec == .none, asksForEncoding {
            throw MediaError(
                .badRequest, "video.codec \"\(codec.rawValue)\" excludes the other video settings",
                hint: "name a codec to encode with")
        }
    }
}

/// An exact frame rate: a number or a fraction, as text or number in JSON.
public struct FrameRate: Codable, Sendable, Equatable, CustomStringConvertible {
    /// Pictures per second.
    public var rational: Rational

    /// Takes the fraction as it is, without a check.
    public init(_ rational: Rational) { self.rational = rational }

    /// Reads "25", "29.97" or "30000/1001". The usual NTSC roundings stand for their exact fractions.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let numerator = Int32(parts[0]), let denominator = Int32(parts[1]) {
            rational = Rational(numerator, denominator)
        } else if parts.count == 1, let value = Double(text), value.isFinite {
            rational = Self.exact(value)
        } else {
            return nil
        }
        guard rational.isPositive, rational.value <= 1000, rational.value >= 0.01 else { return nil }
    }

    private static func exact(_ value: Double) -> Rational {
        for base in [24, 30, 48, 60, 120] as [Int32] {
            // 23.976, 29.97, 59.94 and their like mean base × 1000/1001.
            let ntsc = Rational(base * 1000, 1001)
            if abs(value - ntsc.value) < 0.005 { return ntsc }
        }
        let thousandths = Int32(clamping: Int64(clamping: (value * 1000).rounded()))
        return thousandths % 1000 == 0 ? Rational(thousandths / 1000, 1) : Rational(thousandths, 1000)
    }

    public init(from decoder: any Swift.Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = (try? container.decode(String.self)) ?? (try? container.decode(Double.self)).map { "\($0)" }
        guard let text, let rate = FrameRate(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a frame rate is a number or a fraction such as \"30000/1001\"")
        }
        self = rate
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public var description: String {
        rational.denominator == 1 ? "\(rational.numerator)" : rational.description
    }
}
