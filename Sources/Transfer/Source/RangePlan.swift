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
        let longest = max(64 << 10, longest)
        var requests: [Range<Int64>] = []
        func append(_ range: Range<Int64>) {
            var start = range.lowerBound
            while start < range.upperBound {
                let end = range.upperBound - start > longest ? start + longest : range.upperBound
                requests.append(start..<end)
                start = end
            }
        }
        var open: Range<Int64>?
        for range in ranges.lazy.map({ $0.clamped(to: 0..<Int64.max) }).filter({ !$0.isEmpty })
            .sorted(by: { $0.lowerBound < $1.lowerBound })
        {
            if let last = open, range.lowerBound <= last.upperBound || range.lowerBound - last.upperBound <= gap {
                open = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                if let open { append(open) }
                open = range
            }
        }
        if let open { append(open) }
        self.requests = requests
    }

    /// Bytes that are fetched, those between the needed ones included.
    public var byteCount: Int64 { requests.reduce(0) { $0 + Int64($1.count) } }

    /// The first request that ends behind `offset`; `requests.endIndex` if none does.
    func index(endingAfter offset: Int64) -> Int { requests.partitionPoint(where: { $0.upperBound > offset }) }
}
