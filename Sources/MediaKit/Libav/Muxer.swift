import ByteIO
import CAVShim
import Glibc

/// The owner of one output container.
///
/// Thread safety: used by one thread at a time.
final class Muxer {
    /// What a stream of the output looks like before its first packet.
    struct StreamSettings: @unchecked Sendable {
        // Safe to send: the codec parameters are a copy of its own that nobody changes.
        let parameters: CodecParameters
        /// The time base of the packets that will come.
        var timeBase: Rational
        var frameRate = Rational(0, 1)
        var tags: [(key: String, value: String)] = []
        var disposition: Int32 = 0
        /// libav's side data to carry: HDR metadata, rotation of a copied stream, …
        var sideData: [(type: AVPacketSideDataType, bytes: [UInt8])] = []
    }

    struct Chapter: Sendable {
        var timeBase: Rational
        var start: Int64
        var end: Int64
        var tags: [(key: String, value: String)]
    }

    let raw: UnsafeMutablePointer<AVFormatContext>
    private let name: String
    private let bridge: OutputBridge?
    private let control: JobControl
    private let options: Options
    /// The time bases that the caller's packets are in, by stream.
    private var packetTimeBases: [Rational] = []
    /// The last decoding timestamp by stream, in the container's time base.
    private var lastDTS: [Int64?] = []
    /// Microseconds that are added to all times, so that none is negative where the container has no negative ones.
    private var shift: Int64 = 0
    private var isStarted = false

    /// - Parameters:
    ///   - format: libav's name of the container.
    ///   - bridge: where the bytes go; `nil` for the container "null".
    init(
        format: String, name: String, bridge: OutputBridge?, options: [String: String], bitexact: Bool,
        control: JobControl
    ) throws {
        self.name = name
        self.bridge = bridge
        self.control = control
        self.options = Options(options)
        var context: UnsafeMutablePointer<AVFormatContext>?
        let result = avformat_alloc_output_context2(&context, nil, format, nil)
        guard result >= 0, let context else {
            throw MediaError(.unsupported, "these libraries cannot write the container \(format)", input: name)
        }
        raw = context
        raw.pointee.opaque = control.log.mark
        raw.pointee.pb = bridge?.io
        raw.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        if bitexact { raw.pointee.flags |= AVFMT_FLAG_BITEXACT }
        // A transport stream's clock must run ahead of its data, or decoders have no time to fill their buffers.
        if format == "mpegts" { raw.pointee.max_delay = 700_000 }
        cav_refuse_nested_io(raw)
    }

    deinit { avformat_free_context(raw) }

    /// Whether a container wants the codecs' headers apart from the packets.
    static func wantsGlobalHeader(_ format: String) -> Bool {
        guard let description = av_guess_format(format, nil, nil) else { return false }
        return description.pointee.flags & AVFMT_GLOBALHEADER != 0
    }

    /// Whether a container can hold a codec at all.
    static func canHold(_ codec: AVCodecID, in format: String) -> Bool {
        guard let description = av_guess_format(format, nil, nil) else { return false }
        return avformat_query_codec(description, codec, FF_COMPLIANCE_NORMAL) == 1
    }

    func addStream(_ settings: StreamSettings) throws {
        let stream = try allocated(avformat_new_stream(raw, nil), "a stream")
        try check(avcodec_parameters_copy(stream.pointee.codecpar, settings.parameters.raw), "no memory for a stream")
        stream.pointee.time_base = settings.timeBase.raw
        if settings.frameRate.isPositive {
            stream.pointee.avg_frame_rate = settings.frameRate.raw
            stream.pointee.r_frame_rate = settings.frameRate.raw
        }
        stream.pointee.sample_aspect_ratio = settings.parameters.raw.pointee.sample_aspect_ratio
        stream.pointee.disposition = settings.disposition
        // FLAC in MP4 is a standard since 2018, which libav calls experimental before version 7.
        if settings.parameters.raw.pointee.codec_id == AV_CODEC_ID_FLAC {
            raw.pointee.strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL
        }
        for tag in settings.tags { av_dict_set(&stream.pointee.metadata, tag.key, tag.value, 0) }
        for data in settings.sideData {
            guard let place = cav_stream_new_side_data(stream, data.type, data.bytes.count) else {
                throw MediaError.libav(cav_error(ENOMEM), "no memory for a stream's side data")
            }
            UnsafeMutableRawBufferPointer(start: place, count: data.bytes.count).copyBytes(from: data.bytes)
        }
        packetTimeBases.append(settings.timeBase)
        lastDTS.append(nil)
    }

    func setTags(_ tags: [(key: String, value: String)]) {
        for tag in tags { av_dict_set(&raw.pointee.metadata, tag.key, tag.value, 0) }
    }

    func addChapter(_ chapter: Chapter) throws {
        var tags: UnsafeMutablePointer<OpaquePointer?>?
        try check(
            cav_add_chapter(raw, chapter.timeBase.raw, chapter.start, chapter.end, &tags), "no memory for a chapter")
        for tag in chapter.tags { av_dict_set(tags, tag.key, tag.value, 0) }
    }

