import CAVShim

/// Runs one branch's filter graph and the work on pictures after it.
///
// Safe to send: `run` is called by one thread, and the tally is read after it was joined.
final class FilterStage: Stage, @unchecked Sendable {
    let name: String
    let inbox: Inbox<TimedFrame>
    private let plan: FilterPlan
    private let processors: [any FrameProcessor]
    private let target: any BranchTarget
    private let control: JobControl
    private let sourceCount: Int
    private var graph: FilterGraph?
    private var formats: [FrameFormat?]
    /// The first result's format, which later graphs must keep: an encoder cannot change it.
    private var outputFormat: FrameFormat?
    private var wantsMore = true
    /// Seconds at which the first source ends, once that is known and counts.
    private var sourceEnd: Double?
    /// Sources that give nothing more.
    private var ended: Set<Int> = []

    init(
        branch: MediaGraph.Branch, isSound: Bool, target: any BranchTarget, control: JobControl
    ) {
        name = isSound ? "kiln-flt-audio" : "kiln-flt-video"
        plan = branch.filter
        processors = branch.processors
        sourceCount = branch.isFed ? 1 : branch.sources.count
        formats = Array(repeating: nil, count: sourceCount)
        self.target = target
        self.control = control
        let bounds = isSound ? ChannelBounds.sound : ChannelBounds.pictures
        inbox = Inbox(
            pads: sourceCount, items: bounds.items, bytes: bounds.bytes, totalBytes: ChannelBounds.total)
    }

    func run() throws {
        control.log.adoptThread()
        if sourceCount == 0 {
            try build(first: nil)
            if let graph { try pull(graph) }
            return
        }
        var open = Array(0..<sourceCount)
        // A graph is made when the first frame of each source has shown what comes in.
        var waiting: [Int: TimedFrame] = [:]
        while wantsMore, !control.isStopped {
            let source = graph?.hungriest(of: open) ?? open.first { waiting[$0] == nil }
            guard let source else { break }
            switch inbox.receive(pad: source) {
            case .item(let timed):
                let format = FrameFormat(frame: timed.frame, timeBase: timed.timeBase, frameRate: timed.frameRate)
                if graph == nil {
                    waiting[source] = timed
                    formats[source] = format
                    guard waiting.count == open.count else { continue }
                    try build(first: waiting[0]?.frame)
                    for (source, timed) in waiting.sorted(by: { $0.key < $1.key }) {
                        try push(timed.frame, source: source)
                    }
                    waiting = [:]
                } else {
                    if format.needsNewGraph(after: formats[source]) {
                        // What the others have been through cannot be told to a new graph.
                        guard sourceCount == 1 else {
                            throw MediaError(
                                .unsupported, "input \(source) of a filter changes its format midway",
                                hint: "transcode it first")
                        }
                        try finishGraph()
                        formats[source] = format
                        try build(first: timed.frame)
                    }
                    try push(timed.frame, source: source)
                }
            case .finished:
                open.removeAll { $0 == source }
                ended.insert(source)
                guard graph != nil else {
                    // No frame ever came.
                    if open.isEmpty, waiting.isEmpty { return }
                    throw MediaError(.badInput, "input \(source) of a filter has no frames")
                }
                try push(nil, source: source)
                if open.isEmpty { return }
            case .pressed:
                throw MediaError(
                    .resourceLimit, "the inputs of a filter are interleaved too badly to be held in memory",
                    hint: "remux the input first")
            case .closed:
                return
            }
        }
    }

    func stop() { inbox.close() }

    func close() {
        graph = nil
        inbox.close()
        target.finish()
    }

    private func build(first: Frame?) throws {
        let sources = formats.compactMap { $0 }
        guard sources.count == sourceCount else {
            throw MediaError(.badInput, "an input of a filter has no frames")
        }
        var text = try plan.text(for: sources, first: first)
        if let outputFormat { text.force(outputFormat) }
        let made = try FilterGraph(
            sources: sources,
            text: text.joined(nothing: plan.isPicture ? "null" : "anull", sources: sourceCount),
            // No filter of sound that is used here works in slices.
            isVideo: plan.isPicture, threads: plan.isPicture ? control.budget.filterThreads : 1, control: control)
        try checkSize(made.output)
        if let samples = target.frameSize { made.setFrameSize(samples) }
        // What has ended is not waited for by a graph that is made later; one that waits for its first frame has it yet.
        if outputFormat != nil { for source in ended { _ = try made.push(nil, source: source) } }
        graph = made
    }

