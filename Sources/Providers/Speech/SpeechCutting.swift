/// Where a recording is cut for a recogniser.
public struct SpeechCutting: Sendable, Equatable {
    /// Seconds of the longest chunk, its overlaps counted. Default 600.
    public var longest: Double
    /// Seconds that neighbours have in common, about: both ends lie at quiet moments. Default 2.
    public var overlap: Double
    /// Seconds of quiet that are a pause. Default 0.3.
    public var pause: Double
    /// Seconds of a chunk after which the next pause ends it, without an overlap: for recognisers that know no times,
    /// or that want one utterance after the other. `nil` (default) cuts as late as possible.
    public var cutsAfter: Double?
    /// Seconds of a silence within which nothing is handed on. Default 30.
    public var longestSilence: Double

    /// The most that any service takes at a time, in seconds: 1,400 for some models of OpenAI.
    public static let hardLimit = 1300.0

    /// Values out of range are brought into it: `longest` lies between 4 and 1,300 s, an overlap is at most an eighth
    /// of it.
    public init(
        longest: Double = 600, overlap: Double = 2, pause: Double = 0.3, cutsAfter: Double? = nil,
        longestSilence: Double = 30
    ) {
        self.longest = min(max(longest, 4), Self.hardLimit)
        self.overlap = min(max(overlap, 0), self.longest / 8)
        self.pause = min(max(pause, 0.05), 5)
        self.cutsAfter = cutsAfter.map { max($0, 0) }
        self.longestSilence = max(longestSilence, 3)
    }

    /// One utterance at a time: from pause to pause, four to twenty seconds.
    public static let utterances = SpeechCutting(longest: 20, overlap: 1, pause: 0.35, cutsAfter: 4)
}

/// A stretch of one channel, for a recogniser.
public struct SpeechChunk: Sendable {
    /// From 0, in the order in which the chunks were cut, over all channels.
    public var index: Int
    /// The channel of the source; `nil` if the channels were mixed.
    public var channel: Int?
    /// The first sample's number, from the source's second 0.
    public var firstSample: Int64
    /// 16 bit, of one channel.
    public var samples: [Int16]
    /// Hz.
    public var sampleRate: Int
    /// Seconds of the source that the chunk stands for: at its ends there may be silence more than `samples` has.
    public var covers: Range<Double>
    /// Seconds of the source from the first voice in it to the last.
    public var voiced: Range<Double>
    /// Decibels below full scale under which it is quiet.
    public var quietLevel: Float

    /// Seconds of the source.
    public var start: Double { Double(firstSample) / Double(sampleRate) }
    /// Seconds.
    public var duration: Double { Double(samples.count) / Double(sampleRate) }
    /// Seconds of the source.
    public var end: Double { start + duration }

    /// Whether anything is to be heard between two seconds of the source.
    public func hasVoice(from: Double, to: Double) -> Bool {
        let rate = Double(sampleRate)
        let range = (0..<samples.count).clamped(
            to: Self.index((from - start) * rate)..<Self.index((max(from, to) - start) * rate) + 1)
        let frame = SpeechLevels.frameLength(sampleRate)
        let levels = stride(from: range.lowerBound, to: range.upperBound, by: frame).map {
            SpeechLevels.level(samples[$0..<min($0 + frame, range.upperBound)])
        }
        return SpeechLevels.voice(in: levels[...], above: quietLevel) != nil
    }

    private static func index(_ value: Double) -> Int { Int(min(max(value, 0), 1e12)) }
}
