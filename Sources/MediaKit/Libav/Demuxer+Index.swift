import ByteIO
import CAVShim

extension Demuxer {
    /// Tells the source which bytes will be read, where the container's index says so and the source wants to know.
    ///
    /// That pays where most of a file is left out, as the pictures are when sound is extracted: only then is there an
    /// index that was read without the rest.
    ///
    /// - Parameters:
    ///   - streams: indices of those that are read.
    ///   - start: microseconds of the input's own timestamps; `nil` for the beginning.
    ///   - end: likewise, behind which nothing is read; `nil` for the end.
    func announceReads(of streams: Set<Int>, from start: Int64?, to end: Int64?) {
        guard let source = bridge.source as? any PlannableByteSource else { return }
        guard bridge.readsExactly, let ranges = indexedRanges(of: streams, from: start, to: end) else {
            return source.expect(.forward)
        }
        source.expect(.ranges(ranges))
    }

    /// Where the packets of some streams lie, neighbours joined.
    ///
    /// - Returns: `nil` if the index does not reach to the end of each of these streams, as in a fragmented file.
    private func indexedRanges(of used: Set<Int>, from start: Int64?, to end: Int64?) -> [Range<Int64>]? {
        var ranges: [Range<Int64>] = []
        for stream in streams where used.contains(stream.index) {
            let count = avformat_index_get_entries_count(stream.raw)
            guard count > 0, let first = avformat_index_get_entry(stream.raw, 0),
                let last = avformat_index_get_entry(stream.raw, count - 1)
            else { return nil }
            // A packet may be decoded well before it is shown, and a seek goes back to one that stands alone.
            let margin = Rational.microseconds.rescale(2_000_000, to: stream.timeBase)
            let indexed = last.pointee.timestamp &- first.pointee.timestamp
            guard let duration = stream.duration, indexed >= duration - margin else { return nil }
            let from = start.map { Rational.microseconds.rescale($0, to: stream.timeBase) &- margin } ?? .min
            let to = end.map { Rational.microseconds.rescale($0, to: stream.timeBase) &+ margin } ?? .max
            for number in 0..<count {
                guard let entry = avformat_index_get_entry(stream.raw, number)?.pointee,
                    (from...max(from, to)).contains(entry.timestamp), entry.pos >= 0, entry.size > 0
                else { continue }
                let range = entry.pos..<entry.pos &+ Int64(entry.size)
                if let before = ranges.last, before.upperBound == range.lowerBound {
                    ranges[ranges.count - 1] = before.lowerBound..<range.upperBound
                } else {
                    ranges.append(range)
                }
            }
        }
        return ranges
    }
}
