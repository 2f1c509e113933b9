/// Gives captions the times at which they are shown, from those at which they are spoken.
struct CaptionTiming {
    struct Draft {
        var caption: Caption
        var lane: Int
    }

    let rules: FilledCaptionRules
    /// Seconds of the source; 0 if they are not known.
    let duration: Double

    /// A caption that is overtaken by the next is shown for this long at least, if need be without a gap.
    private static let shortest = 0.1

    /// In order of start.
    func timed(_ drafts: [Draft]) -> [Caption] {
        let ordered = drafts.enumerated().sorted {
            ($0.element.caption.start, $0.offset) < ($1.element.caption.start, $1.offset)
        }.map(\.element)
        // The start of the next caption of the same lane.
        var nextInLane: [Int: Double] = [:]
        var followers = [Double?](repeating: nil, count: ordered.count)
        for index in ordered.indices.reversed() {
            followers[index] = nextInLane[ordered[index].lane]
            nextInLane[ordered[index].lane] = ordered[index].caption.start
        }
        return ordered.indices.map { index in
            var caption = ordered[index].caption
            let spoken = caption.end
            let later = first(after: index, startingAt: spoken, ordered).map { ordered[$0].caption.start }
            caption.end = end(of: caption, follower: followers[index], later: later)
            clampWords(&caption)
            return caption
        }
    }

    /// By halves, as they are in order.
    private func first(after index: Int, startingAt time: Double, _ drafts: [Draft]) -> Int? {
        var (low, high) = (index + 1, drafts.count)
        while low < high {
            let middle = (low + high) / 2
            if drafts[middle].caption.start >= time { high = middle } else { low = middle + 1 }
        }
        return low < drafts.count ? low : nil
    }

    private func end(of caption: Caption, follower: Double?, later: Double?) -> Double {
        let start = caption.start
        let length = caption.lineTexts.reduce(0) { $0 + rules.length($1) }
        var end = max(caption.end, start + rules.minimumDuration, start + length / rules.readingSpeed)
        let longest = start + rules.maximumDuration
        end = min(end, longest)
        if duration > 0 { end = min(end, max(duration, caption.end)) }
        if let next = [follower, later].compactMap({ $0 }).min() {
            let limit = next - rules.minimumGap
            if end > limit || next - end < rules.closedGap { end = min(limit, longest) }
            // Another speaker's caption gives no reason to cut off words that are still spoken.
            if follower == nil || next < (follower ?? next) { end = max(end, min(caption.end, longest)) }
            if let follower, end > follower - rules.minimumGap { end = follower - rules.minimumGap }
            // Words so short that there is no room for the gap.
            if end < start + Self.shortest { end = min(start + Self.shortest, max(next, start + 0.001)) }
        }
        return max(end, start + 0.001)
    }

    private func clampWords(_ caption: inout Caption) {
        for line in caption.lines.indices {
            for word in caption.lines[line].indices {
                let own = caption.lines[line][word]
                let start = min(max(own.start, caption.start), caption.end)
                caption.lines[line][word].start = start
                caption.lines[line][word].end = min(max(own.end, start), caption.end)
            }
        }
    }
}
