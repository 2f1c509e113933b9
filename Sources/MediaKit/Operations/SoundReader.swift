import CAVShim

/// Sound as numbers: what recognisers and meters are fed with.
///
/// ```swift
/// let facts = try await MediaEngine().readSound(SoundRequest(input: "call.mp4")) { block in
///     for sample in block.samples[0] { … }
/// }
/// ```
public struct SoundRequest: Sendable, Equatable {
    /// A location that the engine's resolver knows.
    public var input: String
    /// The sound track, counted from 0; `nil` for the one that players choose.
    public var track: Int?
    /// Hz that the sound is converted to. Default 16,000: what recognisers take.
    public var sampleRate: Int
    /// Whether the channels are mixed to one, as by default.
    public var isMono: Bool
    /// Seconds of the input; `nil` is its beginning.
    public var start: Double?
    /// Seconds of the input, after `start`; `nil` is its end.
    public var end: Double?
    /// Cores to use. Default: all that the process may use.
    public var threads: Int?
    /// Bounds on what the job may take.
    public var limits: Limits
    /// How much damage of the input is put up with.
    public var tolerance: Tolerance

    /// Checked when it is read.
    public init(
        input: String, track: Int? = nil, sampleRate: Int = 16_000, isMono: Bool = true, start: Double? = nil,
        end: Double? = nil, threads: Int? = nil, limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.track = track
        self.sampleRate = sampleRate
        self.isMono = isMono
        self.start = start
        self.end = end
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }
}

/// A run of samples.
public struct SoundBlock: Sendable {
    /// The first sample's number. Sample 0 lies at the second 0 of the input as a player shows it, also where only a part
    /// is read. Blocks follow each other without a gap: what is missing in the input is silent.
    public var start: Int64
    /// 16 bit samples of each channel, all of the same count.
    public var samples: [[Int16]]

    public init(start: Int64, samples: [[Int16]]) {
        self.start = start
        self.samples = samples
    }
}

/// What was read.
public struct SoundFacts: Sendable, Equatable {
    /// Hz.
    public var sampleRate: Int
    /// Of the blocks.
    public var channels: Int
    /// Samples of each channel.
    public var sampleCount: Int64
    /// Bytes read of the input.
    public var bytesRead: Int64
    /// What a user should know.
    public var warnings: [MediaWarning]
}

extension MediaEngine {
    /// Decodes an input's sound, once from front to back. Of a seekable MP4 or MOV only the sound's own bytes are read.
    ///
    /// - Parameter take: called with one block after the other on a thread of the job's, and may block it: nothing more is
    ///   read meanwhile. What it throws ends the reading.
    /// - Throws: ``MediaError``; what `take` threw as its `cause`.
    @discardableResult
    public func readSound(
        _ request: SoundRequest, progress: (@Sendable (Progress) -> Void)? = nil,
        _ take: @escaping @Sendable (SoundBlock) throws -> Void
    ) async throws -> SoundFacts {
        let settings = JobSettings(threads: request.threads, limits: request.limits)
        return try await run("read_sound", settings, progress: progress) { job in
            try SoundReader(request, job: job, take: take).run()
        }
    }
}

/// Thread safety: used by the job's thread.
private struct SoundReader {
    let request: SoundRequest
    let job: Job
    let take: @Sendable (SoundBlock) throws -> Void

    init(_ request: SoundRequest, job: Job, take: @escaping @Sendable (SoundBlock) throws -> Void) {
        self.request = request
        self.job = job
        self.take = take
    }

