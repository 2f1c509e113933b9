import CAVShim

/// What a drawing of sound needs besides the sound: the plan, and the picture behind.
struct WaveDrawing {
    var plan: WavePlan
    /// The input that holds the picture behind.
    var background: Demuxer?

    /// - Throws: ``MediaError`` if the picture behind cannot be opened.
    init(_ request: Waveform, job: Job, isStill: Bool = false) throws {
        plan = request.plan
        plan.isStill = isStill
        guard let location = request.background else { return }
        let demuxer = try job.open(location)
        background = demuxer
        plan.hasBackground = true
        guard let stream = try backgroundStream else { return }
        plan.backgroundAspect = stream.sampleAspectRatio
        plan.backgroundOrientation = stream.orientation
        // What a photo itself says of it is found in its picture, and the graph needs that from its beginning.
        if demuxer.isImage, demuxer.isSeekable {
            let photo = try job.open(location)
            defer { job.countRead(photo) }
            guard let stream = try StreamSelection().chooseVideo(photo) else { return }
            plan.backgroundOrientation = try PhotoOrientation.of(
                stream, tolerance: request.tolerance, control: job.control)
        }
    }

    private var backgroundStream: InputStream? {
        get throws {
            guard let background else { return nil }
            return try StreamSelection().chooseVideo(background)
                ?? background.streams.first { $0.kind == .attachedPicture }
        }
    }

    /// The first picture of the background, as the graph's second input; `nil` if there is none.
    func decodedBackground() throws -> MediaGraph.DecodedStream? {
        guard let background else { return nil }
        guard let stream = try backgroundStream else {
            throw MediaError(
                .badInput, "there is no picture in it to be put behind the sound",
                hint: "name a JPEG, PNG or WebP file", input: background.name)
        }
        // A video is the same as a picture: its first one.
        let start = stream.startTime.map { stream.timeBase.rescale($0, to: .microseconds) } ?? 0
        var window = MediaGraph.Window(origin: start)
        window.end = max(40_000, stream.timeBase.rescale(1, to: .microseconds))
        return MediaGraph.DecodedStream(source: .init(input: 1, stream: stream.index), window: window, threads: 1)
    }
}
