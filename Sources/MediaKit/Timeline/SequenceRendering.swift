import ByteIO
import CAVShim

/// Carries out a sequence of clips: looks at all of them, decides what they become, runs the graph and publishes the
/// result.
///
/// Thread safety: used by the job's thread.
struct SequenceRendering {
    private let request: ConcatenateClips
    private let job: Job
    /// A location whose sound tells the length, but is not heard.
    private let endsWith: String?

    init(_ request: ConcatenateClips, job: Job, endsWith: String? = nil) {
        self.request = request
        self.job = job
        self.endsWith = endsWith
    }

    static func validate(
        video: VideoSettings, audio: AudioSettings, container: Container?, output: String
    ) throws {
        try video.validate()
        try audio.validate()
        let container = try Container.resolve(container, output: output)
        guard container.holdsVideo else {
            throw MediaError(
                .badRequest, "a \(container.rawValue) file holds no pictures", hint: "choose mp4, mov, mkv or webm")
        }
        if video.codec == .copy || video.codec == .none {
            throw MediaError(
                .badRequest, "clips are joined by encoding them anew",
                hint: "leave video.codec out or name a codec")
        }
        if audio.codec == .copy {
            throw MediaError(
                .badRequest, "clips are joined by encoding them anew",
                hint: "leave audio.codec out or name a codec")
        }
        if video.twoPass {
            throw MediaError(
                .badRequest, "two passes are not possible here", hint: "use crf, or one pass with video.bitRate")
        }
    }

    func run() throws -> RenderResult {
        let container = try Container.resolve(request.container, output: request.output)
        // The output is tried first: an hour of work must not end in "exists already".
        let sink = try job.sink(request.output, overwrite: request.overwrite)
        let clips = try openClips()
        let sequence = try plan(clips, container)
        let seconds = expectedSeconds(sequence)
        if let limit = request.limits.durationSeconds, let seconds, seconds > limit {
            throw MediaError(
                .resourceLimit, "the result would be longer than the limit of \(limit) s",
                hint: "raise limits.durationSeconds")
        }
        job.control.progress.expect(microseconds: seconds.map { Int64(clamping: $0 * 1e6) })

        let graph = try graph(sequence, container: container, sink: sink)
        let target = OutputTarget(
            sink: sink,
            reservedIndexBytes: reservedIndexBytes(sequence.plan.format, seconds: seconds, container, sink, graph))
        let report = try GraphRunner(
            graph: graph, demuxers: [], targets: [target], tolerance: request.tolerance, control: job.control,
            progress: job.progress
        ).run()
        guard report.muxed[0].contains(where: { $0.packets > 0 }) else {
            throw MediaError(.badInput, "there is no sound to end with", input: sequence.plan.sound?.shownLocation)
        }
        try Publication.publish([sink])
        if let progress = job.progress {
            var last = job.control.progress.snapshot
            last.fraction = 1
            last.eta = 0
            progress(last)
        }
        return result(report, container: container, bytes: target.size)
    }

    // MARK: Looking

    /// Opens each input once, so that one that cannot be used is told of before any work is done.
    private func openClips() throws -> [SequenceClip] {
        let fit = request.video.size?.fit ?? .contain
        // A still is not begun again and again, and needs no fade into itself.
        let only = request.clips.count == 1 ? request.clips.first : nil
        let needsSize = request.video.size?.width == nil || request.video.size?.height == nil
        return try request.clips.enumerated().map { index, clip in
            try job.control.checkpoint()
            func open(_ clip: Clip) throws -> SequenceClip {
                try SequenceClip(
                    clip, fit: fit, tellsSize: needsSize && index == 0, tolerance: request.tolerance, job: job)
            }
            let opened = try open(clip)
            if only != nil, opened.stillSeconds != nil, repeats, clip.duration == nil {
                return try open(
                    Clip(input: clip.input, duration: request.length ?? Self.roundOfStill, fit: clip.fit))
            }
            return opened
        }
    }

    /// Seconds after which a still that is shown as long as something sounds is decoded again.
    private static let roundOfStill = 86_400.0

    private var repeats: Bool { request.length != nil || request.sound != nil || endsWith != nil }

    private struct Decided {
        var plan: ClipSequence.Plan
        var video: VideoEncoderChoice
        /// `nil` for pictures alone.
        var audio: AudioEncoderChoice?
        /// Seconds of the sound that it ends with, by its header.
        var soundSeconds: Double?
    }

