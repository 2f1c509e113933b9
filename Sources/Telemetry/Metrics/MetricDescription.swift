/// What is known of a metric beforehand: the words that go with it, and the buckets of a histogram.
public struct MetricDescription: Sendable, Hashable {
    /// As it is in the text: `kiln_claim_seconds`.
    public var name: String
    /// One sentence for the `# HELP` line.
    public var help: String
    /// `nil` (default): by the unit at the end of the name. `_seconds` gets ``HistogramBuckets/durations``, `_bytes`
    /// ``HistogramBuckets/sizes``, `_ratio` ``HistogramBuckets/ratios``, others ``HistogramBuckets/numbers``.
    public var buckets: HistogramBuckets?

    /// The name is made valid as the registry does it.
    public init(_ name: String, _ help: String, buckets: HistogramBuckets? = nil) {
        self.name = MetricName.metric(name)
        self.help = help
        self.buckets = buckets
    }
}
