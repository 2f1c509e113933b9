import CAVShim
import Synchronization

/// A clip that was looked at: what of it is used, and how it has to be turned.
///
/// Thread safety: all members may be used from any thread.
final class SequenceClip: Sendable {
    let location: String
    let fit: PictureSize.Fit
    /// Seconds that a still is shown; `nil` for moving pictures.
    let stillSeconds: Double?
    /// Seconds, where they are known before it is read.
    let seconds: Double?
    /// Upright, in square pixels.
    let width: Int
    let height: Int
    /// 0/1 for stills, and where it is unknown.
    let frameRate: Rational
    /// `nil` if it has no sound.
    let sound: FrameFormat?
    let soundBits: Int
    private let start: Double
    private let end: Double?
    /// An input that can be read once only, opened already.
    private let opened: Mutex<Demuxer?>
    private let isSeekable: Bool

    /// Opens the clip and looks at its header.
    ///
    /// - Parameter tellsSize: whether the size of all follows from it. Then a photo is decoded for how it is turned, unless
    ///   it can be read only once.
    init(_ clip: Clip, fit: PictureSize.Fit, tellsSize: Bool = false, tolerance: Tolerance, job: Job) throws {
        location = clip.input
        self.fit = clip.fit ?? fit
        start = clip.start ?? 0
        end = clip.end
        let demuxer = try job.open(clip.input)
        guard let stream = try StreamSelection().chooseVideo(demuxer) else {
            throw MediaError(.badInput, "there are no pictures in it", input: demuxer.name)
        }
        let parameters = stream.parameters.pointee
        guard Int(parameters.width) * Int(parameters.height) <= job.control.limits.pixels else {
            throw MediaError(
                .resourceLimit,
                "pictures of \(parameters.width)x\(parameters.height) are larger than the limit of \(job.control.limits.pixels) pixels",
                hint: "raise limits.pixels", input: demuxer.name, stream: stream.index)
        }
        let audio = try StreamSelection().chooseAudio(demuxer).first
        // A header that names no rate is that of damaged sound.
        sound = audio.map { FrameFormat(audioParameters: $0.parameters.pointee, timeBase: $0.timeBase) }
            .flatMap { $0.sampleRate > 0 ? $0 : nil }
        soundBits = Int(max(audio?.parameters.pointee.bits_per_raw_sample ?? 16, 16))
        let orientation =
            tellsSize && demuxer.isSeekable
            ? try PhotoOrientation.of(stream, tolerance: tolerance, control: job.control) : stream.orientation
        let shown = Self.shownSize(stream, orientation)
        width = shown.width
        height = shown.height
        let isStill = demuxer.isImage || (stream.frameCount == 1 && audio == nil)
        if isStill, clip.start != nil || clip.end != nil {
            throw MediaError(
                .badRequest, "a still has neither start nor end", hint: "say by duration how long it is shown",
                input: demuxer.name)
        }
        if !isStill, clip.duration != nil {
            throw MediaError(
                .badRequest, "duration is for stills, and this one moves", hint: "set start and end",
                input: demuxer.name)
        }
        stillSeconds = isStill ? clip.duration ?? Clip.usualStillSeconds : nil
        let length = stream.duration.map { stream.timeBase.seconds($0) } ?? demuxer.duration.map { Double($0) / 1e6 }
        if !isStill, let length, start >= length {
            throw MediaError(
                .badRequest, "start (\(start) s) lies behind the end of the clip (\(length) s)", input: demuxer.name)
        }
        seconds = stillSeconds ?? length.map { min(clip.end ?? $0, $0) - (clip.start ?? 0) }
        frameRate = isStill ? Rational(0, 1) : Self.rate(stream)
        isSeekable = demuxer.isSeekable
        opened = Mutex(isSeekable ? nil : demuxer)
        if isSeekable { job.countRead(demuxer) }
    }

