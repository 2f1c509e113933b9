/// A pass over an input in which nothing is made, but the loudness of some of its streams measured.
struct LoudnessListening {
    /// What was heard of one stream.
    struct Heard {
        var loudness: LoudnessMeasurement
        /// Samples of each channel, at the plan's rate.
        var sampleCount: Int64
    }

    /// Indices of streams, and what is done to them before they are measured.
    let streams: [(index: Int, plan: SoundPlan)]
    let window: MediaGraph.Window
    let tolerance: Tolerance

    /// - Parameter isFinal: whether the input's damage is judged by this pass.
    /// - Returns: by stream, in their order.
    func run(_ demuxer: Demuxer, job: Job, isFinal: Bool) throws -> [Heard] {
        let gauges = streams.map { _ in LoudnessGauge(control: job.control) }
        var graph = MediaGraph()
        for (stream, gauge) in zip(streams, gauges) {
            var plan = stream.plan
            plan.sampleFormats = ["fltp"]
            graph.decoded.append(
                MediaGraph.DecodedStream(source: .init(input: 0, stream: stream.index), window: window))
            graph.branches.append(
                MediaGraph.Branch(sources: [graph.decoded.count - 1], filter: .sound(plan), target: .consume(gauge)))
        }
        let report = try GraphRunner(
            graph: graph, demuxers: [demuxer], targets: [], tolerance: tolerance, control: job.control,
            progress: job.progress
        ).run()
        job.countRead(demuxer)
        if isFinal {
            try InputVerdict(tolerance: tolerance, demuxer: demuxer, control: job.control)
                .judge(graph: graph, report: report)
        }
        return try gauges.map { Heard(loudness: try $0.finish(), sampleCount: $0.sampleCount) }
    }
}
