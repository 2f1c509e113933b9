import CAVShim

/// Reads an input's text track to its end before the pictures are worked on.
///
/// Thread safety: used by the job's thread.
struct TextTrackReader {
    let location: String
    /// Counted from 0 among the subtitle streams.
    let track: Int?
    let job: Job

    func read() throws -> SubtitleDocument {
        let demuxer = try job.open(location)
        guard demuxer.isSeekable else {
            throw MediaError(
                .unsupported, "an embedded subtitle track is read before the pictures, and a pipe cannot be read twice",
                hint: "write it to a file first, or give the subtitles apart", input: demuxer.name)
        }
        let stream = try choose(demuxer)
        demuxer.discard(allBut: [stream.index])
        let decoder = try SubtitleDecoder(stream: stream, control: job.control)
        let origin = Rational.microseconds.rescale(demuxer.presentationStart, to: Rational(1, 1000))
        var events: [SubtitleTrackEvent] = []
        var bytes = 0
        let limits = SubtitleLimits()
        let packet = try Packet()
        while try demuxer.read(into: packet) {
            try job.control.checkpoint()
            defer { packet.unref() }
            guard packet.stream == stream.index else { continue }
            events += try decoder.decode(packet, origin: origin)
            bytes += packet.size
            guard events.count <= limits.cues, bytes <= limits.bytes else {
                throw MediaError(
                    .resourceLimit, "its subtitle track holds more than \(limits.cues) cues or \(limits.bytes) bytes",
                    input: demuxer.name, stream: stream.index)
            }
        }
        job.countRead(demuxer)
        let isStyled = stream.codecID == AV_CODEC_ID_ASS || stream.codecID == AV_CODEC_ID_SSA
        return try SubtitleDocument.fromASSEvents(
            header: decoder.header, events: events, keepsStyles: isStyled, name: demuxer.name)
    }

    private func choose(_ demuxer: Demuxer) throws -> InputStream {
        let streams = demuxer.streams.filter { $0.kind == .subtitle }
        guard !streams.isEmpty else {
            throw MediaError(.notFound, "there is no subtitle track in it", input: demuxer.name)
        }
        if let track {
            guard streams.indices.contains(track) else {
                throw MediaError(
                    .notFound, "there is no subtitle track \(track) (\(streams.count) in all)", input: demuxer.name)
            }
            try requireText(streams[track])
            return streams[track]
        }
        let texts = streams.filter(Self.isText)
        guard let best = texts.first(where: \.isDefault) ?? texts.first else {
            try requireText(streams[0])
            return streams[0]
        }
        return best
    }

    private static func isText(_ stream: InputStream) -> Bool {
        guard let description = avcodec_descriptor_get(stream.codecID) else { return false }
        return description.pointee.props & AV_CODEC_PROP_TEXT_SUB != 0
    }

    private func requireText(_ stream: InputStream) throws {
        guard Self.isText(stream) else {
            throw MediaError(
                .unsupported, "its subtitles are pictures (\(stream.codecName)), not text",
                hint: "give the subtitles as SRT, WebVTT or ASS", input: stream.demuxer.name, stream: stream.index)
        }
    }
}

/// The owner of a decoder for text subtitles.
///
/// Thread safety: used by one thread.
private final class SubtitleDecoder {
    private let raw: UnsafeMutablePointer<AVCodecContext>
    private let stream: InputStream

    init(stream: InputStream, control: JobControl) throws {
        self.stream = stream
        guard let codec = avcodec_find_decoder(stream.codecID) else {
            throw MediaError(
                .unsupported, "no decoder for \(stream.codecName)", input: stream.demuxer.name, stream: stream.index)
        }
        raw = try allocated(avcodec_alloc_context3(codec), "a decoder")
        // From here on all properties are set, and deinit frees it if this throws.
        try check(avcodec_parameters_to_context(raw, stream.parameters), "bad codec parameters")
        raw.pointee.opaque = control.log.mark
        raw.pointee.pkt_timebase = stream.timeBase.raw
        try check(
            avcodec_open2(raw, codec, nil), "cannot open the \(stream.codecName) decoder",
            input: stream.demuxer.name, stream: stream.index)
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = raw
        avcodec_free_context(&context)
    }

    /// The ASS header that the events belong to.
    var header: String {
        guard let bytes = raw.pointee.subtitle_header else { return "" }
        return String(
            decoding: UnsafeBufferPointer(start: bytes, count: Int(raw.pointee.subtitle_header_size)), as: UTF8.self)
    }

    /// - Parameter origin: the input's time that is 0 for the result, in milliseconds.
    func decode(_ packet: Packet, origin: Int64) throws -> [SubtitleTrackEvent] {
        var subtitle = AVSubtitle()
        var isWhole: Int32 = 0
        // A damaged cue is no reason to lose the others.
        guard avcodec_decode_subtitle2(raw, &subtitle, &isWhole, packet.raw) >= 0, isWhole != 0,
            let pts = packet.pts
        else { return [] }
        defer { avsubtitle_free(&subtitle) }
        let milliseconds = Rational(1, 1000)
        let start = stream.timeBase.rescale(pts, to: milliseconds) - origin + Int64(subtitle.start_display_time)
        let shown = subtitle.end_display_time
        let length =
            shown > 0 && shown < .max
            ? Int64(shown) - Int64(subtitle.start_display_time)
            : stream.timeBase.rescale(packet.duration, to: milliseconds)
        return (0..<Int(subtitle.num_rects)).compactMap { index in
            guard let text = subtitle.rects[index]?.pointee.ass else { return nil }
            return SubtitleTrackEvent(start: start, end: start + length, dialogue: String(cString: text))
        }
    }
}