    /// Tells where each stream starts, before the header is written.
    ///
    /// Matroska has no negative times, but for an encoder's priming, which it keeps apart (CodecDelay, RFC 9559,
    /// §5.1.4.1.28): left to itself, libav would move everything by the priming instead.
    ///
    /// - Parameter packets: the first packet of each stream that has one, with the time base of its timestamps.
    func begin(with packets: [(packet: Packet, stream: Int, timeBase: Rational)]) {
        guard formatName.hasPrefix("matroska") || formatName.hasPrefix("webm") else { return }
        raw.pointee.avoid_negative_ts = 0
        var earliest: Int64 = 0
        for (packet, index, timeBase) in packets {
            guard let pts = packet.pts, let parameters = raw.pointee.streams[index]?.pointee.codecpar else { continue }
            var start = timeBase.rescale(pts, to: .microseconds)
            if parameters.pointee.codec_type == AVMEDIA_TYPE_AUDIO, parameters.pointee.sample_rate > 0 {
                let samples = Rational(1, parameters.pointee.sample_rate)
                if pts < 0, parameters.pointee.initial_padding == 0 {
                    // A copied stream, whose edit list hid the priming.
                    parameters.pointee.initial_padding = Int32(clamping: timeBase.rescale(-pts, to: samples))
                }
                start += samples.rescale(Int64(parameters.pointee.initial_padding), to: .microseconds)
            }
            earliest = min(earliest, start)
        }
        shift = -earliest
    }

    func writeHeader() throws {
        let result = avformat_write_header(raw, &options.raw)
        try finishCall(result, "cannot begin the \(formatName) output")
        isStarted = true
        try options.requireAllUsed(by: "the container \(formatName)")
    }

    /// Writes a packet, whose timestamps are in the time base that its stream was added with. Packets of all streams
    /// must come in order of their decoding timestamps.
    func write(_ packet: Packet) throws {
        guard let stream = raw.pointee.streams[packet.stream] else { return }
        packet.rescale(from: packetTimeBases[packet.stream], to: Rational(stream.pointee.time_base))
        if shift != 0 {
            let units = Rational.microseconds.rescale(shift, to: Rational(stream.pointee.time_base))
            packet.pts = packet.pts.map { $0 + units }
            packet.dts = packet.dts.map { $0 + units }
        }
        packet.raw.pointee.pos = -1
        mendOrder(of: packet)
        try finishCall(av_write_frame(raw, packet.raw), "cannot write a packet", stream: packet.stream)
    }

    /// Containers want decoding timestamps to rise, and a coarser time base may have made two of them one.
    private func mendOrder(of packet: Packet) {
        guard let dts = packet.dts else { return }
        if let last = lastDTS[packet.stream], dts <= last {
            packet.dts = last + 1
            if let pts = packet.pts { packet.pts = max(pts, last + 1) }
        }
        lastDTS[packet.stream] = packet.dts
    }

    /// Ends the container: its index, sizes and so on.
    func writeTrailer() throws {
        try finishCall(av_write_trailer(raw), "cannot end the \(formatName) output")
        if let io = raw.pointee.pb { avio_flush(io) }
        try bridge?.rethrow()
    }

    private var formatName: String { String(cString: raw.pointee.oformat.pointee.name) }

    private func finishCall(_ result: Int32, _ message: String, stream: Int? = nil) throws {
        try bridge?.rethrow()
        if let io = raw.pointee.pb, io.pointee.error < 0 {
            if control.isStopped { try control.checkpoint() }
            throw MediaError.libav(io.pointee.error, message, input: name)
        }
        guard result < 0 else { return }
        if control.isStopped { try control.checkpoint() }
        var error = MediaError.libav(result, message, input: name, stream: stream)
        if error.code == .internal || error.code == .badInput {
            error.code = .unsupported
            error.hint = "this container may not take these streams together"
        }
        error.log = control.log.recent()
        if let last = error.log.last { error.message += " (\(last))" }
        throw error
    }
}

/// The owner of a copy of codec parameters.
///
// Safe to send: not changed after it was made and handed on.
final class CodecParameters: @unchecked Sendable {
    let raw: UnsafeMutablePointer<AVCodecParameters>

    init(copying other: UnsafePointer<AVCodecParameters>) throws {
        raw = try allocated(avcodec_parameters_alloc(), "codec parameters")
        try check(avcodec_parameters_copy(raw, other), "no memory for codec parameters")
    }

    init(of encoder: Encoder) throws {
        raw = try allocated(avcodec_parameters_alloc(), "codec parameters")
        try check(avcodec_parameters_from_context(raw, encoder.raw), "no memory for codec parameters")
        if let tag = encoder.settings.codecTag { setTag(tag) }
    }

    /// Of a text track.
    init(subtitles codec: AVCodecID, header: [UInt8]) throws {
        raw = try allocated(avcodec_parameters_alloc(), "codec parameters")
        raw.pointee.codec_type = AVMEDIA_TYPE_SUBTITLE
        raw.pointee.codec_id = codec
        guard !header.isEmpty else { return }
        let padded = header.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)
        let place = try allocated(av_mallocz(padded), "codec parameters")
        header.withUnsafeBytes {
            place.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(place), byteCount: $0.count)
        }
        raw.pointee.extradata = place.assumingMemoryBound(to: UInt8.self)
        raw.pointee.extradata_size = Int32(header.count)
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVCodecParameters>? = raw
        avcodec_parameters_free(&pointer)
    }

    /// Sets the four-character code, or clears it so that the container chooses.
    func setTag(_ tag: String?) {
        let bytes = Array((tag ?? "").utf8)
        raw.pointee.codec_tag =
            bytes.count == 4
            ? bytes.enumerated().reduce(0) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) } : 0
    }
}
