import ByteIO
import CAVShim

/// Decides from a request and an opened input what is copied, what is encoded and how, and writes it down as a graph.
struct RenderPlan {
    private enum Picture {
        case none
        case copy(InputStream)
        case encode(InputStream, VideoCodec)
    }

    private struct Sound {
        var stream: InputStream
        /// `nil` copies it.
        var codec: AudioCodec?
    }

    private let request: Transcode
    private let container: Container
    private let demuxer: Demuxer
    private let job: Job
    private let processors: [any FrameProcessor]
    private let picture: Picture
    private let sounds: [Sound]
    private let subtitles: [InputStream]
    private let window: MediaGraph.Window

    init(
        _ request: Transcode, container: Container, demuxer: Demuxer, job: Job,
        processors maker: Rendering.ProcessorMaker?
    ) throws {
        self.request = request
        self.container = container
        self.demuxer = demuxer
        self.job = job
        let isTrimmed = (request.start ?? 0) > 0 || request.end != nil
        window = Self.window(request, demuxer)
        picture = try Self.choosePicture(
            request, container, demuxer, mustEncode: maker != nil || isTrimmed, control: job.control)
        sounds = try Self.chooseSounds(request, container, demuxer, isTrimmed: isTrimmed)
        subtitles = try Self.chooseSubtitles(request, container, demuxer, control: job.control)
        if case .none = picture, sounds.isEmpty {
            let wanted = container.holdsVideo && request.video.codec != .none ? "picture or sound" : "sound"
            throw MediaError(.badInput, "there is no \(wanted) in it", input: demuxer.name)
        }
        if let maker {
            guard case .encode(let stream, _) = picture else {
                throw MediaError(.badInput, "there are no pictures in it", input: demuxer.name)
            }
            processors = try maker(demuxer, stream)
        } else {
            processors = []
        }
        warnOfDroppedStreams()
        if isTrimmed, let end = window.end, end <= 0 {
            throw MediaError(.badRequest, "end must come after start")
        }
        if let start = request.start, let duration = demuxer.duration, start * 1e6 >= Double(duration) {
            throw MediaError(
                .badRequest, "start (\(start) s) lies behind the end of the input (\(Double(duration) / 1e6) s)",
                input: demuxer.name)
        }
    }

    var encodesVideo: Bool {
        if case .encode = picture { true } else { false }
    }

    /// Microseconds, or `nil` if unknown.
    var expectedDuration: Int64? {
        guard let whole = demuxer.duration.map({ $0 - Int64(clamping: (request.start ?? 0) * 1e6) }) else {
            return window.end
        }
        return min(whole, window.end ?? whole)
    }

    // MARK: Decisions

    private static func window(_ request: Transcode, _ demuxer: Demuxer) -> MediaGraph.Window {
        let start = Int64(clamping: (request.start ?? 0) * 1e6)
        var window = MediaGraph.Window(origin: demuxer.presentationStart + start, isTrimmed: start > 0)
        window.end = request.end.map { Int64(clamping: $0 * 1e6) - start }
        return window
    }

    private static func choosePicture(
        _ request: Transcode, _ container: Container, _ demuxer: Demuxer, mustEncode: Bool, control: JobControl
    ) throws -> Picture {
        guard container.holdsVideo, request.video.codec != .none,
            let stream = try request.streams.chooseVideo(demuxer)
        else { return .none }
        let pixels = Int(stream.parameters.pointee.width) * Int(stream.parameters.pointee.height)
        guard pixels <= control.limits.pixels else {
            throw MediaError(
                .resourceLimit,
                "pictures of \(stream.parameters.pointee.width)x\(stream.parameters.pointee.height) are larger than the limit of \(control.limits.pixels) pixels",
                hint: "raise limits.pixels", input: demuxer.name, stream: stream.index)
        }
        switch request.video.codec {
        case .copy:
            guard container.canHold(stream.codecID) else { throw cannotHold(stream, container) }
            if (request.start ?? 0) > 0 {
                control.warnings.add(
                    MediaWarning(
                        .adjusted, "a copied picture stream begins at the key frame before the start",
                        stream: stream.index))
            }
            return .copy(stream)
        case .auto:
            guard !mustEncode, !request.video.asksForEncoding, container.canHold(stream.codecID) else {
                return .encode(stream, container.usualVideoCodec)
            }
            guard stream.hidesFirstPictures, !container.isMovie else { return .copy(stream) }
            control.warnings.add(
                MediaWarning(
                    .adjusted,
                    "the input hides its first pictures, which \(container.rawValue) cannot: encoded instead of copied",
                    stream: stream.index))
            return .encode(stream, container.usualVideoCodec)
        default:
            try requireRoom(for: request.video.codec.codecID, in: container)
            return .encode(stream, request.video.codec)
        }
    }