    func run() throws -> SoundFacts {
        try validate()
        let demuxer = try job.open(request.input, analysis: .headerIfSoundIsKnown)
        let choice = StreamSelection(audio: request.track.map { .indices([$0]) } ?? .best)
        guard let stream = try choice.chooseAudio(demuxer).first else {
            throw MediaError(.badInput, "there is no sound in it", input: demuxer.name)
        }
        var plan = SoundPlan()
        plan.sampleRate = request.sampleRate
        plan.channelLayout = request.isMono ? "mono" : nil
        plan.sampleFormats = ["s16p"]
        let start = Int64(clamping: (request.start ?? 0) * 1e6)
        let meter = SampleMeter(
            first: Int64(((request.start ?? 0) * Double(request.sampleRate)).rounded()), take: take)
        var graph = MediaGraph()
        graph.decoded = [
            MediaGraph.DecodedStream(
                source: .init(input: 0, stream: stream.index), window: window(demuxer, from: start))
        ]
        graph.branches = [.init(sources: [0], filter: .sound(plan), target: .consume(meter))]
        job.control.progress.expect(
            microseconds: (request.end.map { Int64(clamping: $0 * 1e6) } ?? demuxer.duration).map { $0 - start })
        let report = try GraphRunner(
            graph: graph, demuxers: [demuxer], targets: [], tolerance: request.tolerance, control: job.control,
            progress: job.progress
        ).run()
        job.countRead(demuxer)
        try InputVerdict(tolerance: request.tolerance, demuxer: demuxer, control: job.control)
            .judge(graph: graph, report: report)
        return SoundFacts(
            sampleRate: request.sampleRate, channels: meter.channels, sampleCount: meter.count,
            bytesRead: job.bytesRead, warnings: job.control.warnings.all)
    }

    private func window(_ demuxer: Demuxer, from start: Int64) -> MediaGraph.Window {
        var window = MediaGraph.Window(origin: demuxer.presentationStart + start, isTrimmed: start > 0)
        window.dropsPriming = demuxer.presentationStart != demuxer.startTime
        window.padsStart = true
        window.end = request.end.map { Int64(clamping: $0 * 1e6) - start }
        return window
    }

    private func validate() throws {
        guard (8000...192_000).contains(request.sampleRate) else {
            throw MediaError(.badRequest, "sampleRate must lie between 8,000 and 192,000 Hz")
        }
        let start = request.start ?? 0
        guard (0...1e9).contains(start), request.end.map({ $0 > start && $0 <= 1e9 }) ?? true else {
            throw MediaError(.badRequest, "start must be 0 or more, and end after it; neither more than 1,000,000,000")
        }
    }
}

/// Hands samples on, and keeps count of them.
///
// Safe to send: fed by one branch's thread, and read after the run.
private final class SampleMeter: FrameConsumer, @unchecked Sendable {
    private(set) var channels = 0
    private(set) var count: Int64 = 0
    private let first: Int64
    private let take: @Sendable (SoundBlock) throws -> Void
    /// Samples by which a timestamp may be off without a gap being seen in it: 40 ms.
    private var slack: Int64 = 0

    init(first: Int64, take: @escaping @Sendable (SoundBlock) throws -> Void) {
        self.first = first
        self.take = take
    }

    func consume(_ frame: Frame, format: FrameFormat) throws {
        channels = frame.channelCount
        slack = Int64(frame.sampleRate / 25)
        if let pts = frame.pts {
            let position = av_rescale_q(pts, format.timeBase.raw, AVRational(num: 1, den: Int32(frame.sampleRate)))
            try fill(upTo: position, rate: Int64(frame.sampleRate))
        }
        var samples: [[Int16]] = []
        for channel in 0..<channels {
            guard let plane = frame.plane(channel) else { return }
            samples.append(
                plane.base.withMemoryRebound(to: Int16.self, capacity: frame.sampleCount) {
                    Array(UnsafeBufferPointer(start: $0, count: frame.sampleCount))
                })
        }
        try hand(samples)
    }

    /// Silence where the input has none.
    private func fill(upTo position: Int64, rate: Int64) throws {
        guard position > count + slack else { return }
        while count < position {
            let length = Int(min(position - count, rate))
            try hand(Array(repeating: Array(repeating: 0, count: length), count: channels))
        }
    }

    private func hand(_ samples: [[Int16]]) throws {
        try take(SoundBlock(start: first + count, samples: samples))
        count += Int64(samples.first?.count ?? 0)
    }
}
