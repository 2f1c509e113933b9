/// Audio codecs that can be asked for.
public enum AudioCodec: String, Codable, Sendable, CaseIterable {
    /// Copies the stream if the container takes it and nothing that was asked changes it; else encodes with the
    /// container's usual codec.
    case auto
    /// Copies the stream without decoding it.
    case copy
    /// Encodes with that codec; pcm has 24 bits for sources of more than 16, otherwise 16.
    case aac, opus, mp3, flac, pcm
    /// Leaves sound out.
    case none
}

/// How sound is made. All optional: what is not set is chosen well.
public struct AudioSettings: Codable, Sendable, Equatable {
    /// Default: auto.
    public var codec: AudioCodec
    /// Bits per second. Default: 64,000 per channel for aac and mp3, 48,000 for opus.
    public var bitRate: Int64?
    /// Hz. Default: the source's, or the nearest that the codec takes.
    public var sampleRate: Int?
    /// 1…8; more or fewer than the source are mixed. Default: the source's.
    public var channels: Int?
    /// Decibels.
    public var gain: Double?

    /// Members that are not given take their defaults; ranges are checked when the request is.
    public init(
        codec: AudioCodec = .auto, bitRate: Int64? = nil, sampleRate: Int? = nil, channels: Int? = nil,
        gain: Double? = nil
    ) {
        self.codec = codec
        self.bitRate = bitRate
        self.sampleRate = sampleRate
        self.channels = channels
        self.gain = gain
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case codec, bitRate, sampleRate, channels, gain
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        codec = try values.decodeIfPresent(AudioCodec.self, forKey: .codec) ?? .auto
        bitRate = try values.decodeIfPresent(Int64.self, forKey: .bitRate)
        sampleRate = try values.decodeIfPresent(Int.self, forKey: .sampleRate)
        channels = try values.decodeIfPresent(Int.self, forKey: .channels)
        gain = try values.decodeIfPresent(Double.self, forKey: .gain)
    }

    /// Whether anything is asked that only an encoder can do.
    var asksForEncoding: Bool { self != AudioSettings(codec: codec) }

    func validate() throws {
        if let bitRate, !(4000...10_000_000).contains(bitRate) {
            throw MediaError(.badRequest, "audio.bitRate must lie between 4,000 and 10,000,000 bits per second")
        }
        if let sampleRate, !(4000...192_000).contains(sampleRate) {
            throw MediaError(.badRequest, "audio.sampleRate must lie between 4,000 and 192,000 Hz")
        }
        if let channels, !(1...8).contains(channels) {
            throw MediaError(.badRequest, "audio.channels must lie between 1 and 8")
        }
        if let gain, !(-120...60).contains(gain) {
            throw MediaError(.badRequest, "audio.gain must lie between -120 and 60 dB")
        }
        if codec == .copy || codec == .none, asksForEncoding {
            throw MediaError(
                .badRequest, "audio.codec \"\(codec.rawValue)\" excludes the other audio settings",
                hint: "name a codec to encode with")
        }
    }
}
