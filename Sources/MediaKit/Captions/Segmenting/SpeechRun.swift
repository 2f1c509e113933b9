/// A stretch of one speaker on one channel, in order of time: what captions are cut from.
struct SpeechRun {
    var speaker: String?
    var channel: Int?
    /// Runs of the same lane do not overlap by more than a recogniser's slips.
    var lane: Int
    var words: [Caption.Word] = []
    /// Where a segment of the transcript begins.
    var segmentStarts: Set<Int> = []

    /// The runs of a transcript, by lane. Segments of one channel that overlap are taken apart.
    static func all(of transcript: Transcript) -> [SpeechRun] {
        var lanes: [(channel: Int?, start: Double, end: Double, runs: [SpeechRun])] = []
        var lastLane: Int?
        let ordered = transcript.segments.enumerated().sorted {
            ($0.element.start, $0.offset) < ($1.element.start, $1.offset)
        }
        for (_, segment) in ordered {
            let words = SpeechWords.of(segment)
            guard let first = words.first, let last = words.last else { continue }
            let fitting = lanes.firstIndex { lane in
                let slip = min(0.5 * min(lane.end - lane.start, last.end - first.start), 1)
                return lane.channel == segment.channel && first.start >= lane.end - max(slip, 0)
            }
            let lane = fitting ?? (lanes.count < mostLanes ? lanes.count : emptiest(lanes.map(\.end)))
            if lane == lanes.count { lanes.append((segment.channel, first.start, first.start, [])) }
            // Whoever goes on after an answer begins anew; a word thrown in by somebody else is no answer.
            let isResumed = lastLane != lane && first.start - lanes[lane].end >= longestInterjection
            lastLane = lane
            lanes[lane].start = first.start
            lanes[lane].end = max(lanes[lane].end, last.end)
            if isResumed || lanes[lane].runs.last?.speaker != segment.speaker || lanes[lane].runs.isEmpty {
                lanes[lane].runs.append(SpeechRun(speaker: segment.speaker, channel: segment.channel, lane: lane))
            }
            lanes[lane].runs[lanes[lane].runs.count - 1].add(words)
        }
        return lanes.flatMap(\.runs)
    }

    /// The lane that is free first, where more speak at once than anybody can show.
    private static func emptiest(_ ends: [Double]) -> Int {
        ends.indices.min { ends[$0] < ends[$1] } ?? 0
    }

    /// Seconds.
    private static let longestInterjection = 0.5
    /// Who speaks at once.
    private static let mostLanes = 64

    private mutating func add(_ more: [Caption.Word]) {
        segmentStarts.insert(words.count)
        for var word in more {
            if let last = words.indices.last {
                word.start = max(word.start, words[last].start)
                word.end = max(word.end, word.start)
                words[last].end = min(words[last].end, word.start)
            }
            words.append(word)
        }
    }
}

/// Words between which no line may be broken.
struct CaptionAtom {
    var words: [Caption.Word]
    var length: Double
    var startsSegment: Bool

    var start: Double { words.first?.start ?? 0 }
    var end: Double { words.last?.end ?? 0 }
    var followsBlank: Bool { words.first?.followsBlank ?? true }
    var text: String { Caption.text(of: words) }

    /// The atoms of some words, none longer than `maximum`.
    static func all(
        of words: [Caption.Word], segmentStarts: Set<Int>, maximum: Double, rules: FilledCaptionRules
    ) -> [CaptionAtom] {
        var atoms: [CaptionAtom] = []
        for (index, word) in words.enumerated() {
            let longest = max(maximum, rules.wordLength ?? 0)
            for (part, piece) in SpeechWords.cut(word, to: longest, rules: rules).enumerated() {
                let length = rules.length(piece.text)
                if part == 0, !piece.followsBlank, let last = atoms.indices.last,
                    atoms[last].length + length <= maximum,
                    isGlued(atoms[last].words.last?.text.last, piece.text.first)
                {
                    atoms[last].words.append(piece)
                    atoms[last].length += length
                } else {
                    let startsSegment = part == 0 && segmentStarts.contains(index)
                    atoms.append(CaptionAtom(words: [piece], length: length, startsSegment: startsSegment))
                }
            }
        }
        return atoms
    }

    private static func isGlued(_ last: Character?, _ first: Character?) -> Bool {
        guard let last, let first else { return false }
        if CaptionLanguage.isUnspaced(last), CaptionLanguage.isUnspaced(first) { return false }
        return !TextLayoutBreaks.isAllowed(between: last, and: first)
    }
}
