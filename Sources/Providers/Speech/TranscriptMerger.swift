public import MediaKit

/// Puts together what was recognised in chunks that overlap, so that no word is doubled or lost.
///
/// In an overlap both neighbours have heard the same words, the one to its ragged end, the other from its ragged
/// beginning. The words are aligned by their letters and times; the seam is the common word nearest the middle of the
/// overlap. Without a common word the seam is the middle.
public enum TranscriptMerger {
    /// What was recognised in one chunk.
    public struct Piece: Sendable {
        /// Seconds of the source that were listened to.
        public var covers: Range<Double>
        /// In order, with times of the source.
        public var segments: [Transcript.Segment]

        public init(covers: Range<Double>, segments: [Transcript.Segment]) {
            self.covers = covers
            self.segments = segments
        }
    }

    /// Merges the pieces of one channel.
    ///
    /// - Parameter pieces: in the order of their starts.
    public static func merge(_ pieces: [Piece]) -> [Transcript.Segment] {
        var merged: [MergeSegment] = []
        var end = -Double.infinity
        for piece in pieces {
            var next = piece.segments.map { MergeSegment($0) }
            if piece.covers.lowerBound < end, !merged.isEmpty, !next.isEmpty {
                join(&merged, &next, overlap: piece.covers.lowerBound..<end)
            }
            merged += next
            end = max(end, piece.covers.upperBound)
        }
        return merged.compactMap(\.rebuilt)
    }

    /// Merges channels by time.
    public static func interleaved(_ channels: [[Transcript.Segment]]) -> [Transcript.Segment] {
        // Sorting is not stable by its contract: the numbers keep what begins together in the channels' order.
        channels.flatMap(\.self).enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }
            .map(\.element)
    }

    // MARK: One seam

    private struct Place {
        var segment: Int
        var token: Int
    }

    private static func join(_ left: inout [MergeSegment], _ right: inout [MergeSegment], overlap: Range<Double>) {
        // Times of words are not exact, those of estimated ones even less.
        let isTimed = left.suffix(3).allSatisfy(\.isTimed) && right.prefix(3).allSatisfy(\.isTimed)
        let slack = isTimed ? 0.5 : 3.0
        let zone = overlap.lowerBound - slack..<overlap.upperBound + slack
        let tail = places(in: left, zone)
        let head = places(in: right, zone)
        guard !tail.isEmpty, !head.isEmpty else { return }
        let middle = (overlap.lowerBound + overlap.upperBound) / 2
        let lefts = tail.map { left[$0.segment].tokens[$0.token] }
        let rights = head.map { right[$0.segment].tokens[$0.token] }
        let pairs = TokenAlignment.pairs(lefts, rights, tolerance: isTimed ? 1 : 4)
        adoptSpeakers(pairs.map { (left[tail[$0.0].segment].speaker, right[head[$0.1].segment].speaker) }, left, &right)
        if let seam = pairs.min(by: {
            abs(lefts[$0.0].middle - middle) < abs(lefts[$1.0].middle - middle)
        }) {
            cut(&left, after: tail[seam.0])
            cut(&right, upTo: head[seam.1])
        } else {
            // They have nothing in common: what only one of them heard is kept, and the rest parted by time.
            let inside = { (token: MergeToken) in overlap.contains(token.middle) }
            guard lefts.contains(where: inside), rights.contains(where: inside) else { return }
            if let first = zip(tail, lefts).first(where: { $0.1.middle >= middle }) { cut(&left, from: first.0) }
            if let last = zip(head, rights).reversed().first(where: { $0.1.middle < middle }) {
                cut(&right, upTo: last.0)
            }
        }
        left.removeAll(where: \.tokens.isEmpty)
        right.removeAll(where: \.tokens.isEmpty)
        sew(&left, &right)
    }

    /// A sentence that was cut in two becomes one segment again.
    private static func sew(_ left: inout [MergeSegment], _ right: inout [MergeSegment]) {
        guard let first = right.first, let last = left.last, first.isCutAtStart, first.speaker == last.speaker,
            !last.endsSentence, first.start - last.end < 1.5, first.end - last.start < 30
        else { return }
        var whole = last
        whole.append(first)
        left[left.count - 1] = whole
        right.removeFirst()
    }

    private static func places(in segments: [MergeSegment], _ zone: Range<Double>) -> [Place] {
        segments.indices.flatMap { segment in
            segments[segment].tokens.indices.compactMap {
                zone.contains(segments[segment].tokens[$0].middle) ? Place(segment: segment, token: $0) : nil
            }
        }
    }

    private static func cut(_ segments: inout [MergeSegment], after place: Place) {
        segments[place.segment].keep(0..<place.token + 1)
        segments.removeSubrange(place.segment + 1..<segments.count)
    }

    private static func cut(_ segments: inout [MergeSegment], from place: Place) {
        segments[place.segment].keep(0..<place.token)
        segments.removeSubrange(place.segment + 1..<segments.count)
    }

    private static func cut(_ segments: inout [MergeSegment], upTo place: Place) {
        segments[place.segment].keep(place.token + 1..<segments[place.segment].tokens.count)
        segments.removeSubrange(0..<place.segment)
    }

    /// A service that tells speakers apart names them anew in each chunk: who says the same words is the same.
    private static func adoptSpeakers(
        _ pairs: [(String?, String?)], _ left: [MergeSegment], _ right: inout [MergeSegment]
    ) {
        guard right.contains(where: { $0.speaker != nil }) else { return }
        var votes: [String: [String: Int]] = [:]
        for case (let old?, let new?) in pairs { votes[new, default: [:]][old, default: 0] += 1 }
        var names: [String: String] = [:]
        for (new, olds) in votes.sorted(by: { $0.key < $1.key }) {
            let best = olds.filter { !names.values.contains($0.key) }.max { ($0.value, $1.key) < ($1.value, $0.key) }
            if let best { names[new] = best.key }
        }
        let taken = Set(left.compactMap(\.speaker))
        for index in right.indices {
            guard let speaker = right[index].speaker else { continue }
            if names[speaker] == nil {
                // Nobody says that it is the same one as before.
                let isTaken = taken.contains(speaker) && votes[speaker] == nil && !votes.isEmpty
                names[speaker] = isTaken ? freeName(taken.union(names.values)) : speaker
            }
            right[index].speaker = names[speaker]
        }
    }

    /// "A", "B", …
    private static func freeName(_ taken: Set<String>) -> String {
        for code in UInt8(ascii: "A")...UInt8(ascii: "Z") {
            let name = String(UnicodeScalar(code))
            if !taken.contains(name) { return name }
        }
        return "Speaker \(taken.count + 1)"
    }
}
