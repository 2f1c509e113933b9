import CAVShim
import Glibc

/// All that an encoder is told, in libav's words. Built by the operations.
struct EncoderSettings: Sendable, Equatable {
    /// libav's name of the encoder: "libx264".
    var encoder: String
    /// Bits per second.
    var bitRate: Int64?
    var maximumBitRate: Int64?
    /// VBV buffer, in bits.
    var bufferSize: Int64?
    /// Private options of the encoder: preset, crf, …
    var options: [String: String] = [:]
    /// Seconds between forced key frames; the encoder may put more.
    var keyFrameSeconds: Double?
    /// Whether those key frames are forced by time, on each multiple, or left to the encoder's interval.
    var forcesKeyFrames = true
    var maximumBFrames: Int?
    var threads = 1
    var bitexact = false
    /// A four-character code that the container should use.
    var codecTag: String?
    /// Colour to be written where the frames do not say: (primaries, transfer, matrix).
    var color: ColorTags?
    /// Which of two passes this is.
    var pass: Pass?

    enum Pass: Sendable, Equatable {
        case first, second
    }
}

/// Colour as codecs and containers write it (ITU-T H.273).
struct ColorTags: Sendable, Equatable {
    var primaries = AVCOL_PRI_UNSPECIFIED
    var transfer = AVCOL_TRC_UNSPECIFIED
    var matrix = AVCOL_SPC_UNSPECIFIED
    var range = AVCOL_RANGE_UNSPECIFIED
}

/// The owner of one encoder.
///
// Safe to send: used by one thread at a time: opened by the filter stage, which knows the format, and then run by
// the encoder stage.
final class Encoder: @unchecked Sendable {
    let raw: UnsafeMutablePointer<AVCodecContext>
    let settings: EncoderSettings
    /// The time base of the frames it takes and the packets it gives.
    let timeBase: Rational

