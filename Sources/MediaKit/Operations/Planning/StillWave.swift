import CAVShim

/// Draws all of an input's sound into a single picture.
///
/// Thread safety: used by the job's thread.
struct StillWave {
    private let request: Waveform
    private let format: ImageFormat
    private let job: Job

    init(_ request: Waveform, format: ImageFormat, job: Job) {
        self.request = request
        self.format = format
        self.job = job
    }

    func run() throws -> WaveformResult {
        let sink = try job.sink(request.output, overwrite: request.overwrite)
        let demuxer = try job.open(request.input, analysis: .headerIfSoundIsKnown)
        let choice = StreamSelection(audio: request.track.map { .indices([$0]) } ?? .best)
        guard let sound = try choice.chooseAudio(demuxer).first else {
            throw MediaError(.badInput, "there is no sound in it to be drawn", input: demuxer.name)
        }
        let drawing = try WaveDrawing(request, job: job, isStill: true)
        var plan = drawing.plan
        plan.pixelFormat.required = PixelFormat(raw: AV_PIX_FMT_GBRP)
        let hold = try hold(sound, demuxer)
        plan.heldRate = hold.rate
        let start = Int64(clamping: (request.start ?? 0) * 1e6)
        var window = MediaGraph.Window(origin: demuxer.presentationStart + start, isTrimmed: start > 0)
        let end = request.end.map { Int64(clamping: $0 * 1e6) - start }
        window.end = min(end ?? hold.most, hold.most)
        window.dropsPriming = true
        window.padsStart = true
        var graph = MediaGraph()
        graph.decoded = [.init(source: .init(input: 0, stream: sound.index), window: window)]
        if let background = try drawing.decodedBackground() { graph.decoded.append(background) }
        let keeper = FrameKeeper()
        graph.branches = [
            .init(sources: Array(graph.decoded.indices), filter: .wave(plan), target: .consume(keeper))
        ]
        job.control.progress.expect(microseconds: end ?? demuxer.duration)
        let inputs = [demuxer] + (drawing.background.map { [$0] } ?? [])
        let report = try GraphRunner(
            graph: graph, demuxers: inputs, targets: [], tolerance: request.tolerance, control: job.control,
            progress: job.progress
        ).run()
        for input in inputs { job.countRead(input) }
        try InputVerdict(tolerance: request.tolerance, demuxer: demuxer, control: job.control)
            .judge(graph: graph, report: report)
        // A header may say less, or nothing.
        if window.end != end, report.decoded[0].reachedWindowEnd { throw tooLong(demuxer) }
        guard let frame = keeper.frame else {
            throw MediaError(.badInput, "there is no sound in it to be drawn", input: demuxer.name)
        }
        let still = StillPicture(format: format, quality: 90, control: job.control)
        let file = try still.file(of: frame, timeBase: .microseconds)
        try ImageOutput.write(file.bytes, to: sink, control: job.control)
        try Publication.publish([sink])
        let elapsed = job.elapsed
        return WaveformResult(
            output: request.output.shownLocation, format: format, width: file.width, height: file.height, duration: 0,
            bytes: Int64(file.bytes.count), streams: [], wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu,
            bytesRead: job.bytesRead, warnings: job.control.warnings.all, libraries: LibavLibrary.versions)
    }
}

extension StillWave {
    /// The rate at which the sound is held, and how many microseconds of it can be.
    private func hold(_ sound: InputStream, _ demuxer: Demuxer) throws -> (rate: Int, most: Int64) {
        let parameters = sound.parameters.pointee
        let sampleRate = max(1, Int(parameters.sample_rate)), channels = Int(parameters.ch_layout.nb_channels)
        let last = [request.end, demuxer.duration.map { Double($0) / 1e6 }].compactMap { $0 }.min()
        let seconds = last.map { max(0, $0 - (request.start ?? 0)) } ?? 0
        guard let rate = request.heldRate(seconds: seconds, sampleRate: sampleRate, channels: channels) else {
            throw tooLong(demuxer)
        }
        let bytesPerSecond = Double(rate * request.heldBytes(channels: channels))
        // A header's length is rounded.
        return (rate, Int64((Double(Waveform.mostHeldBytes) / bytesPerSecond + 1) * 1e6))
    }

    private func tooLong(_ demuxer: Demuxer) -> MediaError {
        MediaError(
            .resourceLimit, "there is more sound than can be held in memory for a single picture",
            hint: "draw a part of it, by start and end, or a video", input: demuxer.name)
    }
}

/// Keeps the first picture that comes.
///
// Safe to send: fed by one branch's thread, and read after the run.
private final class FrameKeeper: FrameConsumer, @unchecked Sendable {
    private(set) var frame: Frame?

    func consume(_ frame: Frame, format: FrameFormat) throws {
        if self.frame == nil { self.frame = frame }
    }
}
