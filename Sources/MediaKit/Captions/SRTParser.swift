/// Reads SubRip (`.srt`).
///
/// A cue is a line of times and what stands below it up to the number above the next line of times; so blank lines
/// inside a text, missing numbers and missing blank lines do no harm.
struct SRTParser {
    let lines: SubtitleLines
    let limits: SubtitleLimits
    let name: String

    func parse(_ warnings: inout SubtitleWarnings) throws(MediaError) -> [Cue] {
        let timeLines = (0..<lines.count).filter { SRTTimes.looksLikeTimes(lines[$0]) }
        warnAboutStart(before: timeLines.first ?? lines.count, &warnings)
        var cues: [Cue] = []
        for (position, timeLine) in timeLines.enumerated() {
            let isLast = position + 1 == timeLines.count
            let next = isLast ? lines.count : timeLines[position + 1]
            guard let times = times(at: timeLine, &warnings) else { continue }
            let text = textLines(from: timeLine + 1, to: next, atEnd: isLast)
            guard let cue = try cue(times, text, timeLine: timeLine) else {
                warnings.add(timeLine + 1, "the cue has no text: skipped")
                continue
            }
            cues.append(cue)
            if cues.count > limits.cues { throw limits.exceeded("more than \(limits.cues) cues", name: name) }
        }
        return cues
    }

    private func times(at line: Int, _ warnings: inout SubtitleWarnings) -> SRTTimes? {
        do {
            return try SRTTimes(lines[line])
        } catch {
            switch error {
            case .endsBeforeStart:
                warnings.add(line + 1, "the cue does not end after it starts: skipped")
            case .unreadable:
                let shown = lines[line].trimmed.prefix(60).string
                warnings.add(
                    line + 1, "“\(shown)” is not a line of times (00:00:01,000 --> 00:00:02,000): cue skipped")
            }
            return nil
        }
    }

    private func warnAboutStart(before first: Int, _ warnings: inout SubtitleWarnings) {
        let stray = (0..<first).first { !lines[$0].isBlank && !lines[$0].trimmed.isDigits }
        if let stray { warnings.add(stray + 1, "text before the first cue: skipped") }
    }

    /// The lines of text of a cue, without the number of the next one and without blank lines around.
    private func textLines(from start: Int, to next: Int, atEnd: Bool) -> Range<Int> {
        var end = trimmedEnd(start, next)
        let isNumber = end > start && lines[end - 1].trimmed.isDigits
        let touchesNext = end == next && !atEnd
        let standsAlone = end - 2 >= start && lines[end - 2].isBlank
        if isNumber, touchesNext || standsAlone { end = trimmedEnd(start, end - 1) }
        var begin = start
        while begin < end, lines[begin].isBlank { begin += 1 }
        return begin..<end
    }

    private func trimmedEnd(_ start: Int, _ end: Int) -> Int {
        var end = end
        while end > start, lines[end - 1].isBlank { end -= 1 }
        return end
    }

    private func cue(_ times: SRTTimes, _ text: Range<Int>, timeLine: Int) throws(MediaError) -> Cue? {
        let joined = try lines.cueText(text, timeLine: timeLine, limits: limits, name: name)
        let builder = SRTText().parse(joined[...])
        let spans = builder.finished()
        guard !spans.isEmpty else { return nil }
        return Cue(
            start: times.start, end: times.end, spans: spans, placement: builder.placement, line: timeLine + 1)
    }
}
