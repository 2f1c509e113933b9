import CAVShim

/// What a filter graph takes or gives.
struct FrameFormat: Equatable, Sendable {
    var timeBase: Rational
    /// A pixel or sample format of libav.
    var format: Int32
    // Video
    var width = 0
    var height = 0
    var sampleAspectRatio = Rational(0, 1)
    var frameRate = Rational(0, 1)
    var colorSpace = AVCOL_SPC_UNSPECIFIED
    var colorRange = AVCOL_RANGE_UNSPECIFIED
    var isInterlaced = false
    // Sound
    var sampleRate = 0
    /// As `av_channel_layout_describe` writes it.
    var channelLayout = ""

    var isVideo: Bool { width > 0 }

    /// The format of a decoded frame.
    init(frame: Frame, timeBase: Rational, frameRate: Rational) {
        self.timeBase = timeBase
        format = frame.format
        if frame.width > 0 {
            width = frame.width
            height = frame.height
            sampleAspectRatio = frame.sampleAspectRatio
            self.frameRate = frameRate
            colorSpace = frame.raw.pointee.colorspace
            colorRange = frame.raw.pointee.color_range
            isInterlaced = frame.isInterlaced
        } else {
            sampleRate = frame.sampleRate
            channelLayout = ChannelLayout.describe(&frame.raw.pointee.ch_layout)
        }
    }

    /// The format of sound that no frame has shown yet.
    init(audioParameters parameters: AVCodecParameters, timeBase: Rational) {
        var parameters = parameters
        self.timeBase = timeBase
        format = parameters.format
        sampleRate = Int(parameters.sample_rate)
        channelLayout = ChannelLayout.describe(&parameters.ch_layout)
    }

    fileprivate init(sink: UnsafeMutablePointer<AVFilterContext>) {
        timeBase = Rational(av_buffersink_get_time_base(sink))
        format = av_buffersink_get_format(sink)
        if av_buffersink_get_type(sink) == AVMEDIA_TYPE_VIDEO {
            width = Int(av_buffersink_get_w(sink))
            height = Int(av_buffersink_get_h(sink))
            sampleAspectRatio = Rational(av_buffersink_get_sample_aspect_ratio(sink))
            frameRate = Rational(av_buffersink_get_frame_rate(sink))
        } else {
            sampleRate = Int(av_buffersink_get_sample_rate(sink))
            var layout = AVChannelLayout()
            if av_buffersink_get_ch_layout(sink, &layout) >= 0 { channelLayout = ChannelLayout.describe(&layout) }
            av_channel_layout_uninit(&layout)
        }
    }
}

/// The owner of one configured filter graph with any number of sources and one sink.
///
/// Thread safety: used by one thread at a time; filters may use slice threads of their own.
final class FilterGraph {
    /// What comes out.
    let output: FrameFormat
    private var raw: UnsafeMutablePointer<AVFilterGraph>?
    private var sources: [UnsafeMutablePointer<AVFilterContext>] = []
    private let sink: UnsafeMutablePointer<AVFilterContext>
    /// Where each source's last frame ends, in its time base.
    private var ends: [Int: Int64] = [:]

    /// Builds and configures a graph.
    ///
    /// - Parameters:
    ///   - formats: what comes in at `[in0]`, `[in1]`, …; none for a graph that makes its frames itself.
    ///   - text: filters between those labels and `[out]`, as ``FilterText`` writes them.
    ///   - isVideo: whether pictures come out.
    init(sources formats: [FrameFormat], text: String, isVideo: Bool, threads: Int, control: JobControl) throws {
        var graph = avfilter_graph_alloc()
        // Until all properties are set, deinit does not run.
        var isBuilt = false
        defer { if !isBuilt { avfilter_graph_free(&graph) } }
        let built = try allocated(graph, "a filter graph")
        built.pointee.opaque = control.log.mark
        built.pointee.nb_threads = Int32(threads)
        var contexts: [UnsafeMutablePointer<AVFilterContext>] = []
        for (index, format) in formats.enumerated() {
            contexts.append(try Self.makeSource(format, name: "in\(index)", graph: built))
        }
        let filter = try allocated(avfilter_get_by_name(isVideo ? "buffersink" : "abuffersink"), "a filter sink")
        var end: UnsafeMutablePointer<AVFilterContext>?
        try check(avfilter_graph_create_filter(&end, filter, "out", nil, nil, built), "cannot make a filter sink")
        let sink = try allocated(end, "a filter sink")

        var openOutputs: UnsafeMutablePointer<AVFilterInOut>?
        var openInputs: UnsafeMutablePointer<AVFilterInOut>?
        defer {
            avfilter_inout_free(&openOutputs)
            avfilter_inout_free(&openInputs)
        }
        for (index, context) in contexts.enumerated().reversed() {
            openOutputs = try Self.link(context, label: "in\(index)", next: openOutputs)
        }
        openInputs = try Self.link(sink, label: "out", next: nil)
        let parsed = avfilter_graph_parse_ptr(built, text, &openInputs, &openOutputs, nil)
        try check(parsed, "cannot build the filters \(text)")
        try check(avfilter_graph_config(built, nil), "cannot configure the filters \(text)")
        self.sink = sink
        sources = contexts
        output = FrameFormat(sink: sink)
        raw = graph
        isBuilt = true
    }