    /// The clip from its beginning.
    func open(_ job: Job) throws -> Demuxer {
        if isSeekable { return try job.open(location) }
        if let demuxer = opened.withLock({ held in
            defer { held = nil }
            return held
        }) {
            return demuxer
        }
        throw MediaError(
            .unsupported, "a pipe can be read once, not repeated", hint: "put it into a file first",
            input: location.shownLocation)
    }

    /// What is decoded of it, and what becomes of that.
    func graph(
        _ demuxer: Demuxer, _ format: SequenceFormat, budget: CoreBudget, pictures: any BranchTarget,
        sound: (any BranchTarget)?
    ) throws -> MediaGraph {
        guard let stream = try StreamSelection().chooseVideo(demuxer) else {
            throw MediaError(.badInput, "there are no pictures in it", input: demuxer.name)
        }
        var plan = PicturePlan()
        plan.orientation = stream.orientation
        plan.sampleAspectRatio = stream.sampleAspectRatio
        plan.size = PictureSize(width: format.width, height: format.height, fit: fit, enlarge: true)
        plan.canvas = PictureCanvas(width: format.width, height: format.height, background: format.background)
        plan.pixelFormat = PixelFormatChoice(required: format.pixelFormat)
        plan.deinterlaces = format.deinterlaces
        if stillSeconds == nil { plan.frameRate = format.frameRate } else { plan.turnsByFrame = true }
        var graph = MediaGraph()
        graph.decoded = [
            MediaGraph.DecodedStream(
                source: .init(input: 0, stream: stream.index), window: window(demuxer),
                threads: stillSeconds == nil ? budget.followingDecoderThreads : 1)
        ]
        graph.branches = [MediaGraph.Branch(sources: [0], filter: .picture(plan), target: .custom(pictures))]
        if let sound, let audio = try StreamSelection().chooseAudio(demuxer).first {
            graph.addSound(audio, window: window(demuxer), format, target: sound)
        }
        return graph
    }

    private func window(_ demuxer: Demuxer) -> MediaGraph.Window {
        let origin = Int64(clamping: start * 1e6)
        var window = MediaGraph.Window(origin: demuxer.presentationStart + origin, isTrimmed: origin > 0)
        window.keepsShownPicture = true
        window.end = end.map { Int64(clamping: $0 * 1e6) - origin }
        return window
    }

    private static func shownSize(_ stream: InputStream, _ orientation: Orientation) -> (width: Int, height: Int) {
        let aspect = stream.sampleAspectRatio
        let stored = Double(stream.parameters.pointee.width)
        let shown = (aspect.isPositive ? stored * aspect.value : stored).rounded()
        let width = max(1, Int(min(shown, 1e6))), height = max(1, Int(stream.parameters.pointee.height))
        return orientation.swapsAxes ? (width: height, height: width) : (width: width, height: height)
    }

    /// Some clocks are so fine that the rate they could show is none that pictures come at.
    private static func rate(_ stream: InputStream) -> Rational {
        let rate = stream.frameRate
        if rate.isPositive, rate.value <= 120 { return rate }
        let average = stream.averageFrameRate
        guard average.isPositive, average.value >= 1 else { return Rational(0, 1) }
        return Rational(Int32(min(average.value.rounded(), 120)), 1)
    }
}

extension MediaGraph {
    /// Decodes a sound stream into a sequence's kind of sound.
    mutating func addSound(
        _ stream: InputStream, window: Window, _ format: SequenceFormat, target: any BranchTarget
    ) {
        var plan = SoundPlan()
        plan.sampleRate = format.sampleRate
        plan.channelLayout = format.channelLayout
        plan.sampleFormats = ["fltp"]
        var window = window
        window.padsStart = true
        window.dropsPriming = stream.demuxer.presentationStart != stream.demuxer.startTime
        decoded.append(DecodedStream(source: .init(input: 0, stream: stream.index), window: window))
        branches.append(Branch(sources: [decoded.count - 1], filter: .sound(plan), target: .custom(target)))
    }
}