    private func plan(_ clips: [SequenceClip], _ container: Container) throws -> Decided {
        let videoCodec = request.video.codec == .auto ? container.usualVideoCodec : request.video.codec
        let audioCodec = request.audio.codec == .auto ? container.usualAudioCodec : request.audio.codec
        try RenderPlan.requireRoom(for: videoCodec.codecID, in: container)
        try RenderPlan.requireRoom(for: audioCodec.codecID, in: container)
        let video = try VideoEncoderChoice(
            codec: videoCodec, video: request.video, container: container, budget: job.control.budget,
            bitexact: request.bitexact, pass: nil, statisticsPath: nil)
        let ending = try (request.sound ?? endsWith).map { try lookAtSound($0) }
        let first = clips.first { $0.sound != nil }
        let heard = request.sound != nil ? ending?.format : first?.sound
        var audio: AudioEncoderChoice?
        if request.audio.codec != .none, let heard {
            audio = try AudioEncoderChoice(
                codec: audioCodec, audio: request.audio, container: container,
                sourceChannels: ChannelLayout.count(heard.channelLayout),
                sourceBits: request.sound == nil ? first?.soundBits ?? 16 : 16, bitexact: request.bitexact)
        }
        let size = try canvas(clips)
        let sound = heard ?? ending?.format
        let format = SequenceFormat(
            width: size.width, height: size.height, background: request.background,
            pixelFormat: video.pixelFormats.choose(for: PixelFormat(name: "yuv420p"), color: ColorTags()),
            frameRate: rate(clips), sampleRate: sound.map { audio?.plan.rate(for: $0) ?? $0.sampleRate } ?? 48_000,
            channelLayout: sound.map { audio?.plan.layout(for: $0) ?? $0.channelLayout },
            deinterlaces: request.video.deinterlace)
        var plan = ClipSequence.Plan(clips: clips, format: format, fades: try fades(clips, format))
        plan.transition = request.crossFade?.transition ?? .fade
        plan.repeats = repeats
        plan.length = request.length.map { Rational(1, Int32(format.sampleRate)).units($0) }
        plan.sound = request.sound ?? endsWith
        plan.replacesSound = request.sound != nil
        plan.tolerance = request.tolerance
        return Decided(plan: plan, video: video, audio: audio, soundSeconds: ending?.seconds)
    }

    private func lookAtSound(_ location: String) throws -> (format: FrameFormat, seconds: Double?) {
        let demuxer = try job.open(location, analysis: .headerIfSoundIsKnown)
        defer { job.countRead(demuxer) }
        guard demuxer.isSeekable else {
            throw MediaError(
                .unsupported, "the sound is looked at and then read; a pipe can be read once only",
                hint: "put it into a file first", input: demuxer.name)
        }
        guard let stream = try StreamSelection().chooseAudio(demuxer).first else {
            throw MediaError(.badInput, "there is no sound in it", input: demuxer.name)
        }
        return (
            FrameFormat(audioParameters: stream.parameters.pointee, timeBase: stream.timeBase),
            demuxer.duration.map { Double($0) / 1e6 }
        )
    }

    /// The size of all pictures, even as 4:2:0 wants it.
    private func canvas(_ clips: [SequenceClip]) throws -> (width: Int, height: Int) {
        let own = clips.first.map { (width: $0.width, height: $0.height) } ?? (width: 1280, height: 720)
        var width = request.video.size?.width, height = request.video.size?.height
        if width == nil, height == nil { (width, height) = own }
        let shape = Double(own.width) / Double(own.height)
        func even(_ value: Double) -> Int { max(2, Int((min(value, 1e6) / 2).rounded()) * 2) }
        let size = (
            width: even(width.map(Double.init) ?? Double(height ?? own.height) * shape),
            height: even(height.map(Double.init) ?? Double(width ?? own.width) / shape)
        )
        guard size.width * size.height <= job.control.limits.pixels else {
            throw MediaError(
                .resourceLimit,
                "pictures of \(size.width)x\(size.height) are larger than the limit of \(job.control.limits.pixels) pixels",
                hint: "raise limits.pixels or ask for a smaller size")
        }
        return size
    }

    private func rate(_ clips: [SequenceClip]) -> Rational {
        request.video.frameRate?.rational ?? clips.first { $0.frameRate.isPositive }?.frameRate ?? Rational(25, 1)
    }

    /// Pictures of the fade behind each clip: as many as asked for, but at most half of either neighbour.
    private func fades(_ clips: [SequenceClip], _ format: SequenceFormat) throws -> [Int] {
        guard let asked = request.crossFade else { return Array(repeating: 0, count: clips.count) }
        let wanted = max(1, format.pictures(in: asked.seconds))
        // 4:2:0: 1.5 samples a pixel.
        let bytes = Double(wanted) * Double(format.width * format.height) * (format.pixelFormat.bitDepth > 8 ? 3 : 1.5)
        guard bytes <= Self.mostHeldBytes else {
            throw MediaError(
                .resourceLimit,
                "a cross-fade of \(asked.seconds) s at \(format.width)x\(format.height) would hold \(Int(bytes / 1e6)) MB of pictures",
                hint: "shorten crossFade.seconds, or ask for a smaller size or rate")
        }
        return clips.indices.map { index in
            let next = clips[(index + 1) % clips.count]
            let halves = [clips[index], next].compactMap { clip in
                clip.seconds.map { format.pictures(in: $0) / 2 }
            }
            let count = max(0, min(wanted, halves.min() ?? wanted))
            if count < wanted, repeats || index < clips.count - 1 {
                job.control.warnings.add(
                    MediaWarning(
                        .adjusted,
                        "the cross-fade from clip \(index) to \((index + 1) % clips.count) is shortened to half of the shorter one"
                    ))
            }
            return Int(count)
        }
    }

