import ByteIO
import CAVShim

/// Carries out a mix: opens what is mixed, finds out how long it gets where something depends on it, and runs one graph.
///
/// Thread safety: used by the job's thread.
struct SoundMixing {
    /// A sound of an opened input.
    struct Voice {
        var settings: MixInput
        /// The input's place among those that are open.
        var place: Int
        var demuxer: Demuxer
        var stream: InputStream

        var window: MediaGraph.Window {
            let start = Int64(clamping: (settings.start ?? 0) * 1e6)
            var window = MediaGraph.Window(origin: demuxer.presentationStart + start, isTrimmed: start > 0)
            window.dropsPriming = demuxer.presentationStart != demuxer.startTime
            window.padsStart = true
            window.end = settings.end.map { Int64(clamping: $0 * 1e6) - start }
            // A header may say less, or nothing. What is cut off is told of at the end.
            if isCapped { window.end = Int64((longestLoop + 1) * 1e6) }
            return window
        }

        /// Whether no more of it is read than can be held for a loop, however long it is.
        var isCapped: Bool {
            guard settings.loop else { return false }
            return settings.end.map { $0 - (settings.start ?? 0) > longestLoop + 1 } ?? true
        }

        /// Seconds that it can be held in memory for.
        var longestLoop: Double {
            let parameters = stream.parameters.pointee
            return MixInput.longestLoop(
                sampleRate: Int(parameters.sample_rate), channels: Int(parameters.ch_layout.nb_channels))
        }
    }

    private let request: MixAudio
    private let job: Job
    init(_ request: MixAudio, job: Job) {
        self.request = request
        self.job = job
    }

    func run() throws -> RenderResult {
        let container = try Container.resolve(request.container, output: request.output)
        let sink = try job.sink(request.output, overwrite: request.overwrite)
        var demuxers: [Demuxer] = []
        let picture = try openVideo(container, &demuxers)
        let voices = try openVoices(&demuxers)
        let length = try length(picture)
        let lengths = try measure(voices, length)
        let plan = try mixPlan(voices, length: length, lengths: lengths)
        let expected = expected(voices, length)
        if let limit = request.limits.durationSeconds, let expected, Double(expected) / 1e6 > limit {
            throw MediaError(
                .resourceLimit, "the mix would be longer than the limit of \(limit) s",
                hint: "raise limits.durationSeconds")
        }
        job.control.progress.expect(microseconds: expected)

        let choice = try AudioEncoderChoice(
            codec: request.audio.codec == .auto ? container.usualAudioCodec : request.audio.codec, audio: request.audio,
            container: container, sourceChannels: channels(voices), sourceBits: bits(voices),
            bitexact: request.bitexact)
        let graph = try SoundMixingGraph(
            request: request, container: container, sink: sink, picture: picture, voices: voices, demuxers: demuxers
        ).graph(plan, choice, job: job)
        let target = OutputTarget(
            sink: sink,
            reservedIndexBytes: reservedIndexBytes(container, sink, picture: picture, expected: expected))
        let report = try GraphRunner(
            graph: graph, demuxers: demuxers, targets: [target], tolerance: request.tolerance, control: job.control,
            progress: job.progress
        ).run()
        for (index, demuxer) in demuxers.enumerated() {
            job.countRead(demuxer)
            try InputVerdict(tolerance: request.tolerance, demuxer: demuxer, control: job.control, input: index)
                .judge(graph: graph, report: report)
        }
        // Voices are all that is decoded.
        for (voice, tally) in zip(voices, report.decoded) where voice.isCapped && tally.reachedWindowEnd {
            throw tooLongToLoop(voice, nil)
        }
        try Publication.publish([sink])
        if let progress = job.progress {
            var last = job.control.progress.snapshot
            last.fraction = 1
            last.eta = 0
            progress(last)
        }
        return result(report, graph, demuxers, container: container, bytes: target.size)
    }

    // MARK: Inputs

    private func openVideo(_ container: Container, _ demuxers: inout [Demuxer]) throws -> InputStream? {
        guard let video = request.video else { return nil }
        let demuxer = try job.open(video)
        guard let stream = try StreamSelection().chooseVideo(demuxer) else {
            throw MediaError(.badInput, "there are no pictures in it", input: demuxer.name)
        }
        guard container.canHold(stream.codecID) else {
            throw MediaError(
                .unsupported, "a \(container.rawValue) file cannot hold \(stream.codecName)",
                hint: "choose another container, or transcode the video first", input: demuxer.name,
                stream: stream.index)
        }
        demuxers.append(demuxer)
        return stream
    }