    private static func chooseSounds(
        _ request: Transcode, _ container: Container, _ demuxer: Demuxer, isTrimmed: Bool
    ) throws -> [Sound] {
        guard request.audio.codec != .none else { return [] }
        var streams = try request.streams.chooseAudio(demuxer)
        // A file for sound alone holds one track.
        if !container.holdsVideo, container != .m4a { streams = Array(streams.prefix(1)) }
        return try streams.map { stream in
            switch request.audio.codec {
            case .copy:
                guard container.canHold(stream.codecID) else { throw cannotHold(stream, container) }
                return Sound(stream: stream, codec: nil)
            case .auto:
                // Without timestamps, what begins later must be preceded by silence.
                let keepsTime = container.hasTimestamps || stream.delay < 20_000
                let copies =
                    !isTrimmed && !request.audio.asksForEncoding && keepsTime && container.canHold(stream.codecID)
                return Sound(stream: stream, codec: copies ? nil : container.usualAudioCodec)
            default:
                try requireRoom(for: request.audio.codec.codecID, in: container)
                return Sound(stream: stream, codec: request.audio.codec)
            }
        }
    }

    private static func requireRoom(for codec: AVCodecID?, in container: Container) throws {
        guard let codec, !container.canHold(codec) else { return }
        throw MediaError(
            .unsupported, "a \(container.rawValue) file cannot hold \(String(cString: avcodec_get_name(codec)))",
            hint: "choose another container or codec")
    }

    private static func cannotHold(_ stream: InputStream, _ container: Container) -> MediaError {
        MediaError(
            .unsupported, "a \(container.rawValue) file cannot hold \(stream.codecName)",
            hint: "choose another container, or encode instead of copying", input: stream.demuxer.name,
            stream: stream.index)
    }

    private static func chooseSubtitles(
        _ request: Transcode, _ container: Container, _ demuxer: Demuxer, control: JobControl
    ) throws -> [InputStream] {
        try request.streams.chooseSubtitles(demuxer).filter { stream in
            if container.canHoldSubtitles(stream.codecID) { return true }
            control.warnings.add(
                MediaWarning(
                    .droppedStream, "\(stream.codecName) subtitles do not go into a \(container.rawValue) file",
                    stream: stream.index))
            return false
        }
    }

    private func warnOfDroppedStreams() {
        var used = Set(sounds.map(\.stream.index) + subtitles.map(\.index))
        if let stream = pictureStream { used.insert(stream.index) }
        for stream in demuxer.streams where !used.contains(stream.index) {
            let what: String
            switch stream.kind {
            case .video where request.video.codec != .none: what = "video"
            case .audio where request.audio.codec != .none: what = "audio"
            case .attachedPicture: what = "cover picture"
            case .data: what = "data"
            // Left out on purpose, or told of already.
            default: continue
            }
            job.control.warnings.add(
                MediaWarning(
                    .droppedStream, "\(what) stream \(stream.index) (\(stream.codecName)) is left out",
                    stream: stream.index))
        }
    }

