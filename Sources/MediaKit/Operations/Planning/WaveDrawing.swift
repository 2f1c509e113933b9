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
        background = try job.open(location)
        plan.hasBackground = true
    }

    /// The first picture of the background, as the graph's second input; `nil` if there is none.
    func decodedBackground() throws -> MediaGraph.DecodedStream? {
        guard let background else { return nil }
        let cover = background.streams.first { $0.kind == .attachedPicture }
        guard let stream = try StreamSelection().chooseVideo(background) ?? cover else {
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
