/// The upper bounds of a histogram's buckets. A value counts in the first bucket whose bound it does not exceed; beyond
/// the last, in `+Inf`, which is always there.
public struct HistogramBuckets: Sendable, Hashable {
    /// Rising, finite.
    public let bounds: [Double]

    /// Sorts the bounds; takes each once and leaves out what is not finite.
    public init(_ bounds: [Double]) {
        self.bounds = Set(bounds.filter(\.isFinite)).sorted()
    }

    /// For work and waits: 1 ms to 4 h, in seconds.
    public static let durations = HistogramBuckets([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200,
        14_400,
    ])
    /// For round trips: 0.5 ms to 10 s, in seconds.
    public static let latencies = HistogramBuckets([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ])
    /// For sizes: 1 KiB to 64 GiB by fours, in bytes.
    public static let sizes = HistogramBuckets((0...13).map { Double(1 << (10 + 2 * $0)) })
    /// For parts of a whole: 0 to 1.
    public static let ratios = HistogramBuckets([0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1])
    /// For counts, factors and what has no unit that a name tells: 0.1 to 10,000.
    public static let numbers = HistogramBuckets([
        0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
    ])

    /// What suits a name: by its unit, which stands at its end.
    static func suiting(_ name: String) -> HistogramBuckets {
        if name.hasSuffix("_seconds") { return .durations }
        if name.hasSuffix("_bytes") { return .sizes }
        if name.hasSuffix("_ratio") { return .ratios }
        return .numbers
    }

    /// The bucket of a value: 0 to `bounds.count`, which is `+Inf`.
    func index(of value: Double) -> Int {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
