import ByteIO
import CAVShim
import Glibc

/// The owner of one opened input: it knows the streams and reads their packets in the container's order.
///
/// libav reads through the given source alone: its protocols are off, and what a container tries to open besides is
/// refused.
///
// Safe to send: used by one thread at a time; it is opened and planned on the job's thread and then read on the
// demuxer stage's. Stream parameters are not changed after opening.
final class Demuxer: @unchecked Sendable {
    /// How much of the input is looked at before `streams` is trusted.
    enum Analysis {
        /// Read packets until every stream is known (`avformat_find_stream_info`).
        case full
        /// Only the header, if it tells all about its sound streams; else as `full`.
        case headerIfSoundIsKnown
        /// Only the header, if it tells all that is needed to decode its pictures; else as `full`.
        case headerIfPicturesAreKnown
    }

    let name: String
    let raw: UnsafeMutablePointer<AVFormatContext>
    private(set) var streams: [InputStream] = []
    let bridge: InputBridge
    private let probeScore: Int32
    private let control: JobControl

    /// Opens `source` and analyses its streams.
    ///
    /// - Throws: ``MediaError``: `bad_input` where it is not media, `unsupported` where it refers to other files,
    ///   `resource_limit`, `io`, `cancelled`.
    init(source: any ByteSource, control: JobControl, analysis: Analysis = .full) throws {
        try LibavLibrary.start()
        control.log.adoptThread()
        self.control = control
        name = source.name
        if source.length == 0 {
            throw MediaError(.badInput, "the input is empty (0 bytes)", input: source.name)
        }
        let smallReads = analysis != .full && source.isSeekable
        if smallReads { (source as? any PlannableByteSource)?.expect(.scattered) }
        for notice in source.notices { control.warnings.add(MediaWarning(.slowInput, notice)) }
        bridge = try InputBridge(source: source, control: control, bufferSize: smallReads ? 4 << 10 : 64 << 10)

        let (format, score) = try Self.recognise(bridge, control: control, name: source.name)
        var context = avformat_alloc_context()
        let opened = try allocated(context, "a demuxer")
        opened.pointee.pb = bridge.io
        opened.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        opened.pointee.opaque = control.log.mark
        opened.pointee.interrupt_callback = control.interruptCallback
        // One more than allowed: some demuxers leave out in silence what goes beyond, and that must be noticed.
        opened.pointee.max_streams = Int32(clamping: min(control.limits.streams, 1_000_000) + 1)
        // A WAV file may hold DTS that says it is PCM. The demuxer looks for it in 32 packets, with all that it has,
        // which takes longer than everything else; eight hold several of its frames.
        if String(cString: format.pointee.name) == "wav" { opened.pointee.max_probe_packets = 8 }
        cav_refuse_nested_io(opened)
        _ = cav_take_refused_name()
        // A protocol that is not on the list cannot be opened, and no protocol has this name.
        let options = Options(["protocol_whitelist": "none"])
        let result = avformat_open_input(&context, "", format, &options.raw)
        guard result >= 0, let context else {
            throw Self.openError(result, bridge: bridge, control: control, name: source.name)
        }
        raw = context
        probeScore = score
        // From here on all properties are set, and deinit closes it if this throws.
        try analyse(analysis)
        streams = (0..<Int(raw.pointee.nb_streams)).compactMap { index in
            raw.pointee.streams[index].map { InputStream(demuxer: self, index: index, raw: $0) }
        }
        guard !streams.isEmpty else {
            throw MediaError(.badInput, "no streams in it (\(formatName))", input: name)
        }
        guard streams.count <= control.limits.streams else {
            throw MediaError(
                .resourceLimit, "it has \(streams.count) streams, more than the limit of \(control.limits.streams)",
                hint: "raise limits.streams", input: name)
        }
    }

    deinit {
        var context: UnsafeMutablePointer<AVFormatContext>? = raw
        avformat_close_input(&context)
    }

