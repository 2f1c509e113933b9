import CAVShim

extension Container {
    /// Whether the container holds such a stream, as it is.
    func canHold(_ codec: AVCodecID) -> Bool {
        switch self {
        // libav keeps no list for these.
        case .mpegts:
            [
                AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_AAC,
                AV_CODEC_ID_MP3, AV_CODEC_ID_MP2, AV_CODEC_ID_AC3, AV_CODEC_ID_EAC3, AV_CODEC_ID_OPUS,
            ].contains(codec)
        case .ogg: [AV_CODEC_ID_OPUS, AV_CODEC_ID_VORBIS, AV_CODEC_ID_FLAC].contains(codec)
        case .opus: codec == AV_CODEC_ID_OPUS
        case .mp3: codec == AV_CODEC_ID_MP3
        case .flac: codec == AV_CODEC_ID_FLAC
        case .wav: [AV_CODEC_ID_PCM_S16LE, AV_CODEC_ID_PCM_S24LE, AV_CODEC_ID_PCM_F32LE].contains(codec)
        // Matroska can, by its standard, but libav writes it only where it is told to.
        case .mkv: codec != AV_CODEC_ID_RAWVIDEO && Muxer.canHold(codec, in: muxer)
        // Newer versions of libav write PCM into MP4, which hardly a player reads.
        case .mp4, .m4a: !codec.isPCM && Muxer.canHold(codec, in: muxer)
        default: Muxer.canHold(codec, in: muxer)
        }
    }

    func canHoldSubtitles(_ codec: AVCodecID) -> Bool {
        switch self {
        case .mp4, .mov: codec == AV_CODEC_ID_MOV_TEXT
        case .mkv:
            [
                AV_CODEC_ID_SUBRIP, AV_CODEC_ID_ASS, AV_CODEC_ID_WEBVTT, AV_CODEC_ID_HDMV_PGS_SUBTITLE,
                AV_CODEC_ID_DVD_SUBTITLE,
            ].contains(codec)
        case .webm: codec == AV_CODEC_ID_WEBVTT
        default: false
        }
    }
}

extension VideoCodec {
    var codecID: AVCodecID? {
        switch self {
        case .h264: AV_CODEC_ID_H264
        case .hevc: AV_CODEC_ID_HEVC
        case .av1: AV_CODEC_ID_AV1
        case .vp9: AV_CODEC_ID_VP9
        case .auto, .copy, .none: nil
        }
    }
}

extension AudioCodec {
    var codecID: AVCodecID? {
        switch self {
        case .aac: AV_CODEC_ID_AAC
        case .opus: AV_CODEC_ID_OPUS
        case .mp3: AV_CODEC_ID_MP3
        case .flac: AV_CODEC_ID_FLAC
        case .pcm: AV_CODEC_ID_PCM_S16LE
        case .auto, .copy, .none: nil
        }
    }
}

extension AVCodecID {
    fileprivate var isPCM: Bool { String(cString: avcodec_get_name(self)).hasPrefix("pcm_") }
}