    /// Opens an encoder for frames of `format`.
    ///
    /// - Parameters:
    ///   - first: the first frame, for colour and field order; `nil` for sound.
    ///   - globalHeader: whether the container keeps the codec's header apart from the packets.
    ///   - statistics: what the first pass wrote, for the second.
    init(
        settings: EncoderSettings, format: FrameFormat, first: Frame?, globalHeader: Bool, statistics: String?,
        control: JobControl
    ) throws {
        guard let codec = avcodec_find_encoder_by_name(settings.encoder) else {
            throw MediaError(
                .unsupported, "these libraries have no encoder \(settings.encoder)",
                hint: "`kiln capabilities` lists what they have")
        }
        self.settings = settings
        timeBase = format.isVideo ? format.timeBase : Rational(1, Int32(format.sampleRate))
        raw = try allocated(avcodec_alloc_context3(codec), "an encoder")
        raw.pointee.opaque = control.log.mark
        raw.pointee.time_base = timeBase.raw
        raw.pointee.thread_count = Int32(settings.threads)
        if let bitRate = settings.bitRate { raw.pointee.bit_rate = bitRate }
        if let rate = settings.maximumBitRate { raw.pointee.rc_max_rate = rate }
        if let size = settings.bufferSize { raw.pointee.rc_buffer_size = Int32(clamping: size) }
        if let count = settings.maximumBFrames { raw.pointee.max_b_frames = Int32(count) }
        if globalHeader { raw.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
        if settings.bitexact { raw.pointee.flags |= AV_CODEC_FLAG_BITEXACT }
        switch settings.pass {
        case .first: raw.pointee.flags |= AV_CODEC_FLAG_PASS1
        case .second: raw.pointee.flags |= AV_CODEC_FLAG_PASS2
        case nil: break
        }
        if let statistics { raw.pointee.stats_in = av_strdup(statistics) }
        if format.isVideo { setPicture(format, first) } else { try setSound(format) }

        let options = Options(settings.options)
        let result = avcodec_open2(raw, codec, &options.raw)
        av_freep(&raw.pointee.stats_in)
        if result < 0 {
            var error = MediaError.libav(result, "cannot open the encoder \(settings.encoder)")
            if result == cav_error(EINVAL) || result == CAV_ERROR_EXTERNAL {
                error.code = .unsupported
                error.hint = "it does not take these settings together"
            }
            error.log = control.log.recent()
            if let last = error.log.last { error.message += " (\(last))" }
            throw error
        }
        try options.requireAllUsed(by: settings.encoder)
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = raw
        avcodec_free_context(&context)
    }

    /// Samples per frame that the encoder wants; `nil` if it takes any number.
    var frameSize: Int? {
        let anySize = raw.pointee.codec.pointee.capabilities & AV_CODEC_CAP_VARIABLE_FRAME_SIZE != 0
        return anySize || raw.pointee.frame_size <= 0 ? nil : Int(raw.pointee.frame_size)
    }

    /// Gives the encoder a frame, or `nil` at the end.
    func send(_ frame: Frame?) throws {
        let result = avcodec_send_frame(raw, frame?.raw)
        if result == CAV_ERROR_EOF, frame == nil { return }
        try check(result, "the encoder \(settings.encoder) failed")
    }

    /// Takes the next packet.
    func receive(into packet: Packet) throws -> Flow {
        let result = avcodec_receive_packet(raw, packet.raw)
        guard let flow = Flow(result) else {
            throw MediaError.libav(result, "the encoder \(settings.encoder) failed")
        }
        return flow
    }

    /// What a first pass has found out since the last call, where the codec hands it over in memory.
    func takeStatistics() -> String? {
        raw.pointee.stats_out.map { String(cString: $0) }
    }

    private func setPicture(_ format: FrameFormat, _ first: Frame?) {
        raw.pointee.width = Int32(format.width)
        raw.pointee.height = Int32(format.height)
        raw.pointee.pix_fmt = AVPixelFormat(rawValue: format.format)
        raw.pointee.sample_aspect_ratio = format.sampleAspectRatio.raw
        if format.frameRate.isPositive {
            raw.pointee.framerate = format.frameRate.raw
            let ticks = format.frameRate.inverse.rescale(1, to: timeBase)
            if settings.encoder == "libvpx-vp9", ticks > 0 { cav_encoder_set_frame_ticks(raw, Int32(clamping: ticks)) }
        }
        if let frame = first?.raw {
            raw.pointee.color_primaries = frame.pointee.color_primaries
            raw.pointee.color_trc = frame.pointee.color_trc
            raw.pointee.colorspace = frame.pointee.colorspace
            raw.pointee.color_range = frame.pointee.color_range
            raw.pointee.chroma_sample_location = frame.pointee.chroma_location
        }
        if let color = settings.color {
            if raw.pointee.color_primaries == AVCOL_PRI_UNSPECIFIED { raw.pointee.color_primaries = color.primaries }
            if raw.pointee.color_trc == AVCOL_TRC_UNSPECIFIED { raw.pointee.color_trc = color.transfer }
            if raw.pointee.colorspace == AVCOL_SPC_UNSPECIFIED { raw.pointee.colorspace = color.matrix }
            if raw.pointee.color_range == AVCOL_RANGE_UNSPECIFIED { raw.pointee.color_range = color.range }
        }
        if let seconds = settings.keyFrameSeconds {
            let rate = format.frameRate.isPositive ? format.frameRate.value : 30
            // Where they are forced, the encoder's own interval must not come before.
            let frames = seconds * rate * (settings.forcesKeyFrames ? 2 : 1)
            raw.pointee.gop_size = max(1, Int32(clamping: Int64(clamping: frames.rounded(.up))))
        }
    }

    private func setSound(_ format: FrameFormat) throws {
        raw.pointee.sample_fmt = AVSampleFormat(rawValue: format.format)
        raw.pointee.sample_rate = Int32(format.sampleRate)
        try check(
            av_channel_layout_from_string(&raw.pointee.ch_layout, format.channelLayout), "bad channel layout")
    }
}
