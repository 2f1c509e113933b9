import CAVShim

/// Turns audio settings into an encoder of these libraries, its options, and what its filters must deliver.
struct AudioEncoderChoice {
    let settings: EncoderSettings
    let plan: SoundPlan

    /// - Parameters:
    ///   - codec: what to encode with; neither auto, copy nor none.
    ///   - sourceChannels: channels of the source, for the default bit rate.
    init(
        codec: AudioCodec, audio: AudioSettings, container: Container, sourceChannels: Int, sourceBits: Int,
        bitexact: Bool
    ) throws {
        let names = Self.encoders(for: codec, bits: sourceBits)
        guard let name = names.first(where: { avcodec_find_encoder_by_name($0) != nil }),
            let encoder = avcodec_find_encoder_by_name(name)
        else {
            throw MediaError(
                .unsupported, "these libraries have no \(codec.rawValue) encoder",
                hint: "install an FFmpeg build with \(names.joined(separator: " or "))")
        }
        var plan = SoundPlan()
        plan.sampleRate = audio.sampleRate
        plan.channelLayout = audio.channels.map { ChannelLayout.standard(channels: Int32($0)) }
        plan.gain = audio.gain
        var count: Int32 = 0
        if let list = cav_codec_sample_formats(encoder, &count) {
            plan.sampleFormats = (0..<Int(count)).compactMap { index in
                av_get_sample_fmt_name(list[index]).map { String(cString: $0) }
            }
        }
        if let list = cav_codec_sample_rates(encoder, &count) {
            plan.supportedRates = (0..<Int(count)).map { Int(list[$0]) }
        }
        if let list = cav_codec_channel_layouts(encoder, &count) {
            plan.supportedLayouts = (0..<Int(count)).map { index in
                var layout = list[index]
                return ChannelLayout.describe(&layout)
            }
        }
        // libopus lists no layouts, but its mapping families know only these.
        if name == "libopus" || name == "opus" {
            plan.supportedLayouts = ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"]
        }
        if name == "aac" {
            plan.supportedLayouts = ["mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"]
        }
        self.plan = plan

        var made = EncoderSettings(encoder: name)
        made.bitexact = bitexact
        let channels = min(audio.channels ?? max(1, sourceChannels), codec == .mp3 ? 2 : 8)
        switch codec {
        case .aac, .mp3: made.bitRate = audio.bitRate ?? Int64(channels) * 64_000
        case .opus: made.bitRate = audio.bitRate ?? Int64(channels) * 48_000
        default: made.bitRate = audio.bitRate
        }
        settings = made
    }

    static func encoders(for codec: AudioCodec, bits: Int = 16) -> [String] {
        switch codec {
        case .aac: ["aac"]
        case .opus: ["libopus"]
        case .mp3: ["libmp3lame"]
        case .flac: ["flac"]
        case .pcm: bits > 16 ? ["pcm_s24le", "pcm_s16le"] : ["pcm_s16le"]
        case .auto, .copy, .none: []
        }
    }
}
