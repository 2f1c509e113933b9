import ByteIO
import CAVShim
import Glibc

/// Executes a ``MediaGraph``: a thread per demuxer, decoder, branch, encoder and muxer, joined by bounded inboxes. The
/// only code that does so.
///
/// The first failure of any stage stops all of them and is the one that is thrown. Nothing is published here: the
/// caller commits the targets once it is satisfied with the report, and aborts them otherwise.
///
/// Thread safety: used by one thread, which `run` blocks.
final class GraphRunner {
    /// What the stages saw.
    struct Report: Sendable {
        /// By index of `decoded`.
        var decoded: [DecodeTally] = []
        /// By index of `copied`.
        var copied: [CopyTally] = []
        /// By index of `branches`; `nil` for those that are only looked at.
        var encoded: [EncodeTally?] = []
        /// By output, then stream.
        var muxed: [[MuxTally]] = []
    }

    private let graph: MediaGraph
    private let demuxers: [Demuxer]
    private let targets: [OutputTarget?]
    private let tolerance: Tolerance
    private let control: JobControl
    private let statistics: PassStatistics?
    private let progress: (@Sendable (Progress) -> Void)?

    /// - Parameters:
    ///   - demuxers: the inputs, already opened, in the order that the graph counts them.
    ///   - targets: one per output; `nil` for those whose container is "null".
    ///   - statistics: carried from the first of two passes to the second.
    init(
        graph: MediaGraph, demuxers: [Demuxer], targets: [OutputTarget?], tolerance: Tolerance,
        control: JobControl, statistics: PassStatistics? = nil, progress: (@Sendable (Progress) -> Void)? = nil
    ) {
        self.graph = graph
        self.demuxers = demuxers
        self.targets = targets
        self.tolerance = tolerance
        self.control = control
        self.statistics = statistics
        self.progress = progress
    }

    func run() throws -> Report {
        let muxing = zip(graph.outputs, targets).map { MuxStage(output: $0, target: $1, control: control) }
        let encoding = graph.branches.map { branch in makeEncoder(for: branch, muxing: muxing) }
        let filtering = zip(graph.branches, encoding).map { branch, encoder in
            FilterStage(
                branch: branch, isSound: !branch.filter.isPicture, target: target(of: branch, encoder),
                control: control)
        }
        let decoding = try graph.decoded.enumerated().map { index, decoded in
            try makeDecoder(decoded, index: index, filtering: filtering)
        }
        let feeding = graph.feed.map { feed in
            FeedStage(
                feed: feed,
                outlets: zip(graph.branches, filtering).filter { $0.0.isFed }.map { FeedOutlet(inbox: $0.1.inbox) },
                control: control)
        }
        let copying = graph.copied.map { makeCopy($0, muxing: muxing) }
        let demuxing = demuxers.enumerated().compactMap { index, demuxer in
            makeDemuxer(demuxer, index: index, decoding: decoding, copying: copying)
        }
        let writing = graph.texts.map { text in
            TextStage(
                text, output: graph.outputs[text.slot.output].streams[text.slot.stream],
                inbox: muxing[text.slot.output].inbox)
        }
        try announceCopies(muxing)

        var stages: [any Stage] = []
        stages += demuxing as [any Stage]
        if let feeding { stages.append(feeding) }
        stages += decoding as [any Stage]
        stages += filtering as [any Stage]
        stages += encoding.compactMap { $0 } as [any Stage]
        stages += writing as [any Stage]
        stages += muxing as [any Stage]
        try execute(stages)

        for stage in muxing {
            for warning in stage.warnings { control.warnings.add(MediaWarning(.container, warning)) }
        }
        return Report(
            decoded: decoding.map(\.tally), copied: copying.map(\.tally), encoded: encoding.map { $0?.tally },
            muxed: muxing.map(\.tallies))
    }

    // MARK: Wiring

    private func makeEncoder(for branch: MediaGraph.Branch, muxing: [MuxStage]) -> EncodeStage? {
        guard case .encode(let settings, let slots) = branch.target else { return nil }
        let receivers = slots.map { slot in
            EncodeStage.Receiver(
                inbox: muxing[slot.output].inbox, pad: slot.stream,
                stream: graph.outputs[slot.output].streams[slot.stream],
                globalHeader: Muxer.wantsGlobalHeader(graph.outputs[slot.output].container))
        }
        return EncodeStage(
            settings: settings, isSound: !branch.filter.isPicture, receivers: receivers, statistics: statistics,
            control: control)
    }

    private func target(of branch: MediaGraph.Branch, _ encoder: EncodeStage?) -> any BranchTarget {
        switch branch.target {
        case .consume(let consumer): ConsumeTarget(consumer: consumer, control: control)
        case .custom(let target): target
        case .encode: encoder ?? NoTarget()
        }
    }