    private var pictureStream: InputStream? {
        switch picture {
        case .none: nil
        case .copy(let stream), .encode(let stream, _): stream
        }
    }

    // MARK: The graph

    /// The graph that makes the output.
    func graph(pass: EncoderSettings.Pass?, statisticsPath: String?, sink: any ByteSink) throws -> MediaGraph {
        var graph = MediaGraph()
        var output = MediaGraph.Output(container: container.muxer)
        output.bitexact = request.bitexact
        output.tags = carriedTags(demuxer.tags)
        output.options = options(sink: sink)
        output.chapters = chapters()
        try addPicture(&graph, &output, pass: pass, statisticsPath: statisticsPath)
        for sound in sounds { try addSound(sound, &graph, &output) }
        for stream in subtitles {
            graph.copied.append(
                MediaGraph.CopiedStream(
                    source: reference(stream), window: window, slot: nextSlot(output), isSparse: true))
            output.streams.append(described(stream, isSparse: true))
        }
        graph.outputs = [output]
        return graph
    }

    /// The graph of the first of two passes: the pictures alone, encoded and thrown away.
    func firstPass(statisticsPath: String) throws -> MediaGraph {
        var graph = MediaGraph()
        var output = MediaGraph.Output(container: "null")
        try addPicture(&graph, &output, pass: .first, statisticsPath: statisticsPath)
        graph.outputs = [output]
        return graph
    }

    private func addPicture(
        _ graph: inout MediaGraph, _ output: inout MediaGraph.Output, pass: EncoderSettings.Pass?,
        statisticsPath: String?
    ) throws {
        switch picture {
        case .none:
            return
        case .copy(let stream):
            var copied = MediaGraph.CopiedStream(source: reference(stream), window: window, slot: nextSlot(output))
            if stream.codecID == AV_CODEC_ID_HEVC, container.isMovie { copied.codecTag = "hvc1" }
            graph.copied.append(copied)
            var described = described(stream)
            described.sideData = sideData(of: stream, types: Self.pictureSideData + [AV_PKT_DATA_DISPLAYMATRIX])
            output.streams.append(described)
        case .encode(let stream, let codec):
            let choice = try VideoEncoderChoice(
                codec: codec, video: request.video, container: container, budget: job.control.budget,
                bitexact: request.bitexact, pass: pass, statisticsPath: statisticsPath)
            var plan = PicturePlan()
            plan.orientation = stream.orientation
            plan.size = request.video.size
            plan.frameRate = request.video.frameRate?.rational
            plan.pixelFormat = choice.pixelFormats
            plan.sampleAspectRatio = stream.sampleAspectRatio
            plan.deinterlaces = request.video.deinterlace
            graph.decoded.append(MediaGraph.DecodedStream(source: reference(stream), window: window))
            graph.branches.append(
                MediaGraph.Branch(
                    sources: [graph.decoded.count - 1], filter: .picture(plan), processors: processors,
                    target: .encode(choice.settings, to: [nextSlot(output)])))
            var described = described(stream)
            if keepsHDR(stream, choice.pixelFormats) {
                described.sideData = sideData(of: stream, types: Self.pictureSideData)
            }
            output.streams.append(described)
        }
    }

    private func addSound(_ sound: Sound, _ graph: inout MediaGraph, _ output: inout MediaGraph.Output) throws {
        let stream = sound.stream
        guard let codec = sound.codec else {
            graph.copied.append(
                MediaGraph.CopiedStream(source: reference(stream), window: window, slot: nextSlot(output)))
            output.streams.append(described(stream))
            return
        }
        let choice = try AudioEncoderChoice(
            codec: codec, audio: request.audio, container: container,
            sourceChannels: Int(stream.parameters.pointee.ch_layout.nb_channels),
            sourceBits: Int(max(stream.parameters.pointee.bits_per_raw_sample, 16)), bitexact: request.bitexact)
        var window = window
        window.padsStart = !container.hasTimestamps
        window.dropsPriming = demuxer.presentationStart != demuxer.startTime
        graph.decoded.append(MediaGraph.DecodedStream(source: reference(stream), window: window))
        graph.branches.append(
            MediaGraph.Branch(
                sources: [graph.decoded.count - 1], filter: .sound(choice.plan),
                target: .encode(choice.settings, to: [nextSlot(output)])))
        output.streams.append(described(stream))
    }

