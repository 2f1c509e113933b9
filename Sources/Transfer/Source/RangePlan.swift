/// Which requests fetch the bytes that are needed, and hardly any others.
///
/// An index says where the sound of a video lies: in thousands of small pieces among the pictures. Pieces that are
/// close together are fetched by one request, as the bytes between them cost less than another one.
///
/// ```swift
/// source.follow(RangePlan(samples.map { $0.offset..<$0.offset + $0.size }))
/// ```
public struct RangePlan: Sendable, Hashable {
    /// Bytes from the start: not empty, in order, apart from each other or, where a long one was cut, adjacent.
    public let requests: [Range<Int64>]

    /// - Parameters:
    ///   - ranges: what is needed, in any order; they may overlap.
    ///   - gap: bytes between two of them up to which they become one request. Default 32 KiB. What a request costs in
    ///     bytes is its delay times the speed of the line, divided by the requests that are under way together.
    ///   - longest: bytes of a request, at least 64 KiB. Default 4 MiB.
    public init(_ ranges: some Sequence<Range<Int64>>, gap: Int64 = 32 << 10, longest: Int64 = 4 << 20) {
        self.init(pieces: Self.joined(ranges, over: gap), longest: longest)
    }

    /// A plan whose requests fetch so many bytes at most: the widest gaps are left out, until they do.
    ///
    /// - Parameters:
    ///   - ranges: what is needed; fetched also where it alone is more than `bytes`, with an eighth of it besides.
    ///   - bytes: how many are fetched.
    ///   - gap: bytes, as above; also those of narrower gaps are left out where that is needed.
    public init(
        _ ranges: some Sequence<Range<Int64>>, fetchingAtMost bytes: Int64, gap: Int64 = 32 << 10,
        longest: Int64 = 4 << 20
    ) {
        let pieces = Self.joined(ranges, over: 0)
        let needed = pieces.reduce(0) { $0 + Int64($1.count) }
        let spare = max(bytes - needed, needed / 8)
        var (read, widest): (Int64, Int64) = (0, 0)
        for width in zip(pieces, pieces.dropFirst()).map({ $1.lowerBound - $0.upperBound }).sorted() {
            read += width
            guard width <= gap, read <= spare else {
                // Of gaps that are as wide, none or all are read through.
                if width == widest { widest -= 1 }
                break
            }
            widest = width
        }
        self.init(pieces: Self.joined(pieces, over: widest), longest: longest)
    }

    private init(pieces: [Range<Int64>], longest: Int64) {
        let longest = max(64 << 10, longest)
        var requests: [Range<Int64>] = []
        for piece in pieces {
            var start = piece.lowerBound
            while start < piece.upperBound {
                let end = piece.upperBound - start > longest ? start + longest : piece.upperBound
                requests.append(start..<end)
                start = end
            }
        }
        self.requests = requests
    }

    /// In order, neighbours that are no further apart than `gap` joined.
    private static func joined(_ ranges: some Sequence<Range<Int64>>, over gap: Int64) -> [Range<Int64>] {
        var joined: [Range<Int64>] = []
        for range in ranges.lazy.map({ $0.clamped(to: 0..<Int64.max) }).filter({ !$0.isEmpty })
            .sorted(by: { $0.lowerBound < $1.lowerBound })
        {
            if let last = joined.last, range.lowerBound <= last.upperBound || range.lowerBound - last.upperBound <= gap
            {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        return joined
    }

    /// Bytes that are fetched, those between the needed ones included.
    public var byteCount: Int64 { requests.reduce(0) { $0 + Int64($1.count) } }

    /// The first request that ends behind `offset`; `requests.endIndex` if none does.
    func index(endingAfter offset: Int64) -> Int { requests.partitionPoint(where: { $0.upperBound > offset }) }
}
