import ByteIO
import CAVShim

/// Decides from a request and an opened input what is copied, what is encoded and how, and writes it down as a graph.
struct RenderPlan {
    enum Picture {
        case none
        case copy(InputStream)
        case encode(InputStream, VideoCodec)
        /// Made of a sound stream.
        case draw(InputStream, VideoCodec, WaveDrawing)
    }

    struct Sound {
        var stream: InputStream
        /// `nil` copies it.
        var codec: AudioCodec?
    }

    let request: Transcode
    let container: Container
    let demuxer: Demuxer
    let job: Job
    let processors: [any FrameProcessor]
    let picture: Picture
    let sounds: [Sound]
    let subtitles: [InputStream]
    let texts: [TextTrackPlan]
    let window: MediaGraph.Window
    /// What else is done to each of `sounds`, in their order; none where it is empty.
    var treatments: [SoundTreatment] = []

    init(
        _ request: Transcode, container: Container, demuxer: Demuxer, job: Job,
        processors maker: Rendering.ProcessorMaker?, drawing: WaveDrawing? = nil
    ) throws {
        self.request = request
        self.container = container
        self.demuxer = demuxer
        self.job = job
        let isTrimmed = (request.start ?? 0) > 0 || request.end != nil
        window = Self.window(request, demuxer)
        if let drawing {
            picture = try Self.drawnPicture(request, container, demuxer, drawing)
        } else {
            picture = try Self.choosePicture(
                request, container, demuxer, mustEncode: maker != nil || isTrimmed, control: job.control)
        }
        sounds = try Self.chooseSounds(request, container, demuxer, isTrimmed: isTrimmed)
        subtitles = try Self.chooseSubtitles(request, container, demuxer, control: job.control)
        texts = try request.textTracks.map { try TextTrackPlan($0, container: container, job: job) }
        if case .none = picture, sounds.isEmpty {
            let wanted = container.holdsVideo && request.video.codec != .none ? "picture or sound" : "sound"
            throw MediaError(.badInput, "there is no \(wanted) in it", input: demuxer.name)
        }
        if let maker {
            guard case .encode(let stream, _) = picture else {
                throw MediaError(.badInput, "there are no pictures in it", input: demuxer.name)
            }
            processors = try maker(demuxer, stream)
        } else {
            processors = []
        }
        warnOfDroppedStreams()
        if isTrimmed, let end = window.end, end <= 0 {
            throw MediaError(.badRequest, "end must come after start")
        }
        if let start = request.start, let duration = demuxer.duration, start * 1e6 >= Double(duration) {
            throw MediaError(
                .badRequest, "start (\(start) s) lies behind the end of the input (\(Double(duration) / 1e6) s)",
                input: demuxer.name)
        }
    }

    var encodesVideo: Bool {
        switch picture {
        case .encode, .draw: true
        case .none, .copy: false
        }
    }

    /// Of pictures that are drawn.
    var drawnFrameRate: Rational? {
        if case .draw(_, _, let drawing) = picture { drawing.plan.frameRate } else { nil }
    }

    /// Inputs besides the first.
    var furtherInputs: [Demuxer] {
        if case .draw(_, _, let drawing) = picture { drawing.background.map { [$0] } ?? [] } else { [] }
    }

    /// Microseconds, or `nil` if unknown.
    var expectedDuration: Int64? {
        guard let whole = demuxer.duration.map({ $0 - Int64(clamping: (request.start ?? 0) * 1e6) }) else {
            return window.end
        }
        return min(whole, window.end ?? whole)
    }

    // MARK: Decisions

    private static func window(_ request: Transcode, _ demuxer: Demuxer) -> MediaGraph.Window {
        let start = Int64(clamping: (request.start ?? 0) * 1e6)
        var window = MediaGraph.Window(origin: demuxer.presentationStart + start, isTrimmed: start > 0)
        window.end = request.end.map { Int64(clamping: $0 * 1e6) - start }
        return window
    }

