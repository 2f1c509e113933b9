/// Cuts speech into captions.
///
/// Where to cut is chosen for the transcript's whole stretches at once, by the least sum of costs (as TeX breaks
/// paragraphs): ends of sentences and clauses are good places, and so are pauses; the middle of a phrase, a lone word
/// and text too long for its time are bad.
public enum CaptionSegmenter {
    /// The captions in order of their starts. Those of different channels, or of speakers at once, may overlap; others
    /// do not.
    ///
    /// - Parameter rules: what they say nothing about is as usual in the transcript's language, or in the one that its
    ///   script gives away.
    /// - Throws: `badRequest` where rules are out of range.
    public static func captions(
        of transcript: Transcript, rules: CaptionRules = CaptionRules()
    ) throws(MediaError) -> [Caption] {
        try rules.validate()
        return captions(of: transcript, filled: rules.filled(for: transcript.spokenLanguage))
    }

    static func captions(of transcript: Transcript, filled rules: FilledCaptionRules) -> [Caption] {
        let runs = SpeechRun.all(of: transcript)
        var previous: String?
        let isDialogue = Set(runs.map { "\($0.speaker ?? "")\u{0}\($0.channel.map(String.init) ?? "")" }).count > 1
        var drafts: [CaptionTiming.Draft] = []
        let ordered = runs.sorted { ($0.words.first?.start ?? 0) < ($1.words.first?.start ?? 0) }
        for run in ordered {
            let name = run.speaker ?? run.channel.map { "Channel \($0 + 1)" }
            let label = isDialogue && name != previous ? label(name, rules) : ""
            previous = name
            drafts += RunCutter(rules: rules).cut(run, label: label)
        }
        return CaptionTiming(rules: rules, duration: transcript.duration).timed(drafts)
    }

    private static func label(_ name: String?, _ rules: FilledCaptionRules) -> String {
        switch rules.speakerMarks {
        case .none: return ""
        case .dashes: return "- "
        case .labels:
            guard let name, !name.isEmpty else { return "" }
            // A name leaves half of the line to what is said.
            var short = ""
            for character in name where !character.isNewline {
                guard rules.length(short + String(character)) + 2 * rules.blank <= rules.lineLength / 2 else { break }
                short.append(character)
            }
            return short.isEmpty ? "" : short + ": "
        }
    }
}

extension Transcript {
    /// Its language as a BCP 47 tag, such as "en" for a recogniser's "english"; `nil` where it is none.
    public var languageTag: String? {
        guard let language else { return nil }
        let tag = CaptionLanguage.names[language.lowercased()] ?? language.replacing("_", with: "-")
        return TextTrack.isTag(tag) ? tag : nil
    }

    /// Its language, or the one that its script gives away.
    var spokenLanguage: String? {
        language ?? CaptionLanguage.guess(segments.lazy.flatMap(\.text))
    }
}

/// Cuts one speaker's stretch of speech into captions.
private struct RunCutter {
    let rules: FilledCaptionRules
    let lines: CaptionLines

    init(rules: FilledCaptionRules) {
        self.rules = rules
        lines = CaptionLines(rules: rules, breaks: CaptionBreaks(language: rules.language))
    }

    func cut(_ run: SpeechRun, label: String) -> [CaptionTiming.Draft] {
        let reserved = rules.length(label)
        let atoms = CaptionAtom.all(
            of: run.words, segmentStarts: run.segmentStarts, maximum: rules.lineLength - reserved, rules: rules)
        var drafts: [CaptionTiming.Draft] = []
        var start = 0
        while start < atoms.count {
            var end = start + 1
            while end < atoms.count, atoms[end].start - atoms[end - 1].end < rules.pause { end += 1 }
            for range in ranges(atoms[start..<end], reserved: start == 0 ? reserved : 0) {
                let isFirst = range.lowerBound == 0
                let rows = lines.lines(of: atoms[range], reserved: isFirst ? reserved : 0) ?? [range]
                let caption = Caption(
                    start: atoms[range.lowerBound].start, end: atoms[range.upperBound - 1].end,
                    lines: rows.map { row in atoms[row].flatMap(\.words) }, speaker: run.speaker,
                    channel: run.channel, label: isFirst ? label : "")
                drafts.append(CaptionTiming.Draft(caption: caption, lane: run.lane))
            }
            start = end
        }
        return drafts
    }

    /// The best cuts of atoms without a pause among them.
    private func ranges(_ atoms: ArraySlice<CaptionAtom>, reserved: Double) -> [Range<Int>] {
        let base = atoms.startIndex
        let count = atoms.count
        var costs = [Double](repeating: .infinity, count: count + 1)
        var origins = [Int](repeating: 0, count: count + 1)
        // What it costs to end a caption after each atom.
        let ends = (0..<count).map { index in
            index + 1 == count ? 0 : endCost(atoms[base + index], atoms[base + index + 1])
        }
        costs[0] = 0
        for start in 0..<count where costs[start].isFinite {
            var filler = CaptionLines.Filler(rules: rules, reserved: start == 0 ? reserved : 0)
            var words = 0
            var length = 0.0
            var inner = 0.0
            for end in start..<count {
                let atom = atoms[base + end]
                words += atom.followsBlank || end == start ? 1 : 0
                length += atom.length + (end > start && atom.followsBlank ? rules.blank : 0)
                let isTooMuch = words > rules.words || atom.end - atoms[base + start].start > rules.maximumDuration
                if end > start {
                    guard filler.add(atom), !isTooMuch else { break }
                    inner += innerCost(atoms[base + end - 1], atom)
                } else {
                    filler.begin(with: atom)
                }
                let next = base + end + 1 < atoms.endIndex ? atoms[base + end + 1].start : nil
                var cost = costs[start] + 4 + inner + ends[end]
                cost += timeCost(length: length, from: atoms[base + start].start, to: atom.end, next: next)
                if end - start + 1 < count, CaptionLines.isOrphan(atoms[(base + start)...(base + end)], rules) {
                    cost += 30
                } else if end - start + 1 < count, length < rules.lineLength * 0.3 {
                    cost += 3
                }
                if cost < costs[end + 1] { (costs[end + 1], origins[end + 1]) = (cost, start) }
            }
        }
        var ranges: [Range<Int>] = []
        var end = count
        while end > 0 {
            ranges.append(base + origins[end]..<base + end)
            end = origins[end]
        }
        return ranges.reversed()
    }

    private func endCost(_ last: CaptionAtom, _ next: CaptionAtom) -> Double {
        let pause = min(max(next.start - last.end, 0) / rules.pause, 1)
        return max(lines.breaks.cost(after: last, before: next) * (1 - pause / 2) - pause * 3, 0)
            - (next.startsSegment ? 1 : 0)
    }

    /// What it costs to go on after an atom where one could have ended.
    private func innerCost(_ last: CaptionAtom, _ next: CaptionAtom) -> Double {
        let pause = min(max(next.start - last.end, 0) / rules.pause, 1)
        return pause * pause * 6 + (CaptionPunctuation.end(of: last.text) == .sentence ? 3 : 0)
    }

    private func timeCost(length: Double, from start: Double, to end: Double, next: Double?) -> Double {
        // Silence up to the next word can be used to read; after the last one, a little is taken for granted.
        let available = max((next.map { $0 - rules.minimumGap } ?? end + rules.minimumDuration / 2) - start, 0.01)
        var cost = 0.0
        let speed = length / available
        if speed > rules.readingSpeed { cost += min((speed / rules.readingSpeed - 1) * 12, 24) }
        if available < rules.minimumDuration { cost += (1 - available / rules.minimumDuration) * 10 }
        return cost
    }
}