    private func reference(_ stream: InputStream) -> MediaGraph.StreamReference {
        MediaGraph.StreamReference(input: 0, stream: stream.index)
    }

    private func nextSlot(_ output: MediaGraph.Output) -> MediaGraph.OutputSlot {
        MediaGraph.OutputSlot(output: 0, stream: output.streams.count)
    }

    private func described(_ stream: InputStream, isSparse: Bool = false) -> MediaGraph.OutputStream {
        MediaGraph.OutputStream(
            tags: carriedTags(stream.tags), disposition: stream.raw.pointee.disposition & ~AV_DISPOSITION_ATTACHED_PIC,
            sourceStream: stream.index, isSparse: isSparse)
    }

    private static let pictureSideData = [
        AV_PKT_DATA_MASTERING_DISPLAY_METADATA, AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
    ]

    private func sideData(
        of stream: InputStream, types: [AVPacketSideDataType]
    ) -> [(type: AVPacketSideDataType, bytes: [UInt8])] {
        types.compactMap { type in stream.sideData(type).map { (type, Array($0)) } }
    }

    private func keepsHDR(_ stream: InputStream, _ choice: PixelFormatChoice) -> Bool {
        let source = PixelFormat(stream.parameters.pointee.format)
        let color = ColorTags(transfer: stream.parameters.pointee.color_trc)
        return choice.choose(for: source, color: color).bitDepth > 8
    }

    /// Tags that describe the work, not this file's bytes.
    private func carriedTags(_ tags: [(key: String, value: String)]) -> [(key: String, value: String)] {
        let own: Set = [
            "major_brand", "minor_version", "compatible_brands", "encoder", "creation_time", "rotate", "vendor_id",
            "duration", "bps", "number_of_frames", "number_of_bytes",
        ]
        return tags.filter { tag in
            let key = tag.key.lowercased()
            return !own.contains(key) && !key.hasPrefix("_statistics") && !key.hasPrefix("duration-")
                && !key.hasPrefix("bps-") && !key.hasPrefix("number_of_")
        }
    }

    private func options(sink: any ByteSink) -> [String: String] {
        if container.isMovie, sink.rewritableHead == 0 {
            job.control.warnings.add(
                MediaWarning(
                    .container, "the output cannot be written out of order, so it is a fragmented \(container.rawValue)"
                ))
            return Container.fragmented
        }
        if container == .mp3 { return ["id3v2_version": "3"] }
        return [:]
    }

    private func chapters() -> [Muxer.Chapter] {
        guard container.holdsVideo || container == .m4a else { return [] }
        let count = Int(demuxer.raw.pointee.nb_chapters)
        return (0..<count).compactMap { index in
            guard let chapter = demuxer.raw.pointee.chapters[index] else { return nil }
            let timeBase = Rational(chapter.pointee.time_base)
            let offset = Rational.microseconds.rescale(window.origin, to: timeBase)
            let limit = window.end.map { Rational.microseconds.rescale($0, to: timeBase) } ?? .max
            let start = max(0, chapter.pointee.start.boundedTime - offset)
            let end = min(endOfChapter(index, timeBase).boundedTime - offset, limit)
            guard end > start else { return nil }
            return Muxer.Chapter(
                timeBase: timeBase, start: start, end: end, tags: Options.read(chapter.pointee.metadata))
        }
    }

