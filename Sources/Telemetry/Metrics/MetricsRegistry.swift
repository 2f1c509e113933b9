import Locking

/// All metrics of a process, as `swift-metrics` records them and Prometheus reads them.
///
/// ```swift
/// let registry = MetricsRegistry(descriptions: [
///     MetricDescription("kiln_claim_seconds", "Round trips that claimed jobs.", buckets: .latencies)
/// ])
/// registry.collectProcessMetrics()
/// registry.gauge("app_waiting", "Jobs that wait.") { try await queue.depth() }
/// MetricsSystem.bootstrap(registry)
///
/// let page = await registry.text()
/// ```
/// Counters count, gauges and meters show their last value, timers and recorders are histograms. Names and labels are
/// made valid, and a timer's name ends in `_seconds`. Recording takes no lock. A name has the kind that it was first
/// used with: what is recorded under it as another kind is lost, and counted in
/// `kiln_metrics_rejected_series_total`, as are series beyond the limit.
///
/// Thread-safe.
public final class MetricsRegistry: Sendable {
    struct State: Sendable {
        var families: [String: MetricFamily] = [:]
        /// Who writes samples of a name: a histogram writes three, and a counter may not be called like one of them.
        var owners: [String: String] = [:]
        var descriptions: [String: MetricDescription] = [:]
        var collectors: [MetricsCollector] = []
    }

    /// The `Content-Type` of the text.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    let state: Locked<State>
    private let seriesLimit: Int
    private let collectLimit: Duration
    private let rejected = CounterSeries()
    private let failures = CounterSeries()

    /// - Parameters:
    ///   - descriptions: the words and buckets of metrics that are recorded later.
    ///   - seriesLimit: how many sets of labels a name may have. What goes beyond is added up in one series that is
    ///     labelled `overflow="true"`, so that sums stay right and memory bounded. Default 1000.
    ///   - collectLimit: how long ``text()`` waits for values that have to be read. Default 2 s.
    public init(
        descriptions: [MetricDescription] = [], seriesLimit: Int = 1000, collectLimit: Duration = .seconds(2)
    ) {
        self.seriesLimit = max(1, seriesLimit)
        self.collectLimit = collectLimit
        var state = State()
        for description in descriptions { state.descriptions[description.name] = description }
        for name in [Self.rejectedName, Self.failuresName] { state.owners[name] = name }
        self.state = Locked(state)
    }

    private static let rejectedName = "kiln_metrics_rejected_series_total"
    private static let failuresName = "kiln_metrics_collect_failures_total"

    // MARK: Series

    /// The series to record in; `nil` where the name is another kind's.
    func series(_ kind: MetricKind, _ name: String, _ dimensions: [(String, String)]) -> MetricSeries? {
        let labels = MetricLabels(dimensions, reserved: kind == .histogram ? "le" : nil)
        let found = state.withLock { state -> (series: MetricSeries, isOverflow: Bool)? in
            guard state.claim(name, kind) else { return nil }
            if state.families[name] == nil {
                let buckets = state.descriptions[name]?.buckets ?? .suiting(name)
                state.families[name] = MetricFamily(kind, buckets: buckets)
            }
            return state.families[name]?.series(labels, limit: seriesLimit)
        }
        if found?.isOverflow != false { rejected.increment(by: 1 as Int64) }
        return found?.series
    }

    /// Forgets a series: it is not written any more. Who still holds it counts in vain.
    func remove(_ handler: AnyObject) {
        state.withLock { state in
            for name in state.families.keys where state.families[name]?.remove(handler) == true { return }
        }
    }

    // MARK: Values that are read

    /// Has `read` called for each ``text()``, for values that are known elsewhere: the depth of a queue, memory.
    ///
    /// It may take its time up to the registry's limit; values that come too late, or not, are left out of that text
    /// and counted in `kiln_metrics_collect_failures_total`. It is never called again while it runs.
    ///
    /// - Parameters:
    ///   - metrics: what it reads.
    ///   - read: returns readings of these metrics; others are left out.
    /// - Returns: false if one of the names is taken; then nothing is collected.
    @discardableResult
    public func collect(
        _ metrics: [CollectedMetric], _ read: @escaping @Sendable () async throws -> [MetricReading]
    ) -> Bool {
        state.withLock { state in
            guard metrics.allSatisfy({ state.owners[$0.name] == nil }) else { return false }
            for metric in metrics { state.owners[metric.name] = metric.name }
            state.collectors.append(MetricsCollector(metrics, read))
            return true
        }
    }

