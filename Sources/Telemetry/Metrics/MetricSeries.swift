import CoreMetrics
import Synchronization

/// The values under one name and one set of labels.
enum MetricSeries {
    case counter(CounterSeries)
    case gauge(GaugeSeries)
    case histogram(HistogramSeries)

    func isSame(as handler: AnyObject) -> Bool {
        switch self {
        case .counter(let series): series === handler
        case .gauge(let series): series === handler
        case .histogram(let series): series === handler
        }
    }
}

/// A sum that only grows. What is below 0 or not finite is not added. Without a lock.
///
/// Whole numbers are added up by themselves, so that counting stays exact beyond 2⁵³.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler {
    private let whole = Atomic<Int64>(0)
    private let fraction = AtomicDouble()

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(amount, ordering: .relaxed)
    }

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        fraction.add(amount)
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.set(0)
    }

    var value: MetricValue {
        let fraction = fraction.value
        let whole = whole.load(ordering: .relaxed)
        return fraction == 0 ? .integer(whole) : .double(Double(whole) + fraction)
    }
}

/// A number that goes up and down: swift-metrics' `Gauge` and `Meter`. Without a lock.
final class GaugeSeries: MeterHandler, RecorderHandler {
    private let current = AtomicDouble()

    func set(_ value: Int64) { current.set(Double(value)) }
    func set(_ value: Double) { current.set(value) }
    func increment(by amount: Double) { current.add(amount) }
    func decrement(by amount: Double) { current.add(-amount) }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    var value: MetricValue { .double(current.value) }
}

/// How often values fell into each bucket, and their sum: swift-metrics' `Timer` and `Recorder`. Without a lock.
///
/// Times are given in nanoseconds and kept in seconds; those below 0, which a clock that was set back makes, count as
/// 0. Values that are not finite are left out: one of them would spoil the sum for good.
final class HistogramSeries: TimerHandler, RecorderHandler {
    let buckets: HistogramBuckets
    private let counts: AtomicCounts
    private let total = AtomicDouble()

    init(_ buckets: HistogramBuckets) {
        self.buckets = buckets
        counts = AtomicCounts(count: buckets.bounds.count + 1)
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        counts.increment(buckets.index(of: value))
        total.add(value)
    }

    /// How many values fell into each bucket by itself, `+Inf` last.
    var bucketCounts: [Int] { counts.values }
    var sum: Double { total.value }
}

/// A sample's value.
enum MetricValue {
    case integer(Int64)
    case double(Double)
}
