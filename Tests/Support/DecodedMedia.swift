import CAVShim
public import MediaKit

/// One plane of a picture, 8 bits per sample, scaled down to at most the width asked for.
public struct Plane: Sendable {
    public var width: Int
    public var height: Int
    public var samples: [UInt8]

    public init(width: Int, height: Int, samples: [UInt8]) {
        self.width = width
        self.height = height
        self.samples = samples
    }

    public subscript(_ x: Int, _ y: Int) -> UInt8 { samples[y * width + x] }

    /// Only these rows of it.
    public func rows(_ rows: some RangeExpression<Int>) -> Plane {
        let range = rows.relative(to: 0..<height)
        return Plane(
            width: width, height: range.count,
            samples: Array(samples[range.lowerBound * width..<range.upperBound * width]))
    }

    /// The mean of a part, given as fractions of width and height.
    public func mean(_ x: ClosedRange<Double> = 0...1, _ y: ClosedRange<Double> = 0...1) -> Double {
        let columns = Int(x.lowerBound * Double(width))..<max(1, Int(x.upperBound * Double(width)))
        let rows = Int(y.lowerBound * Double(height))..<max(1, Int(y.upperBound * Double(height)))
        var sum = 0
        for row in rows { for column in columns { sum += Int(samples[row * width + column]) } }
        return Double(sum) / Double(columns.count * rows.count)
    }
}

/// A decoded picture or run of samples.
public struct DecodedFrame: Sendable {
    /// In the stream's time base.
    public var time: Int64
    public var duration: Int64
    public var isKey: Bool
    public var width: Int
    public var height: Int
    public var pixelFormat: String
    public var isInterlaced: Bool
    /// "bt709", "smpte170m", …; "unknown" and "reserved" as libav says.
    public var matrix: String
    public var transfer: String
    public var primaries: String
    public var range: String
    /// Luma and both chroma planes, where pictures were asked for.
    public var planes: [Plane] = []
    public var sampleCount: Int

    public var luma: Plane { planes.first ?? Plane(width: 0, height: 0, samples: []) }
}

public struct DecodedStream: Sendable {
    public var index: Int
    /// "video", "audio", "subtitle", "data", "attachment"
    public var kind: String
    public var codec: String
    public var timeBase: Rational
    public var frames: [DecodedFrame] = []
    /// By channel, where sound was asked for: −1…1.
    public var samples: [[Float]] = []
    public var sampleRate = 0
    public var channels = 0
    /// Seconds at which each packet is to be decoded, in the file's order.
    public var packetTimes: [Double] = []
    public var keyPacketTimes: [Double] = []
    public var subtitles: [String] = []
    /// Packets that the decoder refused.
    public var errors = 0

    /// Whether what lies before 0 is an encoder's priming, which players do not let be heard (Matroska).
    public var hidesNegativeTimes = false
    /// Seconds that the container says the stream ends at, where it says so in a tag (Matroska).
    public var taggedEnd: Double?

    /// Seconds at which the first frame is shown or heard.
    public var start: Double {
        let first = frames.map(\.time).min().map { Double($0) * timeBase.value } ?? 0
        return hidesNegativeTimes ? max(0, first) : first
    }
    /// Seconds at which the last frame ends.
    public var end: Double {
        guard let last = frames.max(by: { $0.time < $1.time }) else { return 0 }
        let time = Double(last.time) * timeBase.value
        if let taggedEnd, kind == "video" { return max(time, taggedEnd) }
        if last.duration > 0 { return time + Double(last.duration) * timeBase.value }
        return time + (frames.count > 1 ? (time - start) / Double(frames.count - 1) : 0)
    }
    public var times: [Double] { frames.map { Double($0.time) * timeBase.value } }
}

/// All of a file decoded by libav alone, in the plainest way, to be looked at.
public struct DecodedMedia: Sendable {
    public var streams: [DecodedStream] = []
    public var formatName = ""

