import ByteIO
import CAVShim

/// Carries out an extraction: whole, or with a first pass that listens for silences.
///
/// Thread safety: used by the job's thread.
struct SoundExtraction {
    private let request: ExtractAudio
    private let job: Job
    /// Kept at both ends when silence is trimmed, in microseconds.
    private static let margin: Int64 = 100_000
    private static let maximumChunks = 800

    init(_ request: ExtractAudio, job: Job) {
        self.request = request
        self.job = job
    }

    func run() throws -> ExtractAudioResult {
        let container = try Container.resolve(request.container, output: request.output)
        if !request.trimSilence, request.splitAtSilence == nil {
            return try extractWhole(container, start: request.start, end: request.end)
        }
        let listened = try listen()
        var (from, to) = (listened.start, listened.end)
        if request.trimSilence {
            guard let sound = listened.map.sound else {
                throw MediaError(
                    .badInput, "it is silent from end to end (below \(request.silence.threshold) dB)",
                    hint: "lower silence.threshold or leave trimSilence out", input: request.input.shownLocation)
            }
            from = max(from, listened.start + sound.lowerBound - Self.margin)
            to = min(to, listened.start + sound.upperBound + Self.margin)
        }
        guard let longest = request.splitAtSilence else {
            return try extractWhole(container, start: Double(from) / 1e6, end: Double(to) / 1e6)
        }
        let cuts = listened.map.cuts(
            from: from - listened.start, to: to - listened.start, longest: Int64(clamping: longest * 1e6))
        guard cuts.count <= Self.maximumChunks else {
            throw MediaError(
                .resourceLimit, "it would become \(cuts.count + 1) chunks; \(Self.maximumChunks) is the most at once",
                hint: "raise splitAtSilence, or extract in parts with start and end", input: request.input.shownLocation
            )
        }
        return try extractChunks(container, from: from, to: to, cuts: cuts.map { $0 + listened.start })
    }

    // MARK: Whole

    private func extractWhole(_ container: Container, start: Double?, end: Double?) throws -> ExtractAudioResult {
        var streams = StreamSelection(subtitles: .indices([]))
        if let track = request.track { streams.audio = .indices([track]) }
        let transcode = Transcode(
            input: request.input, output: request.output, container: container,
            video: VideoSettings(codec: .none), audio: request.effectiveAudio, streams: streams, start: start,
            end: end, bitexact: request.bitexact, overwrite: request.overwrite, limits: request.limits,
            tolerance: request.tolerance)
        let made = try Rendering(transcode, job: job, analysis: .headerIfSoundIsKnown).run()
        guard let stream = made.streams.first else {
            throw MediaError(.internal, "an extraction without a stream", input: request.input.shownLocation)
        }
        let output = ExtractAudioResult.Output(
            output: made.output, start: start ?? 0, duration: made.duration, bytes: made.bytes)
        return ExtractAudioResult(
            outputs: [output], container: container, codec: stream.codec, copied: stream.copied,
            sampleRate: stream.sampleRate ?? 0, channels: stream.channels ?? 0, duration: made.duration,
            bytesRead: job.bytesRead, wallSeconds: made.wallSeconds, cpuSeconds: made.cpuSeconds,
            warnings: made.warnings, libraries: made.libraries)
    }

    // MARK: By silences

    private struct Listened {
        var map: SilenceMap
        /// Microseconds of the input's clock that the map begins and ends at.
        var start: Int64
        var end: Int64
    }

    /// The first pass: how loud it is, in steps of 10 ms.
    private func listen() throws -> Listened {
        let demuxer = try job.open(request.input, analysis: .headerIfSoundIsKnown)
        guard demuxer.isSeekable else {
            throw MediaError(
                .unsupported, "silences are looked for in a first pass, and a pipe cannot be read twice",
                hint: "write it to a file first", input: demuxer.name)
        }
        let stream = try sound(in: demuxer)
        var plan = SoundPlan()
        plan.sampleRate = LoudnessMeter.sampleRate
        plan.channelLayout = "mono"
        plan.sampleFormats = ["flt"]
        let meter = LoudnessMeter()
        let window = self.window(demuxer, start: request.start, end: request.end)
        var graph = MediaGraph()
        graph.decoded = [
            MediaGraph.DecodedStream(source: .init(input: 0, stream: stream.index), window: window)
        ]
        graph.branches = [.init(sources: [0], filter: .sound(plan), target: .consume(meter))]
        job.control.progress.expect(microseconds: expectedLength(demuxer))
        job.control.progress.begin(done: 0, share: 0.5)
        let report = try runner(graph, demuxer, targets: []).run()
        try judge(graph, report, demuxer)
        job.control.progress.begin(done: 0.5, share: 0.5)
        let start = Int64(clamping: (request.start ?? 0) * 1e6)
        let map = SilenceMap(levels: meter.levels, settings: request.silence)
        return Listened(map: map, start: start, end: start + map.duration)
    }