    private static func choosePicture(
        _ request: Transcode, _ container: Container, _ demuxer: Demuxer, mustEncode: Bool, control: JobControl
    ) throws -> Picture {
        guard container.holdsVideo, request.video.codec != .none,
            let stream = try request.streams.chooseVideo(demuxer)
        else { return .none }
        let pixels = Int(stream.parameters.pointee.width) * Int(stream.parameters.pointee.height)
        guard pixels <= control.limits.pixels else {
            throw MediaError(
                .resourceLimit,
                "pictures of \(stream.parameters.pointee.width)x\(stream.parameters.pointee.height) are larger than the limit of \(control.limits.pixels) pixels",
                hint: "raise limits.pixels", input: demuxer.name, stream: stream.index)
        }
        switch request.video.codec {
        case .copy:
            guard container.canHold(stream.codecID) else { throw cannotHold(stream, container) }
            if (request.start ?? 0) > 0 {
                control.warnings.add(
                    MediaWarning(
                        .adjusted, "a copied picture stream begins at the key frame before the start",
                        stream: stream.index))
            }
            return .copy(stream)
        case .auto:
            guard !mustEncode, !request.video.asksForEncoding, container.canHold(stream.codecID) else {
                return .encode(stream, container.usualVideoCodec)
            }
            guard stream.hidesFirstPictures, !container.isMovie else { return .copy(stream) }
            control.warnings.add(
                MediaWarning(
                    .adjusted,
                    "the input hides its first pictures, which \(container.rawValue) cannot: encoded instead of copied",
                    stream: stream.index))
            return .encode(stream, container.usualVideoCodec)
        default:
            try requireRoom(for: request.video.codec.codecID, in: container)
            return .encode(stream, request.video.codec)
        }
    }

    private static func drawnPicture(
        _ request: Transcode, _ container: Container, _ demuxer: Demuxer, _ drawing: WaveDrawing
    ) throws -> Picture {
        guard let sound = try request.streams.chooseAudio(demuxer).first else {
            throw MediaError(.badInput, "there is no sound in it to be drawn", input: demuxer.name)
        }
        let codec = request.video.codec == .auto ? container.usualVideoCodec : request.video.codec
        try requireRoom(for: codec.codecID, in: container)
        return .draw(sound, codec, drawing)
    }

    private static func chooseSounds(
        _ request: Transcode, _ container: Container, _ demuxer: Demuxer, isTrimmed: Bool
    ) throws -> [Sound] {
        guard request.audio.codec != .none else { return [] }
        var streams = try request.streams.chooseAudio(demuxer)
        // A file for sound alone holds one track.
        if !container.holdsVideo, container != .m4a { streams = Array(streams.prefix(1)) }
        return try streams.map { stream in
            switch request.audio.codec {
            case .copy:
                guard container.canHold(stream.codecID) else { throw cannotHold(stream, container) }
                return Sound(stream: stream, codec: nil)
            case .auto:
                // Without timestamps, what begins later must be preceded by silence.
                let keepsTime = container.hasTimestamps || stream.delay < 20_000
                let copies =
                    !isTrimmed && !request.audio.asksForEncoding && keepsTime && container.canHold(stream.codecID)
                return Sound(stream: stream, codec: copies ? nil : container.usualAudioCodec)
            default:
                try requireRoom(for: request.audio.codec.codecID, in: container)
                return Sound(stream: stream, codec: request.audio.codec)
            }
        }
    }

    static func requireRoom(for codec: AVCodecID?, in container: Container) throws {
        guard let codec, !container.canHold(codec) else { return }
        throw MediaError(
            .unsupported, "a \(container.rawValue) file cannot hold \(String(cString: avcodec_get_name(codec)))",
            hint: "choose another container or codec")
    }

    private static func cannotHold(_ stream: InputStream, _ container: Container) -> MediaError {
        MediaError(
            .unsupported, "a \(container.rawValue) file cannot hold \(stream.codecName)",
            hint: "choose another container, or encode instead of copying", input: stream.demuxer.name,
            stream: stream.index)
    }

    private static func chooseSubtitles(
        _ request: Transcode, _ container: Container, _ demuxer: Demuxer, control: JobControl
    ) throws -> [InputStream] {
        try request.streams.chooseSubtitles(demuxer).filter { stream in
            if container.canHoldSubtitles(stream.codecID) { return true }
            control.warnings.add(
                MediaWarning(
                    .droppedStream, "\(stream.codecName) subtitles do not go into a \(container.rawValue) file",
                    stream: stream.index))
            return false
        }
    }

    private func warnOfDroppedStreams() {
        var used = Set(sounds.map(\.stream.index) + subtitles.map(\.index))
        if let stream = pictureStream { used.insert(stream.index) }
        for stream in demuxer.streams where !used.contains(stream.index) {
            let what: String
            switch stream.kind {
            case .video where request.video.codec != .none && !isDrawn: what = "video"
            case .audio where request.audio.codec != .none: what = "audio"
            case .attachedPicture where !isDrawn: what = "cover picture"
            case .data: what = "data"
            // Left out on purpose, or told of already.
            default: continue
            }
            job.control.warnings.add(
                MediaWarning(
                    .droppedStream, "\(what) stream \(stream.index) (\(stream.codecName)) is left out",
                    stream: stream.index))
        }
    }

    private var isDrawn: Bool { if case .draw = picture { true } else { false } }

    var pictureStream: InputStream? {
        switch picture {
        case .none: nil
        case .copy(let stream), .encode(let stream, _), .draw(let stream, _, _): stream
        }
    }
}