    public var videos: [DecodedStream] { streams.filter { $0.kind == "video" } }
    public var audios: [DecodedStream] { streams.filter { $0.kind == "audio" } }
    public var subtitles: [DecodedStream] { streams.filter { $0.kind == "subtitle" } }
    public var video: DecodedStream? { videos.first }
    public var audio: DecodedStream? { audios.first }

    public struct Failure: Error { public var text: String }

    /// - Parameters:
    ///   - pictureWidth: the width that planes are kept with at most; `nil` keeps no pictures.
    ///   - keepsSound: whether samples are kept.
    ///   - until: seconds of the file's own time after which it is left.
    public init(path: String, pictureWidth: Int? = 320, keepsSound: Bool = true, until: Double = .infinity) throws {
        var context: UnsafeMutablePointer<AVFormatContext>?
        // libav's log goes where the engine's goes: nowhere, for a thread without a job.
        guard avformat_open_input(&context, path, nil, nil) >= 0, let input = context else {
            throw Failure(text: "cannot open \(path)")
        }
        defer { avformat_close_input(&context) }
        guard avformat_find_stream_info(input, nil) >= 0 else { throw Failure(text: "no stream info in \(path)") }
        formatName = String(cString: input.pointee.iformat.pointee.name)
        var decoders: [UnsafeMutablePointer<AVCodecContext>?] = []
        defer { for index in decoders.indices { avcodec_free_context(&decoders[index]) } }
        for index in 0..<Int(input.pointee.nb_streams) {
            guard let stream = input.pointee.streams[index], let parameters = stream.pointee.codecpar else { continue }
            streams.append(DecodedStream(index: index, stream: stream))
            streams[index].hidesNegativeTimes = formatName.hasPrefix("matroska")
            var decoder: UnsafeMutablePointer<AVCodecContext>?
            let isPicture = stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0
            if let codec = avcodec_find_decoder(parameters.pointee.codec_id), isPicture,
                [AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_AUDIO].contains(parameters.pointee.codec_type)
            {
                decoder = avcodec_alloc_context3(codec)
                avcodec_parameters_to_context(decoder, parameters)
                decoder?.pointee.pkt_timebase = stream.pointee.time_base
                decoder?.pointee.thread_count = 1
                if avcodec_open2(decoder, codec, nil) < 0 { avcodec_free_context(&decoder) }
            }
            decoders.append(decoder)
        }
        var packet = av_packet_alloc()
        var frame = av_frame_alloc()
        defer {
            av_packet_free(&packet)
            av_frame_free(&frame)
        }
        guard let packet, let frame else { return }
        reading: while av_read_frame(input, packet) >= 0 {
            defer { av_packet_unref(packet) }
            let index = Int(packet.pointee.stream_index)
            let time = packet.pointee.pts == CAV_NOPTS ? packet.pointee.dts : packet.pointee.pts
            if time != CAV_NOPTS {
                let seconds = Double(time) * streams[index].timeBase.value
                if seconds > until + 2 { break reading }
                streams[index].packetTimes.append(seconds)
                if packet.pointee.flags & AV_PKT_FLAG_KEY != 0 { streams[index].keyPacketTimes.append(seconds) }
            }
            if streams[index].kind == "subtitle" { streams[index].keep(subtitle: packet) }
            guard let decoder = decoders[index] else { continue }
            if avcodec_send_packet(decoder, packet) < 0 { streams[index].errors += 1 }
            streams[index].take(from: decoder, frame, pictureWidth, keepsSound, until)
        }
        for (index, decoder) in decoders.enumerated() {
            guard let decoder else { continue }
            avcodec_send_packet(decoder, nil)
            streams[index].take(from: decoder, frame, pictureWidth, keepsSound, until)
        }
    }
}