    private func extractChunks(
        _ container: Container, from: Int64, to: Int64, cuts: [Int64]
    ) throws -> ExtractAudioResult {
        let demuxer = try job.open(request.input, analysis: .headerIfSoundIsKnown)
        let stream = try sound(in: demuxer)
        let audio = request.effectiveAudio
        let codec = audio.codec == .auto ? container.usualAudioCodec : audio.codec
        let choice = try AudioEncoderChoice(
            codec: codec, audio: audio, container: container,
            sourceChannels: Int(stream.parameters.pointee.ch_layout.nb_channels),
            sourceBits: Int(max(stream.parameters.pointee.bits_per_raw_sample, 16)), bitexact: request.bitexact)
        let bounds = [from] + cuts + [to]
        let names = (1..<bounds.count).map(request.chunkName)
        let targets = try names.map { name in
            OutputTarget(
                sink: try job.sink(name, overwrite: request.overwrite),
                reservedIndexBytes: container.isMovie
                    ? ProgressiveMovieOutput.estimateIndexBytes(
                        MovieOutline(audioFrames: Int64((request.splitAtSilence ?? 0) * 50))) : nil)
        }
        let chunks = ChunkTarget(
            settings: choice.settings, container: container, targets: targets,
            // Relative to the window, whose time 0 is `from`.
            cuts: cuts.map { $0 - from }, bitexact: request.bitexact, control: job.control)
        var window = self.window(demuxer, start: Double(from) / 1e6, end: Double(to) / 1e6)
        window.padsStart = true
        var graph = MediaGraph()
        graph.decoded = [
            MediaGraph.DecodedStream(source: .init(input: 0, stream: stream.index), window: window)
        ]
        graph.branches = [.init(sources: [0], filter: .sound(choice.plan), target: .custom(chunks))]
        let report = try runner(graph, demuxer, targets: []).run()
        try judge(graph, report, demuxer)
        try Publication.publish(targets.prefix(chunks.made.count).map(\.sink))

        let elapsed = job.elapsed
        let outputs = zip(chunks.made, zip(names, targets)).map { chunk, named in
            ExtractAudioResult.Output(
                output: named.0.shownLocation, start: Double(from) / 1e6 + chunk.start, duration: chunk.duration,
                bytes: named.1.size)
        }
        return ExtractAudioResult(
            outputs: outputs, container: container, codec: chunks.codec, copied: false,
            sampleRate: chunks.sampleRate, channels: chunks.channels,
            duration: outputs.reduce(0) { $0 + $1.duration }, bytesRead: job.bytesRead, wallSeconds: elapsed.wall,
            cpuSeconds: elapsed.cpu, warnings: job.control.warnings.all, libraries: LibavLibrary.versions)
    }

    // MARK: Shared

    private func sound(in demuxer: Demuxer) throws -> InputStream {
        let choice = StreamSelection(audio: request.track.map { .indices([$0]) } ?? .best)
        guard let stream = try choice.chooseAudio(demuxer).first else {
            throw MediaError(.badInput, "there is no sound in it", input: demuxer.name)
        }
        return stream
    }

    private func window(_ demuxer: Demuxer, start: Double?, end: Double?) -> MediaGraph.Window {
        let start = Int64(clamping: (start ?? 0) * 1e6)
        var window = MediaGraph.Window(origin: demuxer.presentationStart + start, isTrimmed: start > 0)
        window.dropsPriming = demuxer.presentationStart != demuxer.startTime
        window.padsStart = true
        window.end = end.map { Int64(clamping: $0 * 1e6) - start }
        return window
    }

    private func expectedLength(_ demuxer: Demuxer) -> Int64? {
        let start = Int64(clamping: (request.start ?? 0) * 1e6)
        let end = request.end.map { Int64(clamping: $0 * 1e6) } ?? demuxer.duration
        return end.map { $0 - start }
    }

    private func runner(_ graph: MediaGraph, _ demuxer: Demuxer, targets: [OutputTarget?]) -> GraphRunner {
        GraphRunner(
            graph: graph, demuxers: [demuxer], targets: targets, tolerance: request.tolerance,
            control: job.control, progress: job.progress)
    }

    private func judge(_ graph: MediaGraph, _ report: GraphRunner.Report, _ demuxer: Demuxer) throws {
        job.countRead(demuxer)
        try InputVerdict(tolerance: request.tolerance, demuxer: demuxer, control: job.control)
            .judge(graph: graph, report: report)
    }
}
