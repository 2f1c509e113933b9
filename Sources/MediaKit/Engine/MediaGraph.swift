import CAVShim

/// What is to be done with some opened inputs: which streams are decoded, filtered, encoded or copied, and into which
/// outputs they go. A value: operations build it, ``GraphRunner`` is the only code that executes it.
///
/// One decoded stream feeds any number of branches, by reference; each branch has a filter graph, and so a thread, of
/// its own. A branch or copy goes to a stream of one or more outputs.
struct MediaGraph: Sendable {
    /// A stream of one of the inputs.
    struct StreamReference: Hashable, Sendable {
        var input: Int
        var stream: Int
    }

    /// The part of an input that is used, and where time 0 of the result lies in it.
    struct Window: Sendable, Equatable {
        /// The input's time that becomes 0, in microseconds of its own timestamps.
        var origin: Int64 = 0
        /// Whether what lies before `origin` is cut off. If not, it keeps its negative time.
        var isTrimmed = false
        /// Whether a trimmed beginning shows the picture that is on screen there, where that has half of its time before it
        /// yet. Else the next one covers it, which at a constant rate would show that twice.
        var keepsShownPicture = false
        /// Microseconds after `origin` at which it ends.
        var end: Int64?
        /// Whether sound before `origin` is an encoder's priming, which is cut off though nothing is trimmed.
        var dropsPriming = false
        /// Whether sound that begins later is preceded by silence, for containers that cannot say so.
        var padsStart = false
    }

    struct DecodedStream: Sendable {
        var source: StreamReference
        var window: Window
        var keyFramesOnly = false
        /// Decoder threads; `nil` takes what the budget gives.
        var threads: Int?
    }

    /// A filter graph over some decoded streams.
    struct Branch: Sendable {
        /// Indices into `decoded`, in the order of the graph's sources.
        var sources: [Int]
        var filter: FilterPlan
        /// Work on each picture after the filters.
        var processors: [any FrameProcessor] = []
        var target: Target
        /// Whether its frames come from the graph's feed instead of decoded streams.
        var isFed = false
    }

    enum Target: Sendable {
        case encode(EncoderSettings, to: [OutputSlot])
        /// Frames are looked at and dropped.
        case consume(any FrameConsumer)
        /// The frames' further way is the operation's own matter.
        case custom(any BranchTarget)
    }

    struct CopiedStream: Sendable {
        var source: StreamReference
        var window: Window
        var slot: OutputSlot
        /// A stream without a steady flow, such as subtitles: the muxer does not wait for it.
        var isSparse = false
        var clearsCodecTag = true
        var codecTag: String?
    }

    /// A stream's place in an output.
    struct OutputSlot: Hashable, Sendable {
        var output: Int
        var stream: Int
    }

    struct OutputStream: Sendable {
        var tags: [(key: String, value: String)] = []
        var disposition: Int32 = 0
        var sideData: [(type: AVPacketSideDataType, bytes: [UInt8])] = []
        /// For messages: the stream of the input that it came from.
        var sourceStream: Int?
        var isSparse = false
    }

    struct Output: Sendable {
        /// libav's name of the container; "null" throws the packets away.
        var container: String
        var options: [String: String] = [:]
        var tags: [(key: String, value: String)] = []
        var chapters: [Muxer.Chapter] = []
        var streams: [OutputStream] = []
        var bitexact = false
    }

    var decoded: [DecodedStream] = []
    var branches: [Branch] = []
    var copied: [CopiedStream] = []
    var texts: [TextStream] = []
    var outputs: [Output] = []
    /// Makes the frames of the branches that are fed, in their order.
    var feed: (any FrameFeed)?
}

/// Work on pictures between the filters and the encoder, such as burning captions in.
///
/// Thread safety: `process` is called by one thread at a time.
protocol FrameProcessor: AnyObject, Sendable {
    /// Returns the frame to go on with: the same one untouched, or a changed one.
    ///
    /// - Parameter timeBase: of the frame's timestamp.
    func process(_ frame: Frame, timeBase: Rational) throws -> Frame
}

/// The end of a branch whose frames are looked at.
///
/// Thread safety: called by one thread at a time.
protocol FrameConsumer: AnyObject, Sendable {
    func consume(_ frame: Frame, format: FrameFormat) throws
}

/// What a branch's filter graph shall do. It becomes text when the first frame has shown what comes in.
enum FilterPlan: Sendable {
    case picture(PicturePlan)
    case sound(SoundPlan)
    /// Sound of several sources, laid over each other.
    case soundMix(MixPlan)
    /// Pictures of sound.
    case wave(WavePlan)
    /// Filters that make their frames themselves, without a source.
    case generator(FilterText, isPicture: Bool)

    var isPicture: Bool {
        switch self {
        case .picture, .wave: true
        case .sound, .soundMix: false
        case .generator(_, let isPicture): isPicture
        }
    }

    /// Whether what comes out must end where what went in did: filters that draw sound are fed more of it.
    var endsWithItsSource: Bool {
        if case .wave(let plan) = self { !plan.isStill } else { false }
    }

    /// The rate that its pictures have by themselves, whatever came in.
    var ownFrameRate: Rational? {
        switch self {
        case .picture(let plan): plan.frameRate
        case .wave(let plan): plan.frameRate
        case .sound, .soundMix, .generator: nil
        }
    }

    /// - Parameters:
    ///   - formats: what comes in, by source.
    ///   - first: the first source's first frame.
    func text(for formats: [FrameFormat], first: Frame?) throws -> FilterText {
        switch (self, formats.first) {
        case (.generator(let text, _), _): return text
        case (.picture(let plan), let format?): return try plan.text(for: format, first: first)
        case (.sound(let plan), let format?): return try plan.text(for: format)
        case (.soundMix(let plan), _?): return try plan.text(for: formats)
        case (.wave(let plan), let format?): return try plan.text(for: format)
        default: throw MediaError(.internal, "a filter graph without a source")
        }
    }
}