extension DecodedStream {
    fileprivate init(index: Int, stream: UnsafeMutablePointer<AVStream>) {
        self.index = index
        let parameters = stream.pointee.codecpar.pointee
        kind = av_get_media_type_string(parameters.codec_type).map { String(cString: $0) } ?? "unknown"
        codec = String(cString: avcodec_get_name(parameters.codec_id))
        timeBase = Rational(stream.pointee.time_base.num, stream.pointee.time_base.den)
        if let tag = av_dict_get(stream.pointee.metadata, "DURATION", nil, 0) {
            let parts = String(cString: tag.pointee.value).split(separator: ":").compactMap { Double($0) }
            if parts.count == 3 { taggedEnd = parts[0] * 3600 + parts[1] * 60 + parts[2] }
        }
    }

    fileprivate mutating func keep(subtitle packet: UnsafeMutablePointer<AVPacket>) {
        var bytes = Array(UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size)))
        // MP4's timed text counts its bytes in front.
        if codec == "mov_text", bytes.count >= 2 {
            bytes = Array(bytes[2..<min(bytes.count, 2 + Int(bytes[0]) << 8 + Int(bytes[1]))])
        }
        if !bytes.isEmpty { subtitles.append(String(decoding: bytes, as: UTF8.self)) }
    }

    fileprivate mutating func take(
        from decoder: UnsafeMutablePointer<AVCodecContext>, _ frame: UnsafeMutablePointer<AVFrame>,
        _ pictureWidth: Int?, _ keepsSound: Bool, _ until: Double
    ) {
        while true {
            let result = avcodec_receive_frame(decoder, frame)
            if result == cav_error(EAGAIN) || result == CAV_ERROR_EOF { return }
            if result < 0 {
                errors += 1
                continue
            }
            defer { av_frame_unref(frame) }
            let time = frame.pointee.best_effort_timestamp
            guard Double(time) * timeBase.value <= until else { continue }
            var kept = DecodedFrame(frame.pointee, time: time, duration: cav_frame_duration(frame))
            kept.isKey = cav_frame_is_key(frame) != 0
            kept.isInterlaced = cav_frame_is_interlaced(frame) != 0
            if frame.pointee.nb_samples > 0 {
                sampleRate = Int(frame.pointee.sample_rate)
                channels = Int(frame.pointee.ch_layout.nb_channels)
                // Containers with coarse clocks round durations; samples do not.
                let exact = AVRational(num: 1, den: frame.pointee.sample_rate)
                let base = AVRational(num: timeBase.numerator, den: timeBase.denominator)
                kept.duration = av_rescale_q(Int64(frame.pointee.nb_samples), exact, base)
                if keepsSound { keep(sound: frame) }
            } else if let pictureWidth {
                kept.planes = Self.planes(of: frame, width: pictureWidth)
            }
            frames.append(kept)
        }
    }

    private mutating func keep(sound frame: UnsafeMutablePointer<AVFrame>) {
        let count = Int(frame.pointee.nb_samples)
        var converter: OpaquePointer?
        let format = AVSampleFormat(rawValue: frame.pointee.format)
        guard
            swr_alloc_set_opts2(
                &converter, &frame.pointee.ch_layout, AV_SAMPLE_FMT_FLTP, frame.pointee.sample_rate,
                &frame.pointee.ch_layout, format, frame.pointee.sample_rate, 0, nil) >= 0
        else { return }
        defer { swr_free(&converter) }
        guard swr_init(converter) >= 0 else { return }
        if samples.count != channels { samples = Array(repeating: [], count: channels) }
        var planes: [UnsafeMutablePointer<UInt8>?] = Array(repeating: nil, count: channels)
        guard av_samples_alloc(&planes, nil, Int32(channels), Int32(count), AV_SAMPLE_FMT_FLTP, 0) >= 0 else { return }
        defer { av_freep(&planes) }
        frame.pointee.extended_data.withMemoryRebound(to: UnsafePointer<UInt8>?.self, capacity: channels) { input in
            _ = swr_convert(converter, &planes, Int32(count), input, Int32(count))
        }
        for (channel, plane) in planes.enumerated() {
            plane?.withMemoryRebound(to: Float.self, capacity: count) {
                samples[channel].append(contentsOf: UnsafeBufferPointer(start: $0, count: count))
            }
        }
    }

    /// Each plane scaled for itself, so that nothing is converted: what is written is what is seen.
    private static func planes(of frame: UnsafeMutablePointer<AVFrame>, width limit: Int) -> [Plane] {
        guard let description = av_pix_fmt_desc_get(AVPixelFormat(rawValue: frame.pointee.format)),
            Int32(truncatingIfNeeded: description.pointee.flags) & Int32(AV_PIX_FMT_FLAG_PLANAR) != 0
                || description.pointee.nb_components == 1
        else { return [] }
        let gray: AVPixelFormat
        switch description.pointee.comp.0.depth {
        case 8: gray = AV_PIX_FMT_GRAY8
        case 10: gray = AV_PIX_FMT_GRAY10LE
        case 12: gray = AV_PIX_FMT_GRAY12LE
        default: return []
        }
        let count = Int(min(3, description.pointee.nb_components))
        var planes: [Plane] = []
        for index in 0..<count {
            // Chroma planes round up.
            let shiftX = index == 0 ? 0 : Int(description.pointee.log2_chroma_w)
            let shiftY = index == 0 ? 0 : Int(description.pointee.log2_chroma_h)
            let width = (Int(frame.pointee.width) + (1 << shiftX) - 1) >> shiftX
            let height = (Int(frame.pointee.height) + (1 << shiftY) - 1) >> shiftY
            var stride: Int32 = 0
            guard let data = cav_frame_plane(frame, Int32(index), &stride) else { return [] }
            planes.append(plane(data, stride, width: width, height: height, format: gray, limit: limit))
        }
        return planes
    }

    private static func plane(
        _ data: UnsafeMutablePointer<UInt8>, _ stride: Int32, width: Int, height: Int, format: AVPixelFormat, limit: Int
    ) -> Plane {
        let outWidth = min(width, limit)
        let outHeight = max(1, height * outWidth / width)
        var plane = Plane(
            width: outWidth, height: outHeight, samples: [UInt8](repeating: 0, count: outWidth * outHeight))
        if outWidth == width, format == AV_PIX_FMT_GRAY8 {
            plane.samples.withUnsafeMutableBufferPointer { out in
                for row in 0..<height {
                    out.baseAddress?.advanced(by: row * width).update(from: data + row * Int(stride), count: width)
                }
            }
            return plane
        }
        // SWS_AREA, a macro or an enumeration by version.
        let area: Int32 = 0x20
        let scaler = sws_getContext(
            Int32(width), Int32(height), format, Int32(outWidth), Int32(outHeight), AV_PIX_FMT_GRAY8, area, nil, nil,
            nil)
        defer { sws_freeContext(scaler) }
        plane.samples.withUnsafeMutableBufferPointer { out in
            var inStride = stride
            var outStride = Int32(outWidth)
            var outRow: UnsafeMutablePointer<UInt8>? = out.baseAddress
            var row: UnsafePointer<UInt8>? = UnsafePointer(data)
            sws_scale(scaler, &row, &inStride, 0, Int32(height), &outRow, &outStride)
        }
        return plane
    }
}

extension DecodedFrame {
    fileprivate init(_ frame: AVFrame, time: Int64, duration: Int64) {
        func text(_ name: UnsafePointer<CChar>?) -> String { name.map { String(cString: $0) } ?? "" }
        self.time = time
        self.duration = duration
        isKey = false
        isInterlaced = false
        width = Int(frame.width)
        height = Int(frame.height)
        sampleCount = Int(frame.nb_samples)
        pixelFormat = frame.width > 0 ? text(av_get_pix_fmt_name(AVPixelFormat(rawValue: frame.format))) : ""
        matrix = text(av_color_space_name(frame.colorspace))
        transfer = text(av_color_transfer_name(frame.color_trc))
        primaries = text(av_color_primaries_name(frame.color_primaries))
        range = text(av_color_range_name(frame.color_range))
    }
}