    /// Where a chapter ends, in `timeBase`. Some files only say where each begins, and libav fills the ends in only
    /// when it analyses all streams.
    private func endOfChapter(_ index: Int, _ timeBase: Rational) -> Int64 {
        let chapters = demuxer.raw.pointee.chapters
        if let end = chapters?[index]?.pointee.end, end != CAV_NOPTS { return end }
        if index + 1 < Int(demuxer.raw.pointee.nb_chapters), let next = chapters?[index + 1]?.pointee {
            return Rational(next.time_base).rescale(next.start.boundedTime, to: timeBase)
        }
        let end = (demuxer.startTime ?? 0) + (demuxer.duration ?? 0)
        return Rational.microseconds.rescale(end, to: timeBase)
    }

    // MARK: Around the run

    /// The room to keep for an MP4's index; `nil` where it is not to be put first.
    func reservedIndexBytes(sink: any ByteSink) -> Int? {
        guard container.isMovie, request.indexFirst, sink.rewritableHead > 0 else { return nil }
        let seconds = Double(expectedDuration ?? 0) / 1e6
        var outline = MovieOutline()
        outline.tracks = sounds.count + subtitles.count + (pictureStream == nil ? 0 : 1)
        if let stream = pictureStream {
            let rate = request.video.frameRate?.rational ?? stream.averageFrameRate
            outline.videoFrames = Int64(clamping: (seconds * (rate.isPositive ? rate.value : 30)).rounded(.up)) + 8
        }
        for sound in sounds {
            let rate = Double(request.audio.sampleRate ?? Int(max(8000, sound.stream.parameters.pointee.sample_rate)))
            outline.audioFrames += Int64(clamping: (seconds * rate / 1024).rounded(.up)) + 8
        }
        return ProgressiveMovieOutput.estimateIndexBytes(outline)
    }

    func result(report: GraphRunner.Report, graph: MediaGraph, bytes: Int64) -> RenderResult {
        let elapsed = job.elapsed
        let streams = streams(report: report, graph: graph)
        let duration = streams.map { $0.start + $0.duration }.max() ?? 0
        return RenderResult(
            output: request.output, container: container, duration: duration, bytes: bytes, streams: streams,
            wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu, speed: duration / max(elapsed.wall, 1e-6),
            bytesRead: job.bytesRead, warnings: job.control.warnings.all, libraries: LibavLibrary.versions)
    }

    private func streams(report: GraphRunner.Report, graph: MediaGraph) -> [RenderResult.Stream] {
        let described = graph.outputs[0].streams
        var encoded: [Int: EncodeTally] = [:]
        for (branch, tally) in zip(graph.branches, report.encoded) {
            if case .encode(_, let slots) = branch.target, let slot = slots.first { encoded[slot.stream] = tally }
        }
        return described.indices.compactMap { index in
            let tally = report.muxed[0][index]
            guard tally.packets > 0 || described[index].isSparse else { return nil }
            let source = described[index].sourceStream ?? 0
            let stream = demuxer.streams[source]
            let parameters = stream.parameters.pointee
            let format = encoded[index]?.format
            let start = Double(tally.start ?? 0) / 1e6
            var result = RenderResult.Stream(
                index: index, kind: "\(stream.kind)", codec: encoded[index]?.codec ?? stream.codecName,
                copied: encoded[index] == nil, sourceIndex: source, bytes: tally.bytes, start: max(0, start),
                duration: Double(tally.end ?? 0) / 1e6 - max(0, start))
            switch stream.kind {
            case .video:
                result.width = format?.width ?? Int(parameters.width)
                result.height = format?.height ?? Int(parameters.height)
                result.pixelFormat = PixelFormat(format?.format ?? parameters.format)?.name
                result.frames = tally.packets
            case .audio:
                result.sampleRate = format?.sampleRate ?? Int(parameters.sample_rate)
                result.channels =
                    format.map { ChannelLayout.count($0.channelLayout) } ?? Int(parameters.ch_layout.nb_channels)
            default: break
            }
            return result
        }
    }
}

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
    fileprivate var codecID: AVCodecID? {
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
    fileprivate var codecID: AVCodecID? {
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
