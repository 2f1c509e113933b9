/// One event that a decoder of a text track gave.
public struct SubtitleTrackEvent: Sendable, Equatable {
    /// Milliseconds.
    public var start: Int64
    /// Milliseconds; not after `start` where the track does not say.
    public var end: Int64
    /// `ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text`, as libav's decoders write it.
    public var dialogue: String

    /// Times are milliseconds.
    public init(start: Int64, end: Int64, dialogue: String) {
        self.start = start
        self.end = end
        self.dialogue = dialogue
    }
}

extension SubtitleDocument {
    /// From an embedded track, decoded to ASS as libav does for every text format.
    ///
    /// - Parameters:
    ///   - header: the decoder's `subtitle_header`.
    ///   - keepsStyles: `true` for ASS and SSA tracks, whose styles are the author's; `false` for tracks of plain
    ///     formats (SubRip, WebVTT, mov_text …), whose lines become cues as a file's do.
    /// - Throws: `badInput` where no event is usable, `resourceLimit` beyond `limits`.
    public static func fromASSEvents(
        header: String, events: [SubtitleTrackEvent], keepsStyles: Bool, name: String,
        limits: SubtitleLimits = SubtitleLimits()
    ) throws(MediaError) -> SubtitleDocument {
        guard events.count <= limits.cues else {
            throw limits.exceeded("more than \(limits.cues) cues", name: name)
        }
        var warnings = SubtitleWarnings()
        var parsed: [ASSEvent] = []
        let ordered = withEnds(events, &warnings)
        for event in ordered {
            guard event.dialogue.utf8.count <= limits.cueBytes || keepsStyles else {
                throw limits.exceeded("a cue of more than \(limits.cueBytes) bytes", name: name)
            }
            guard
                let one = ASSEvent(
                    chunk: event.dialogue, start: event.start, end: event.end, readOrder: parsed.count)
            else {
                warnings.add(nil, "the event at \(ASSEvent.time(event.start)) has too few fields: skipped")
                continue
            }
            parsed.append(one)
        }
        let content: Content
        if keepsStyles {
            content = .ass(ASSScript(header: completed(header), events: parsed))
        } else {
            content = .cues(cues(from: parsed, playRes: ASSScript(header: header).playRes))
        }
        switch content {
        case .cues(let cues) where cues.isEmpty: throw MediaError(.badInput, "the track has no usable cue", input: name)
        case .ass where parsed.isEmpty: throw MediaError(.badInput, "the track has no usable cue", input: name)
        default: break
        }
        return SubtitleDocument(content: content, warnings: warnings.finished(), encoding: nil, format: nil)
    }

    /// In order of start; an event without an end lasts until the next, but no longer than 5 seconds.
    private static func withEnds(
        _ events: [SubtitleTrackEvent], _ warnings: inout SubtitleWarnings
    ) -> [SubtitleTrackEvent] {
        var ordered = events.enumerated().sorted {
            ($0.element.start, $0.offset) < ($1.element.start, $1.offset)
        }.map(\.element)
        var nextStart = Int64.max
        for index in ordered.indices.reversed() {
            let start = ordered[index].start
            if ordered[index].end <= start {
                ordered[index].end = min(nextStart > start ? nextStart : .max, start.addingReportingOverflow(5000).0)
                warnings.add(nil, "the event at \(ASSEvent.time(start)) has no end: shown until the next")
            }
            if start < nextStart { nextStart = start }
        }
        return ordered
    }

    /// The header with the parts that a script cannot do without.
    private static func completed(_ header: String) -> String {
        let sections = ASSSections(header)
        var text = header
        if let last = text.utf8.last, last != 0x0A { text += "\n" }
        if !sections.lines.contains(where: { if case .styles = $0.section { true } else { false } }) {
            text +=
                "[V4+ Styles]\n\(ASSScript.styleFormat)\n"
                + "Style: Default,sans-serif,18,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,1,0,"
                + "2,10,10,10,1\n"
        }
        let eventsAt = sections.lines.firstIndex { $0.section == .events }
        let hasFormat = sections.lines.contains { $0.section == .events && $0.value(of: "format") != nil }
        if eventsAt == nil || !hasFormat { text += "[Events]\n\(ASSScript.eventFormat)\n" }
        return text
    }

    private static func cues(from events: [ASSEvent], playRes: (width: Double, height: Double)) -> [Cue] {
        let reader = SRTText(hasASSEscapes: true, hasHTML: false, overrides: ASSOverrideTags(playRes: playRes))
        return events.compactMap { event in
            let builder = reader.parse(Array(event.text.utf8)[...])
            let spans = builder.finished()
            guard !spans.isEmpty, event.end > event.start else { return nil }
            return Cue(start: event.start, end: event.end, spans: spans, placement: builder.placement)
        }
    }
}