    private func checkSize(_ format: FrameFormat) throws {
        guard format.width * format.height > control.limits.pixels else { return }
        throw MediaError(
            .resourceLimit,
            "pictures of \(format.width)x\(format.height) are larger than the limit of \(control.limits.pixels) pixels",
            hint: "raise limits.pixels or ask for a smaller size")
    }

    private func finishGraph() throws {
        for source in 0..<sourceCount { try push(nil, source: source) }
        graph = nil
        sourceEnd = nil
    }

    private func push(_ frame: Frame?, source: Int) throws {
        guard let graph else { return }
        if frame == nil, source == 0, plan.endsWithItsSource, let timeBase = formats[0]?.timeBase {
            sourceEnd = graph.end(ofSource: 0).map { Double($0) * timeBase.value }
        }
        // The duration counts in the source's time base, which a filter may change without saying so.
        if try !graph.push(frame, source: source) { wantsMore = false }
        try pull(graph)
    }

    private func pull(_ graph: FilterGraph) throws {
        while !control.isStopped {
            let frame = try Frame()
            switch try graph.pull(into: frame) {
            case .ready:
                try deliver(frame, from: graph)
            case .again:
                return
            case .end:
                return
            }
        }
    }

    private func deliver(_ frame: Frame, from graph: FilterGraph) throws {
        // A microsecond is less than any picture, and more than what the sums of two clocks differ by.
        if let sourceEnd, let pts = frame.pts, graph.output.timeBase.seconds(pts) > sourceEnd - 1e-6 {
            return
        }
        if frame.width > 0 { mendDuration(frame, graph) }
        let format = outputFormat ?? graph.output.counted
        if graph.output.timeBase != format.timeBase, let pts = frame.pts {
            frame.pts = graph.output.timeBase.rescale(pts, to: format.timeBase)
            frame.duration = graph.output.timeBase.rescale(frame.duration, to: format.timeBase)
        }
        if outputFormat == nil {
            outputFormat = format
            // The encoder now tells how many samples it wants at once. This frame may be of another size: a framer
            // in front of the encoder takes care of it.
            if let samples = try target.open(format: format, first: frame) { graph.setFrameSize(samples) }
        }
        var result = frame
        for processor in processors { result = try processor.process(result, timeBase: format.timeBase) }
        if !target.send(result) { wantsMore = false }
    }

    private func mendDuration(_ frame: Frame, _ graph: FilterGraph) {
        guard let source = formats.first ?? nil else { return }
        if let rate = plan.ownFrameRate {
            frame.duration = rate.inverse.rescale(1, to: graph.output.timeBase)
        } else if source.timeBase != graph.output.timeBase {
            frame.duration = source.timeBase.rescale(frame.duration, to: graph.output.timeBase)
        }
    }
}

/// Where a branch's frames go.
protocol BranchTarget: AnyObject, Sendable {
    /// Samples per frame that it wants, once it is known.
    var frameSize: Int? { get }
    /// Called before the first frame, on the branch's thread.
    ///
    /// - Returns: samples per frame that it wants from now on; `nil` for pictures and where any number will do.
    func open(format: FrameFormat, first: Frame) throws -> Int?
    /// Hands a frame over. Returns false if nothing more is wanted.
    func send(_ frame: Frame) -> Bool
    func finish()
}

extension FrameFormat {
    /// The same with sound timed by its samples, whatever clock the filters went by.
    fileprivate var counted: FrameFormat {
        guard !isVideo, sampleRate > 0 else { return self }
        var format = self
        format.timeBase = Rational(1, Int32(sampleRate))
        return format
    }

    /// Whether frames of this format cannot go into a graph that was made for `other`.
    fileprivate func needsNewGraph(after other: FrameFormat?) -> Bool {
        guard let other else { return true }
        return format != other.format || width != other.width || height != other.height
            || sampleRate != other.sampleRate || channelLayout != other.channelLayout || timeBase != other.timeBase
            || (isVideo && (colorSpace != other.colorSpace || colorRange != other.colorRange))
            // Once there is a deinterlacer it lets progressive pictures pass.
            || (isInterlaced && !other.isInterlaced)
    }
}
