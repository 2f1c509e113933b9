/// Reads WebVTT (`.vtt`), block by block.
///
/// See <https://www.w3.org/TR/webvtt1/#file-parsing>.
struct WebVTTParser {
    let lines: SubtitleLines
    let limits: SubtitleLimits
    let name: String

    /// Whether a text begins as WebVTT must.
    static func hasHeader(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.starts(with: "WEBVTT".utf8) else { return false }
        let after = text.dropFirst(6).first ?? 0x0A
        return after == 0x20 || after == 0x09 || after == 0x0A || after == 0x0D
    }

    func parse(_ warnings: inout SubtitleWarnings) throws(MediaError) -> [Cue] {
        guard WebVTTParser.hasHeader(lines[0]) else {
            throw MediaError(
                .badInput, "the first line is not WEBVTT, as WebVTT requires",
                hint: "add it, or name the format that it is in", input: name)
        }
        var cues: [Cue] = []
        var index = 1
        // What else stands in the header's block belongs to the header.
        while index < lines.count, !lines[index].isEmpty, lines[index].find("-->") == nil { index += 1 }
        while index < lines.count {
            if lines[index].isEmpty {
                index += 1
                continue
            }
            let block = block(from: index)
            index = block.upperBound
            guard let cue = try cue(in: block, &warnings) else { continue }
            cues.append(cue)
            if cues.count > limits.cues { throw limits.exceeded("more than \(limits.cues) cues", name: name) }
        }
        return cues
    }

    /// The lines up to a blank one, or to the times of the next cue where the blank line is missing.
    private func block(from start: Int) -> Range<Int> {
        var end = start
        var hasTimes = false
        while end < lines.count, !lines[end].isEmpty {
            if lines[end].find("-->") != nil {
                if hasTimes || end > start + 1 { break }
                hasTimes = true
            }
            end += 1
        }
        return start..<max(end, start + 1)
    }

    private func cue(in block: Range<Int>, _ warnings: inout SubtitleWarnings) throws(MediaError) -> Cue? {
        guard let timeLine = block.prefix(2).first(where: { lines[$0].find("-->") != nil }) else {
            warnAboutOther(block, &warnings)
            return nil
        }
        guard let times = WebVTTTimes(lines[timeLine]) else {
            let shown = lines[timeLine].trimmed.prefix(60).string
            warnings.add(timeLine + 1, "“\(shown)” is not a line of times (00:01.000 --> 00:02.000): cue skipped")
            return nil
        }
        guard times.end > times.start else {
            warnings.add(timeLine + 1, "the cue does not end after it starts: skipped")
            return nil
        }
        var problems: [String] = []
        let settings = WebVTTSettings(parsing: times.settings, problems: &problems)
        for problem in problems { warnings.add(timeLine + 1, problem) }
        if settings.vertical != nil { warnings.add(timeLine + 1, "vertical text is drawn in horizontal lines") }
        let spans = try text(timeLine + 1..<block.upperBound, timeLine)
        guard !spans.isEmpty else {
            warnings.add(timeLine + 1, "the cue has no text: skipped")
            return nil
        }
        let placement = settings == WebVTTSettings() ? nil : CuePlacement.webVTT(settings)
        return Cue(start: times.start, end: times.end, spans: spans, placement: placement, line: timeLine + 1)
    }

    private func text(_ range: Range<Int>, _ timeLine: Int) throws(MediaError) -> [CueSpan] {
        let joined = try lines.cueText(range, timeLine: timeLine, limits: limits, name: name)
        return WebVTTText.parse(joined[...]).finished()
    }

    private func warnAboutOther(_ block: Range<Int>, _ warnings: inout SubtitleWarnings) {
        let first = lines[block.lowerBound].trimmed
        if first.starts(with: "NOTE".utf8) { return }
        if first.elementsEqual("STYLE".utf8) {
            warnings.add(block.lowerBound + 1, "style sheets are not applied: block skipped")
        } else if first.elementsEqual("REGION".utf8) {
            warnings.add(block.lowerBound + 1, "regions are not drawn: block skipped")
        } else {
            warnings.add(block.lowerBound + 1, "a block without times: skipped")
        }
    }
}