    private func openVoices(_ demuxers: inout [Demuxer]) throws -> [Voice] {
        var isVideoShared = false
        var voices: [Voice] = []
        for settings in request.inputs {
            let place: Int
            // Read once where pictures and sound go side by side.
            if settings.input == request.video, !isVideoShared, settings.start == nil, settings.delay == 0,
                !settings.loop
            {
                isVideoShared = true
                place = 0
            } else {
                demuxers.append(try job.open(settings.input, analysis: .headerIfSoundIsKnown))
                place = demuxers.count - 1
            }
            let demuxer = demuxers[place]
            let choice = StreamSelection(audio: settings.track.map { .indices([$0]) } ?? .best)
            guard let stream = try choice.chooseAudio(demuxer).first else {
                throw MediaError(.badInput, "there is no sound in it", input: demuxer.name)
            }
            let voice = Voice(settings: settings, place: place, demuxer: demuxer, stream: stream)
            if let start = settings.start, let duration = demuxer.duration, start * 1e6 >= Double(duration) {
                throw MediaError(
                    .badRequest, "start (\(start) s) lies behind the end of the input (\(Double(duration) / 1e6) s)",
                    input: demuxer.name)
            }
            if settings.loop, let seconds = headerLength(voice), seconds > voice.longestLoop {
                throw tooLongToLoop(voice, seconds)
            }
            voices.append(voice)
        }
        return voices
    }

    private func tooLongToLoop(_ voice: Voice, _ seconds: Double?) -> MediaError {
        MediaError(
            .resourceLimit,
            "a loop\(seconds.map { " of \(Int($0)) s" } ?? "") is too long to be held in memory; \(Int(voice.longestLoop)) s is the most",
            hint: "loop a part of it, by start and end", input: voice.demuxer.name)
    }

    // MARK: Length

    private func length(_ picture: InputStream?) throws -> MixPlan.Length {
        if let duration = request.duration { return .seconds(duration) }
        switch request.effectiveLength {
        case .longest: return .longest
        case .first: return .first
        case .shortest: return .shortest
        case .video:
            guard let picture else { throw MediaError(.internal, "a mix under a video without a video") }
            let demuxer = picture.demuxer
            guard
                let end = picture.promisedEnd
                    ?? demuxer.duration.map({ demuxer.presentationStart + $0 }),
                end > demuxer.presentationStart
            else {
                throw MediaError(
                    .unsupported, "the video does not say how long it is", hint: "set length or duration",
                    input: demuxer.name)
            }
            return .seconds(Double(end - demuxer.presentationStart) / 1e6)
        }
    }

    /// Seconds of each voice by its samples, where a fade depends on it; `nil` for those that loop, and that no fade
    /// depends on.
    private func measure(_ voices: [Voice], _ length: MixPlan.Length) throws -> [Double?]? {
        guard voices.contains(where: { $0.settings.fadeOut > 0 }) else { return nil }
        // Where the mix ends is known without listening to those that do not fade.
        let endIsKnown = if case .seconds = length { true } else { false }
        return try voices.map { voice in
            guard !voice.settings.loop, voice.settings.fadeOut > 0 || !endIsKnown else { return nil }
            let demuxer = try job.open(voice.settings.input, analysis: .headerIfSoundIsKnown)
            guard demuxer.isSeekable else {
                throw MediaError(
                    .unsupported, "where it fades out is found in a first pass, and a pipe cannot be read twice",
                    hint: "write it to a file first", input: demuxer.name)
            }
            let counter = SampleCounter()
            var graph = MediaGraph()
            graph.decoded = [
                .init(source: .init(input: 0, stream: voice.stream.index), window: voice.window)
            ]
            graph.branches = [.init(sources: [0], filter: .sound(SoundPlan()), target: .consume(counter))]
            _ = try GraphRunner(
                graph: graph, demuxers: [demuxer], targets: [], tolerance: request.tolerance, control: job.control
            ).run()
            job.countRead(demuxer)
            return counter.seconds
        }
    }

    private func mixPlan(_ voices: [Voice], length: MixPlan.Length, lengths: [Double?]?) throws -> MixPlan {
        let ends = lengths.map { zip(voices, $0).map { voice, length in length.map { $0 + voice.settings.delay } } }
        let end: Double? =
            switch length {
            case .seconds(let seconds): seconds
            case .longest: ends?.compactMap { $0 }.max()
            case .first: ends?.first ?? nil
            case .shortest: ends?.compactMap { $0 }.min()
            }
        let made = voices.indices.map { index in
            let settings = voices[index].settings
            var voice = MixPlan.Voice(
                gain: settings.gain, delay: settings.delay, fadeIn: settings.fadeIn, loops: settings.loop)
            voice.duck = settings.duck.map {
                MixPlan.Duck(
                    key: $0.key, amount: $0.amount, threshold: $0.threshold, attack: $0.attack, release: $0.release)
            }
            let own = lengths?[index]
            let heard = [own, end.map { $0 - settings.delay }].compactMap { $0 }.min()
            if settings.fadeOut > 0, let heard, heard > 0 {
                let length = min(settings.fadeOut, heard)
                voice.fadeOut = MixPlan.FadeOut(start: heard - length, length: length)
            }
            return voice
        }
        return MixPlan(
            voices: made, length: length, gain: request.audio.gain,
            limiter: request.limiter ? PeakLimiter(ceiling: request.ceiling) : nil, output: SoundPlan())
    }