    /// Bytes read from the source so far.
    var bytesRead: Int64 { bridge.bytesRead }
    var isSeekable: Bool { bridge.source.isSeekable }
    var byteCount: Int64? { bridge.source.length }
    /// libav's short names for the container: "mov,mp4,m4a,3gp,3g2,mj2".
    var formatName: String { String(cString: raw.pointee.iformat.pointee.name) }
    var formatLongName: String { raw.pointee.iformat.pointee.long_name.map { String(cString: $0) } ?? formatName }
    /// Microseconds, or `nil` if unknown.
    var startTime: Int64? { raw.pointee.start_time == CAV_NOPTS ? nil : raw.pointee.start_time.boundedTime }
    /// The time, in microseconds of its own timestamps, at which a player starts to show it.
    ///
    /// That is the start time, but for Matroska's negative ones: only an encoder's priming has such, by CodecDelay, and
    /// that is not to be heard.
    var presentationStart: Int64 {
        guard let startTime else { return 0 }
        guard startTime < 0, formatName.hasPrefix("matroska") else { return startTime }
        let starts = streams.compactMap { stream -> Int64? in
            guard let start = stream.startTime, stream.kind == .video || stream.kind == .audio else { return nil }
            return max(0, stream.timeBase.rescale(start, to: .microseconds))
        }
        return starts.min() ?? 0
    }
    /// Microseconds, or `nil` if unknown.
    var duration: Int64? {
        raw.pointee.duration == CAV_NOPTS || raw.pointee.duration <= 0
            ? durationOfStreams : raw.pointee.duration.boundedTime
    }
    /// Where only the header was read, newer libraries leave it at that of each stream. From the first start to the last end.
    private var durationOfStreams: Int64? {
        let spans = streams.compactMap { stream -> (start: Int64, end: Int64)? in
            guard let duration = stream.duration, duration > 0 else { return nil }
            let start = stream.timeBase.rescale(stream.startTime ?? 0, to: .microseconds).boundedTime
            return (start, start + stream.timeBase.rescale(duration, to: .microseconds).boundedTime)
        }
        guard let start = spans.map(\.start).min(), let end = spans.map(\.end).max(), end > start else { return nil }
        return (end - start).boundedTime
    }
    var bitRate: Int64? { raw.pointee.bit_rate > 0 ? raw.pointee.bit_rate : nil }
    var tags: [(key: String, value: String)] { Options.read(raw.pointee.metadata) }
    /// Whether jumps of timestamps are part of the format (MPEG-TS and others).
    var hasDiscontinuousTime: Bool { raw.pointee.iformat.pointee.flags & AVFMT_TS_DISCONT != 0 }

    /// Whether the format was recognised by no more than a guess, as where the beginning is damaged.
    var isGuessed: Bool { probeScore <= AVPROBE_SCORE_MAX / 4 }

    /// Reads the next packet of any stream that is not discarded.
    ///
    /// - Returns: false at the end.
    func read(into packet: Packet) throws -> Bool {
        var vainTries = 0
        while true {
            let result = av_read_frame(raw, packet.raw)
            try bridge.rethrow()
            switch result {
            case 0...:
                let index = packet.stream
                if streams.indices.contains(index) { packet.dropImpossibleTimes(timeBase: streams[index].timeBase) }
                return true
            case CAV_ERROR_EOF: return false
            case cav_error(EAGAIN):
                try control.checkpoint()
                vainTries += 1
                guard vainTries < 10_000 else { throw MediaError(.badInput, "it cannot be read on", input: name) }
            case CAV_ERROR_EXIT: throw control.failure ?? MediaError(.cancelled, "cancelled", input: name)
            default: throw MediaError.libav(result, "cannot read on", input: name)
            }
        }
    }

    /// Goes to the last key frame of `stream` (or of the best stream) at or before `timestamp`, in that stream's
    /// time base (else microseconds).
    func seek(to timestamp: Int64, stream: InputStream?) throws {
        let result = avformat_seek_file(raw, Int32(stream?.index ?? -1), .min, timestamp, timestamp, 0)
        try bridge.rethrow()
        try check(result, "cannot seek", input: name, stream: stream?.index)
    }

    /// Leaves all streams but `used` unread: a demuxer with an index does not even fetch their bytes.
    func discard(allBut used: Set<Int>) {
        for stream in streams {
            stream.raw.pointee.discard = used.contains(stream.index) ? AVDISCARD_DEFAULT : AVDISCARD_ALL
        }
    }

    private func analyse(_ analysis: Analysis) throws {
        if analysis == .headerIfSoundIsKnown, soundIsKnownFromHeader {
            bridge.readExactly()
            return
        }
        if analysis == .headerIfPicturesAreKnown, picturesAreKnownFromHeader {
            bridge.readExactly()
            return
        }
        (bridge.source as? any PlannableByteSource)?.expect(.forward)
        // Some pictures are decoded to learn their format and order; how they look does not matter.
        let rough = (0..<Int(raw.pointee.nb_streams)).map { _ in
            Options(["skip_loop_filter": "all", "skip_idct": "all"])
        }
        var dictionaries = rough.map(\.raw)
        let result = avformat_find_stream_info(raw, &dictionaries)
        for (options, dictionary) in zip(rough, dictionaries) { options.raw = dictionary }
        try bridge.rethrow()
        if control.isStopped { try control.checkpoint() }
        try check(result, "cannot find out about its streams", input: name)
        // Single pictures are fetched from here and there.
        if analysis == .headerIfPicturesAreKnown { (bridge.source as? any PlannableByteSource)?.expect(.scattered) }
    }