    /// A gauge that is read for each ``text()``; `nil` leaves it out.
    ///
    /// - Returns: false if the name is taken.
    @discardableResult
    public func gauge(
        _ name: String, _ help: String, dimensions: [(String, String)] = [],
        _ read: @escaping @Sendable () async throws -> Double?
    ) -> Bool {
        let reading = MetricReading(name, 0, dimensions: dimensions)
        return collect([CollectedMetric(name, .gauge, help)]) {
            try await read().map { [reading.with($0)] } ?? []
        }
    }

    // MARK: Text

    /// All metrics in Prometheus' text format, sorted by name and labels.
    public func text() async -> String {
        let collectors = state.withLock { $0.collectors }
        let collected = await collect(collectors)
        let (families, descriptions) = state.withLock { ($0.families, $0.descriptions) }
        var pages: [String: (inout PrometheusText) -> Void] = [:]
        for (name, family) in families {
            pages[name] = { Self.write(name, family, help: descriptions[name]?.help, to: &$0) }
        }
        for (metric, readings) in collected {
            pages[metric.name] = { Self.write(metric, readings, to: &$0) }
        }
        for (name, counter, help) in [
            (Self.rejectedName, rejected, "Series that were refused: their name has too many, or another kind."),
            (Self.failuresName, failures, "Readings that failed or came too late."),
        ] {
            pages[name] = { text in
                text.head(name, .counter, help: help)
                text.sample(name, MetricLabels([]), counter.value)
            }
        }
        var text = PrometheusText()
        for (_, page) in pages.sorted(by: { $0.key < $1.key }) { page(&text) }
        return text.text
    }

    /// Reads all collectors at once.
    private func collect(_ collectors: [MetricsCollector]) async -> [(CollectedMetric, [MetricLabels: Double])] {
        await withTaskGroup(of: (MetricsCollector, [MetricReading]?).self) { group in
            for collector in collectors {
                group.addTask { (collector, await collector.readings(within: self.collectLimit)) }
            }
            var collected: [(CollectedMetric, [MetricLabels: Double])] = []
            for await (collector, readings) in group {
                guard let readings else {
                    failures.increment(by: 1 as Int64)
                    continue
                }
                for metric in collector.metrics {
                    var values: [MetricLabels: Double] = [:]
                    for reading in readings where reading.name == metric.name {
                        if values.count < seriesLimit || values[reading.labels] != nil {
                            values[reading.labels] = reading.value
                        } else {
                            rejected.increment(by: 1 as Int64)
                        }
                    }
                    if !values.isEmpty { collected.append((metric, values)) }
                }
            }
            return collected
        }
    }

    private static func write(_ name: String, _ family: MetricFamily, help: String?, to text: inout PrometheusText) {
        guard !family.series.isEmpty else { return }
        text.head(name, family.kind, help: help)
        for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
            switch series {
            case .counter(let counter): text.sample(name, labels, counter.value)
            case .gauge(let gauge): text.sample(name, labels, gauge.value)
            case .histogram(let histogram): text.histogram(name, labels, histogram)
            }
        }
    }

    private static func write(
        _ metric: CollectedMetric, _ readings: [MetricLabels: Double], to text: inout PrometheusText
    ) {
        text.head(metric.name, metric.kind.metricKind, help: metric.help)
        for (labels, value) in readings.sorted(by: { $0.key < $1.key }) {
            text.sample(metric.name, labels, .double(value))
        }
    }
}

extension MetricsRegistry.State {
    /// Whether a name may be used for a kind: it is so already, or nobody uses it.
    fileprivate mutating func claim(_ name: String, _ kind: MetricKind) -> Bool {
        if let family = families[name] { return family.kind == kind }
        let samples = kind == .histogram ? [name, name + "_bucket", name + "_sum", name + "_count"] : [name]
        guard samples.allSatisfy({ owners[$0] == nil }) else { return false }
        for sample in samples { owners[sample] = name }
        return true
    }
}
