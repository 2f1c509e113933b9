import ByteIO
import CAVShim

// What was decided, written down.
extension RenderPlan {
    /// The graph that makes the output.
    func graph(pass: EncoderSettings.Pass?, statisticsPath: String?, sink: any ByteSink) throws -> MediaGraph {
        var graph = MediaGraph()
        var output = MediaGraph.Output(container: container.muxer)
        output.bitexact = request.bitexact
        output.tags = carriedTags(demuxer.tags)
        output.options = options(sink: sink)
        output.chapters = chapters()
        try addPicture(&graph, &output, pass: pass, statisticsPath: statisticsPath)
        for (index, sound) in sounds.enumerated() {
            try addSound(sound, treatments.indices.contains(index) ? treatments[index] : nil, &graph, &output)
        }
        for stream in subtitles {
            graph.copied.append(
                MediaGraph.CopiedStream(
                    source: reference(stream), window: window, slot: nextSlot(output), isSparse: true))
            output.streams.append(described(stream, isSparse: true))
        }
        for text in texts {
            graph.texts.append(text.stream(start: request.start, length: expectedDuration, slot: nextSlot(output)))
            output.streams.append(text.description)
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
            var decoded = MediaGraph.DecodedStream(source: reference(stream), window: window)
            if plan.size == nil, stream.decodesFasterThanItEncodes {
                decoded.threads = job.control.budget.followingDecoderThreads
            }
            graph.decoded.append(decoded)
            graph.branches.append(
                MediaGraph.Branch(
                    sources: [graph.decoded.count - 1], filter: .picture(plan), processors: processors,
                    target: .encode(choice.settings, to: [nextSlot(output)])))
            var described = described(stream)
            if keepsHDR(stream, choice.pixelFormats) {
                described.sideData = sideData(of: stream, types: Self.pictureSideData)
            }
            output.streams.append(described)
        case .draw(let sound, let codec, let drawing):
            let choice = try VideoEncoderChoice(
                codec: codec, video: request.video, container: container, budget: job.control.budget,
                bitexact: request.bitexact, pass: pass, statisticsPath: statisticsPath)
            var plan = drawing.plan
            plan.pixelFormat = choice.pixelFormats
            var window = window
            window.padsStart = true
            window.dropsPriming = true
            graph.decoded.append(MediaGraph.DecodedStream(source: reference(sound), window: window))
            var sources = [graph.decoded.count - 1]
            if let background = try drawing.decodedBackground() {
                graph.decoded.append(background)
                sources.append(graph.decoded.count - 1)
            }
            graph.branches.append(
                MediaGraph.Branch(
                    sources: sources, filter: .wave(plan), target: .encode(choice.settings, to: [nextSlot(output)])))
            output.streams.append(
                MediaGraph.OutputStream(disposition: AV_DISPOSITION_DEFAULT, sourceStream: sound.index))
        }
    }

    private func addSound(
        _ sound: Sound, _ treatment: SoundTreatment?, _ graph: inout MediaGraph, _ output: inout MediaGraph.Output
    ) throws {
        let stream = sound.stream
        guard let codec = sound.codec else {
            graph.copied.append(
                MediaGraph.CopiedStream(source: reference(stream), window: window, slot: nextSlot(output)))
            output.streams.append(described(stream))
            return
        }
        let choice = try encoderChoice(for: stream, codec)
        var plan = choice.plan
        treatment?.apply(to: &plan)
        graph.decoded.append(MediaGraph.DecodedStream(source: reference(stream), window: soundWindow))
        graph.branches.append(
            MediaGraph.Branch(
                sources: [graph.decoded.count - 1], filter: .sound(plan), processors: treatment?.processors ?? [],
                target: .encode(choice.settings, to: [nextSlot(output)])))
        output.streams.append(described(stream))
    }

    /// How a stream of sound is encoded.
    func encoderChoice(for stream: InputStream, _ codec: AudioCodec) throws -> AudioEncoderChoice {
        try AudioEncoderChoice(
            codec: codec, audio: request.audio, container: container,
            sourceChannels: Int(stream.parameters.pointee.ch_layout.nb_channels),
            sourceBits: Int(max(stream.parameters.pointee.bits_per_raw_sample, 16)), bitexact: request.bitexact)
    }

    /// The part of sound that is encoded.
    var soundWindow: MediaGraph.Window {
        var window = window
        window.padsStart = !container.hasTimestamps
        window.dropsPriming = demuxer.presentationStart != demuxer.startTime
        return window
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
}

extension InputStream {
    /// Whether any encoder takes longer over a picture than this stream's decoder, at the same size.
    fileprivate var decodesFasterThanItEncodes: Bool {
        [AV_CODEC_ID_H264, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4, AV_CODEC_ID_VP8, AV_CODEC_ID_MJPEG]
            .contains(codecID)
    }
}