    private var picturesAreKnownFromHeader: Bool {
        guard formatName.hasPrefix("mov,") else { return false }
        var hasPictures = false
        for index in 0..<Int(raw.pointee.nb_streams) {
            guard let stream = raw.pointee.streams[index], let parameters = stream.pointee.codecpar,
                parameters.pointee.codec_type == AVMEDIA_TYPE_VIDEO
            else { continue }
            // A cover's size is found by decoding it, and does not matter before.
            if stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC != 0 { continue }
            guard parameters.pointee.width > 0, parameters.pointee.height > 0,
                parameters.pointee.codec_id != AV_CODEC_ID_NONE, avformat_index_get_entries_count(stream) > 0
            else { return false }
            hasPictures = true
        }
        return hasPictures
    }

    private var soundIsKnownFromHeader: Bool {
        guard formatName.hasPrefix("mov,") else { return false }
        var hasSound = false
        for index in 0..<Int(raw.pointee.nb_streams) {
            guard let parameters = raw.pointee.streams[index]?.pointee.codecpar,
                parameters.pointee.codec_type == AVMEDIA_TYPE_AUDIO
            else { continue }
            guard parameters.pointee.sample_rate > 0, parameters.pointee.ch_layout.nb_channels > 0,
                parameters.pointee.codec_id != AV_CODEC_ID_NONE
            else { return false }
            // The extradata may promise more than the box: SBR doubles the rate, PS the channels; and a frame's size
            // must be known to copy it.
            if parameters.pointee.codec_id == AV_CODEC_ID_AAC, parameters.pointee.extradata_size < 2 { return false }
            hasSound = true
        }
        return hasSound
    }

    /// Finds out what container it is, by its first bytes alone: the name says nothing about them.
    private static func recognise(
        _ bridge: InputBridge, control: JobControl, name: String
    ) throws -> (UnsafePointer<AVInputFormat>, score: Int32) {
        var format: UnsafePointer<AVInputFormat>?
        let result = av_probe_input_buffer2(bridge.io, &format, "", nil, 0, 1 << 20)
        guard result >= 0, let format else {
            // Newer versions do not take an HLS playlist of another name for one.
            if let start = try? bridge.source.start(7), String(decoding: start, as: UTF8.self) == "#EXTM3U" {
                throw isPlaylist("hls", name: name)
            }
            throw openError(result < 0 ? result : CAV_ERROR_INVALIDDATA, bridge: bridge, control: control, name: name)
        }
        let short = String(cString: format.pointee.name)
        if playlists.contains(where: short.split(separator: ",").contains) {
            throw isPlaylist(short, name: name)
        }
        return (format, result)
    }

    private static func isPlaylist(_ format: String, name: String) -> MediaError {
        MediaError(
            .unsupported, "it is a list of other files (\(format)), which are not followed",
            hint: "give the media itself as the input", input: name)
    }

    /// Containers that hold nothing but the names of other files.
    private static let playlists: [Substring] = [
        "hls", "applehttp", "dash", "concat", "imf", "sdp", "rtsp", "webm_dash_manifest", "image2",
    ]

    private static func openError(
        _ result: Int32, bridge: InputBridge, control: JobControl, name: String
    ) -> MediaError {
        do { try bridge.rethrow() } catch { return MediaError.wrapping(error, input: name) }
        if let failure = control.failure { return failure }
        let refused = String(cString: cav_take_refused_name())
        if !refused.isEmpty {
            return MediaError(
                .unsupported, "it refers to another file (\(refused.prefix(120))), which is not followed",
                hint: "give the media itself as the input", input: name)
        }
        if result == CAV_ERROR_INVALIDDATA || result == CAV_ERROR_EOF || result == cav_error(EIO) {
            return MediaError(
                .badInput, "not a media file, or its header is damaged", input: name,
                libav: MediaError.Libav(code: result, text: MediaError.libavText(result)), log: control.log.recent())
        }
        // libav answers "no memory" where there are too many streams.
        if result == cav_error(ENOMEM), control.log.recent().contains(where: { $0.contains("max_streams") }) {
            return MediaError(
                .resourceLimit, "it has more streams than the limit of \(control.limits.streams)",
                hint: "raise limits.streams", input: name, log: control.log.recent())
        }
        var error = MediaError.libav(result, "cannot open it", input: name)
        if error.code == .internal { error.code = .badInput }
        error.log = control.log.recent()
        return error
    }
}

extension ByteSource {
    /// The first bytes, where they can be read again.
    fileprivate func start(_ count: Int) throws -> [UInt8]? {
        guard isSeekable else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { try self.read(into: $0, at: 0) }
        return Array(bytes[..<read])
    }
}
