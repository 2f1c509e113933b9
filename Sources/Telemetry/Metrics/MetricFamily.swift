/// What a metric is, which decides how it is written and read.
public enum MetricKind: String, Sendable, Hashable {
    /// Only grows. Its name ends in `_total`.
    case counter
    /// Goes up and down.
    case gauge
    /// Counts values by size.
    case histogram
}

/// All series of one name.
struct MetricFamily {
    let kind: MetricKind
    /// Of a histogram.
    let buckets: HistogramBuckets
    private(set) var series: [MetricLabels: MetricSeries] = [:]

    init(_ kind: MetricKind, buckets: HistogramBuckets) {
        self.kind = kind
        self.buckets = buckets
    }

    /// The series of these labels, which is made if it is new; beyond `limit` series, one that all further ones share.
    mutating func series(_ labels: MetricLabels, limit: Int) -> (series: MetricSeries, isOverflow: Bool) {
        if let found = series[labels] { return (found, false) }
        if series.count < limit { return (make(labels), false) }
        return (series[.overflow] ?? make(.overflow), true)
    }

    private mutating func make(_ labels: MetricLabels) -> MetricSeries {
        let made: MetricSeries =
            switch kind {
            case .counter: .counter(CounterSeries())
            case .gauge: .gauge(GaugeSeries())
            case .histogram: .histogram(HistogramSeries(buckets))
            }
        series[labels] = made
        return made
    }

    mutating func remove(_ handler: AnyObject) -> Bool {
        guard let found = series.first(where: { $0.value.isSame(as: handler) }) else { return false }
        series[found.key] = nil
        return true
    }
}