    /// What a cross-fade may hold.
    private static let mostHeldBytes = Double(1 << 30)

    private func expectedSeconds(_ decided: Decided) -> Double? {
        if let length = request.length ?? decided.soundSeconds { return length }
        guard !repeats else { return nil }
        let plan = decided.plan
        let lengths = plan.clips.compactMap(\.seconds)
        guard lengths.count == plan.clips.count else { return nil }
        let faded = plan.fades.dropLast().reduce(0, +)
        return lengths.reduce(0, +) - Double(faded) / plan.format.frameRate.value
    }

    // MARK: Making

    private func graph(_ decided: Decided, container: Container, sink: any ByteSink) throws -> MediaGraph {
        var output = MediaGraph.Output(container: container.muxer)
        output.bitexact = request.bitexact
        if container.isMovie, sink.rewritableHead == 0 {
            job.control.warnings.add(
                MediaWarning(
                    .container,
                    "the output cannot be written out of order, so it is a fragmented \(container.rawValue)"))
            output.options = Container.fragmented
        }
        var picture = PicturePlan()
        picture.pixelFormat = PixelFormatChoice(required: decided.plan.format.pixelFormat)
        picture.deinterlaces = false
        var graph = MediaGraph()
        output.streams = [MediaGraph.OutputStream(disposition: AV_DISPOSITION_DEFAULT)]
        graph.branches = [
            MediaGraph.Branch(
                sources: [], filter: .picture(picture),
                target: .encode(decided.video.settings, to: [MediaGraph.OutputSlot(output: 0, stream: 0)]),
                isFed: true)
        ]
        if let audio = decided.audio {
            output.streams.append(MediaGraph.OutputStream(disposition: AV_DISPOSITION_DEFAULT))
            graph.branches.append(
                MediaGraph.Branch(
                    sources: [], filter: .sound(audio.plan),
                    target: .encode(audio.settings, to: [MediaGraph.OutputSlot(output: 0, stream: 1)]),
                    isFed: true))
        }
        graph.outputs = [output]
        graph.feed = ClipSequence(decided.plan, job: job)
        return graph
    }

    private func reservedIndexBytes(
        _ format: SequenceFormat, seconds: Double?, _ container: Container, _ sink: any ByteSink, _ graph: MediaGraph
    ) -> Int? {
        guard container.isMovie, request.indexFirst, sink.rewritableHead > 0 else { return nil }
        let seconds = seconds ?? 0
        var outline = MovieOutline()
        outline.tracks = graph.branches.count
        outline.videoFrames = Int64(clamping: (seconds * format.frameRate.value).rounded(.up)) + 8
        if graph.branches.count > 1 {
            outline.audioFrames = Int64(clamping: (seconds * Double(format.sampleRate) / 1024).rounded(.up)) + 8
        }
        return ProgressiveMovieOutput.estimateIndexBytes(outline)
    }

    private func result(_ report: GraphRunner.Report, container: Container, bytes: Int64) -> RenderResult {
        let elapsed = job.elapsed
        let streams = report.muxed[0].indices.map { index in
            let tally = report.muxed[0][index]
            let encoded = report.encoded[index]
            let format = encoded?.format
            let isVideo = format?.isVideo ?? (index == 0)
            let start = max(0, Double(tally.start ?? 0) / 1e6)
            var stream = RenderResult.Stream(
                index: index, kind: isVideo ? "video" : "audio", codec: encoded?.codec ?? "", copied: false,
                sourceIndex: index, bytes: tally.bytes, start: start,
                duration: Double(tally.end ?? 0) / 1e6 - start)
            if isVideo {
                stream.width = format?.width
                stream.height = format?.height
                stream.pixelFormat = format.flatMap { PixelFormat($0.format)?.name }
                stream.frames = tally.packets
            } else {
                stream.sampleRate = format?.sampleRate
                stream.channels = format.map { ChannelLayout.count($0.channelLayout) }
            }
            return stream
        }
        let duration = streams.map { $0.start + $0.duration }.max() ?? 0
        return RenderResult(
            output: request.output.shownLocation, container: container, duration: duration, bytes: bytes,
            streams: streams, wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu,
            speed: duration / max(elapsed.wall, 1e-6), bytesRead: job.bytesRead,
            warnings: job.control.warnings.all, libraries: LibavLibrary.versions)
    }
}