    deinit { avfilter_graph_free(&raw) }

    /// Makes the sink give sound in frames of exactly `samples`, but for the last.
    func setFrameSize(_ samples: Int) { av_buffersink_set_frame_size(sink, UInt32(samples)) }

    /// Gives a source its next frame, whose references move into the graph, or `nil` at its end.
    ///
    /// - Returns: false if the graph needs nothing more from any source.
    func push(_ frame: Frame?, source: Int) throws -> Bool {
        guard let frame else {
            // Filters that make a constant rate must know how long the last picture is shown.
            let result = av_buffersrc_close(sources[source], ends[source] ?? CAV_NOPTS, 0)
            if result != CAV_ERROR_EOF { try check(result, "a filter failed") }
            return true
        }
        if let pts = frame.pts { ends[source] = pts + frame.duration }
        let result = av_buffersrc_add_frame_flags(sources[source], frame.raw, 0)
        if result == CAV_ERROR_EOF { return false }
        try check(result, "a filter failed")
        return true
    }

    /// Where the last frame that a source was given ends, in its time base.
    func end(ofSource source: Int) -> Int64? { ends[source] }

    /// Takes the next frame.
    func pull(into frame: Frame) throws -> Flow {
        let result = av_buffersink_get_frame(sink, frame.raw)
        guard let flow = Flow(result) else { throw MediaError.libav(result, "a filter failed") }
        return flow
    }

    /// The source among `open` that the graph has asked most often in vain: the one to feed next.
    func hungriest(of open: [Int]) -> Int? {
        open.max { av_buffersrc_get_nb_failed_requests(sources[$0]) < av_buffersrc_get_nb_failed_requests(sources[$1]) }
    }

    private static func makeSource(
        _ format: FrameFormat, name: String, graph: UnsafeMutablePointer<AVFilterGraph>
    ) throws -> UnsafeMutablePointer<AVFilterContext> {
        let filter = avfilter_get_by_name(format.isVideo ? "buffer" : "abuffer")
        let source = try allocated(avfilter_graph_alloc_filter(graph, filter, name), "a filter source")
        var layout = AVChannelLayout()
        defer { av_channel_layout_uninit(&layout) }
        if !format.isVideo {
            try check(av_channel_layout_from_string(&layout, format.channelLayout), "bad channel layout")
        }
        try withUnsafePointer(to: layout) { layoutPointer in
            var parameters = cav_source_parameters()
            parameters.time_base = format.timeBase.raw
            parameters.format = format.format
            parameters.width = Int32(format.width)
            parameters.height = Int32(format.height)
            parameters.sample_aspect_ratio = format.sampleAspectRatio.raw
            parameters.frame_rate = format.frameRate.raw
            parameters.color_space = Int32(bitPattern: format.colorSpace.rawValue)
            parameters.color_range = Int32(bitPattern: format.colorRange.rawValue)
            parameters.sample_rate = Int32(format.sampleRate)
            parameters.channel_layout = format.isVideo ? nil : layoutPointer
            try check(cav_source_configure(source, &parameters), "cannot configure a filter source")
        }
        try check(avfilter_init_str(source, nil), "cannot start a filter source")
        return source
    }

    private static func link(
        _ context: UnsafeMutablePointer<AVFilterContext>, label: String,
        next: UnsafeMutablePointer<AVFilterInOut>?
    ) throws -> UnsafeMutablePointer<AVFilterInOut> {
        let link = try allocated(avfilter_inout_alloc(), "a filter link")
        link.pointee.name = av_strdup(label)
        link.pointee.filter_ctx = context
        link.pointee.pad_idx = 0
        link.pointee.next = next
        return link
    }
}