    /// Seconds by the input's header.
    private func headerLength(_ voice: Voice) -> Double? {
        let end = [voice.settings.end, voice.demuxer.duration.map { Double($0) / 1e6 }].compactMap { $0 }.min()
        return end.map { max(0, $0 - (voice.settings.start ?? 0)) }
    }

    /// Microseconds, roughly, for progress and the room for the index.
    private func expected(_ voices: [Voice], _ length: MixPlan.Length) -> Int64? {
        if case .seconds(let seconds) = length { return Int64(clamping: seconds * 1e6) }
        let ends = voices.filter { !$0.settings.loop }.map { voice in
            headerLength(voice).map { $0 + voice.settings.delay }
        }
        let known = ends.compactMap { $0 }
        let end: Double? =
            switch length {
            case .first: ends.first ?? nil
            case .shortest: known.min()
            default: known.count == ends.count ? known.max() : nil
            }
        return end.map { Int64(clamping: $0 * 1e6) }
    }

    // MARK: Output

    private func channels(_ voices: [Voice]) -> Int {
        voices.map { Int($0.stream.parameters.pointee.ch_layout.nb_channels) }.max() ?? 2
    }

    private func bits(_ voices: [Voice]) -> Int {
        voices.map { Int(max($0.stream.parameters.pointee.bits_per_raw_sample, 16)) }.max() ?? 16
    }

    private func reservedIndexBytes(
        _ container: Container, _ sink: any ByteSink, picture: InputStream?, expected: Int64?
    ) -> Int? {
        guard container.isMovie, request.indexFirst, sink.rewritableHead > 0 else { return nil }
        let seconds = Double(expected ?? 0) / 1e6
        var outline = MovieOutline()
        outline.tracks = picture == nil ? 1 : 2
        if let picture {
            let rate = picture.averageFrameRate
            let pictures = Double(picture.demuxer.duration ?? expected ?? 0) / 1e6
            outline.videoFrames = Int64(clamping: (pictures * (rate.isPositive ? rate.value : 30)).rounded(.up)) + 8
        }
        outline.audioFrames =
            Int64(clamping: (seconds * Double(request.audio.sampleRate ?? 48_000) / 1024).rounded(.up)) + 8
        return ProgressiveMovieOutput.estimateIndexBytes(outline)
    }

    private func result(
        _ report: GraphRunner.Report, _ graph: MediaGraph, _ demuxers: [Demuxer], container: Container, bytes: Int64
    ) -> RenderResult {
        let encoded = report.encoded.first ?? nil
        let streams = graph.outputs[0].streams.indices.compactMap { index -> RenderResult.Stream? in
            let tally = report.muxed[0][index]
            let start = max(0, Double(tally.start ?? 0) / 1e6)
            let copied = graph.copied.first { $0.slot.stream == index }
            guard tally.packets > 0 || copied?.isSparse == true else { return nil }
            let source = copied?.source ?? graph.decoded[0].source
            let stream = demuxers[source.input].streams[source.stream]
            var made = RenderResult.Stream(
                index: index, kind: "\(stream.kind)", codec: copied == nil ? encoded?.codec ?? "" : stream.codecName,
                copied: copied != nil, sourceIndex: source.stream, bytes: tally.bytes, start: start,
                duration: Double(tally.end ?? 0) / 1e6 - start)
            if stream.kind == .video {
                made.width = Int(stream.parameters.pointee.width)
                made.height = Int(stream.parameters.pointee.height)
                made.pixelFormat = PixelFormat(stream.parameters.pointee.format)?.name
                made.frames = tally.packets
            } else if copied == nil, let format = encoded?.format {
                made.sampleRate = format.sampleRate
                made.channels = ChannelLayout.count(format.channelLayout)
            }
            return made
        }
        let elapsed = job.elapsed
        let duration = streams.map { $0.start + $0.duration }.max() ?? 0
        return RenderResult(
            output: request.output.shownLocation, container: container, duration: duration, bytes: bytes,
            streams: streams, wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu,
            speed: duration / max(elapsed.wall, 1e-6), bytesRead: job.bytesRead,
            warnings: job.control.warnings.all, libraries: LibavLibrary.versions)
    }
}

/// Counts samples.
///
// Safe to send: fed by one branch's thread, and read after the run.
private final class SampleCounter: FrameConsumer, @unchecked Sendable {
    private(set) var seconds = 0.0

    func consume(_ frame: Frame, format: FrameFormat) throws {
        seconds += Double(frame.sampleCount) / Double(max(1, frame.sampleRate))
    }
}
