import ByteIO
import CAVShim

/// Carries out a transcode, with work on the pictures if asked: opens the input, plans the graph, runs it once or in
/// two passes, judges what came out, and publishes it.
///
/// Thread safety: used by the job's thread.
struct Rendering {
    /// Makes the work on pictures once their shape is known.
    typealias ProcessorMaker = (Demuxer, InputStream) throws -> [any FrameProcessor]

    private let request: Transcode
    private let job: Job
    private let processors: ProcessorMaker?
    private let analysis: Demuxer.Analysis
    private let drawing: (() throws -> WaveDrawing)?

    /// - Parameter drawing: makes the pictures out of the sound; called once for each pass.
    init(
        _ request: Transcode, job: Job, analysis: Demuxer.Analysis = .full, processors: ProcessorMaker? = nil,
        drawing: (() throws -> WaveDrawing)? = nil
    ) {
        self.request = request
        self.job = job
        self.analysis = analysis
        self.processors = processors
        self.drawing = drawing
    }

    func run() throws -> RenderResult {
        let container = try Container.resolve(request.container, output: request.output)
        // The output is tried first: an hour of work must not end in "exists already".
        let sink = try job.sink(request.output, overwrite: request.overwrite)
        let demuxer = try job.open(request.input, analysis: analysis)
        let plan = try RenderPlan(
            request, container: container, demuxer: demuxer, job: job, processors: processors, drawing: drawing?())
        try requireDuration(plan.expectedDuration, demuxer)
        job.control.progress.expect(microseconds: plan.expectedDuration)

        if request.video.twoPass, plan.encodesVideo {
            return try runTwice(plan, container: container, demuxer: demuxer, sink: sink)
        }
        let graph = try plan.graph(pass: nil, statisticsPath: nil, sink: sink)
        return try finish(plan, graph, container: container, demuxer: demuxer, sink: sink, statistics: nil)
    }

    /// What is too long by its header need not be worked on first.
    func requireDuration(_ expected: Int64?, _ demuxer: Demuxer) throws {
        guard let limit = request.limits.durationSeconds, let expected, Double(expected) / 1e6 > limit else { return }
        throw MediaError(
            .resourceLimit, "the input is longer than the limit of \(limit) s",
            hint: "raise limits.durationSeconds or set an end", input: demuxer.name)
    }

    private func runTwice(
        _ plan: RenderPlan, container: Container, demuxer: Demuxer, sink: any ByteSink
    ) throws -> RenderResult {
        guard demuxer.isSeekable else {
            throw MediaError(
                .unsupported, "two passes need an input that can be read twice; this is a pipe",
                hint: "use crf, or one pass", input: demuxer.name)
        }
        let folder = try TemporaryFolder()
        // Only its path is used below, which does not keep it.
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path + "/pass"
        let statistics = PassStatistics()
        job.control.progress.begin(done: 0, share: 0.45)
        let first = GraphRunner(
            graph: try plan.firstPass(statisticsPath: path), demuxers: [demuxer] + plan.furtherInputs, targets: [nil],
            tolerance: request.tolerance, control: job.control, statistics: statistics, progress: job.progress)
        _ = try first.run()
        job.countRead(demuxer)

        job.control.progress.begin(done: 0.45, share: 0.55)
        let again = try job.open(request.input)
        let second = try RenderPlan(
            request, container: container, demuxer: again, job: job, processors: processors, drawing: drawing?())
        let graph = try second.graph(pass: .second, statisticsPath: path, sink: sink)
        return try finish(
            second, graph, container: container, demuxer: again, sink: sink, statistics: statistics)
    }

    /// Runs the graph that makes the output, judges it and publishes it.
    func finish(
        _ plan: RenderPlan, _ graph: MediaGraph, container: Container, demuxer: Demuxer, sink: any ByteSink,
        statistics: PassStatistics?
    ) throws -> RenderResult {
        let target = OutputTarget(sink: sink, reservedIndexBytes: plan.reservedIndexBytes(sink: sink))
        let runner = GraphRunner(
            graph: graph, demuxers: [demuxer] + plan.furtherInputs, targets: [target], tolerance: request.tolerance,
            control: job.control, statistics: statistics, progress: job.progress)
        let report = try runner.run()
        job.countRead(demuxer)
        for input in plan.furtherInputs { job.countRead(input) }
        try InputVerdict(tolerance: request.tolerance, demuxer: demuxer, control: job.control)
            .judge(graph: graph, report: report)
        try Publication.publish([sink])
        if let progress = job.progress {
            var last = job.control.progress.snapshot
            last.fraction = 1
            last.eta = 0
            progress(last)
        }
        return plan.result(report: report, graph: graph, bytes: target.size)
    }
}