    private func makeDecoder(
        _ decoded: MediaGraph.DecodedStream, index: Int, filtering: [FilterStage]
    ) throws -> DecodeStage {
        let stream = demuxers[decoded.source.input].streams[decoded.source.stream]
        var receivers: [DecodeStage.Receiver] = []
        for (branch, stage) in zip(graph.branches, filtering) {
            for (pad, source) in branch.sources.enumerated() where source == index {
                receivers.append(DecodeStage.Receiver(inbox: stage.inbox, pad: pad))
            }
        }
        return try DecodeStage(
            decoded: decoded, stream: stream, receivers: receivers, tolerance: tolerance,
            threads: stream.kind == .audio ? 1 : decoded.threads ?? control.budget.decoderThreads, control: control)
    }

    private func makeCopy(_ copied: MediaGraph.CopiedStream, muxing: [MuxStage]) -> CopyRoute {
        CopyRoute(
            copied: copied, stream: demuxers[copied.source.input].streams[copied.source.stream],
            inbox: muxing[copied.slot.output].inbox, tolerance: tolerance, limits: control.limits)
    }

    private func makeDemuxer(
        _ demuxer: Demuxer, index: Int, decoding: [DecodeStage], copying: [CopyRoute]
    ) -> DemuxStage? {
        var routes: [Int: [DemuxStage.Route]] = [:]
        var windows: [MediaGraph.Window] = []
        for (decoded, stage) in zip(graph.decoded, decoding) where decoded.source.input == index {
            routes[decoded.source.stream, default: []].append(.decode(stage.inbox))
            windows.append(decoded.window)
        }
        for (copied, route) in zip(graph.copied, copying) where copied.source.input == index {
            routes[copied.source.stream, default: []].append(.copy(route))
            windows.append(copied.window)
        }
        guard !routes.isEmpty else { return nil }
        // What lies before the earliest start, or behind the last end, is of no use to anyone.
        let start = windows.allSatisfy(\.isTrimmed) ? windows.map(\.origin).min() : nil
        let ends = windows.compactMap { window in window.end.map { window.origin + $0 } }
        let end = ends.count == windows.count ? ends.max() : nil
        return DemuxStage(
            demuxer: demuxer, routes: routes, start: start, end: end, strict: tolerance.strict, control: control)
    }

    /// Tells the muxers about copied streams, which are known before anything runs.
    private func announceCopies(_ muxing: [MuxStage]) throws {
        for copied in graph.copied {
            let stream = demuxers[copied.source.input].streams[copied.source.stream]
            let parameters = try CodecParameters(copying: stream.parameters)
            if copied.clearsCodecTag { parameters.setTag(copied.codecTag) }
            let described = graph.outputs[copied.slot.output].streams[copied.slot.stream]
            var settings = Muxer.StreamSettings(parameters: parameters, timeBase: stream.timeBase)
            settings.frameRate = stream.averageFrameRate
            settings.tags = described.tags
            settings.disposition = described.disposition
            settings.sideData = described.sideData
            _ = muxing[copied.slot.output].inbox.send(.start(settings), bytes: 0, pad: copied.slot.stream)
        }
    }

    // MARK: Running

    private func execute(_ stages: [any Stage]) throws {
        let control = control
        let running = RunningCount(stages.count)
        // Filters and encoders do not know what they work on; with one input there is no doubt.
        let input = demuxers.count == 1 ? demuxers[0].name : nil
        let registration = control.onStop { for stage in stages { stage.stop() } }
        // The stages hold the control, and a decoder its threads and pictures.
        defer { control.forget(registration) }
        var threads: [EngineThread] = []
        for stage in stages {
            do {
                threads.append(
                    try EngineThread(name: stage.name) {
                        do { try stage.run() } catch { control.fail(MediaError.wrapping(error).naming(input)) }
                        stage.close()
                        running.countDown()
                    })
            } catch {
                control.fail(error)
                running.countDown()
            }
        }
        watch(running)
        for thread in threads { thread.join() }
        JobLog.drain()
        if let failure = control.failure { throw failure }
    }

    /// Reports progress, empties the log ring and minds the wall time until all stages are done.
    private func watch(_ running: RunningCount) {
        // Eight times a second: with the report of the end, which comes when it comes, at most ten.
        while !running.wait(milliseconds: 125) {
            JobLog.drain()
            do { try control.checkpoint() } catch { control.fail(error) }
            if !control.isStopped { progress?(control.progress.snapshot) }
        }
    }
}

/// How many stages still run.
///
// Safe to send: the count is guarded by `lock`.
private final class RunningCount: @unchecked Sendable {
    private var count: Int
    private let lock = ConditionLock()

    init(_ count: Int) { self.count = count }

    func countDown() {
        lock.withLock {
            count -= 1
            lock.signalAll()
        }
    }

    /// Waits until none is left or the time is over, however many end meanwhile. Returns whether none is left.
    func wait(milliseconds: Int) -> Bool {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        return lock.withLock {
            while count > 0 {
                let left = (end - ContinuousClock.now) / .milliseconds(1)
                guard left > 0 else { return false }
                lock.wait(milliseconds: Int(left.rounded(.up)))
            }
            return true
        }
    }
}

/// The target of a branch that leads nowhere.
private final class NoTarget: BranchTarget {
    let frameSize: Int? = nil
    func open(format: FrameFormat, first: Frame) throws -> Int? { nil }
    func send(_ frame: Frame) -> Bool { false }
    func finish() {}
}
