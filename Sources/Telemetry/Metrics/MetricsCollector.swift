import Locking

/// A metric whose values are read when they are asked for.
public struct CollectedMetric: Sendable, Hashable {
    /// Made valid as the registry does it.
    public let name: String
    /// ``MetricKind/counter`` or ``MetricKind/gauge``.
    public let kind: Kind
    /// One sentence for the `# HELP` line.
    public let help: String

    /// What values that are read can be.
    public enum Kind: Sendable, Hashable {
        /// Goes up and down.
        case gauge
        /// Only grows. Its name ends in `_total`.
        case counter

        var metricKind: MetricKind { self == .gauge ? .gauge : .counter }
    }

    public init(_ name: String, _ kind: Kind = .gauge, _ help: String) {
        self.name = MetricName.metric(name)
        self.kind = kind
        self.help = help
    }
}

/// A value of a ``CollectedMetric``.
public struct MetricReading: Sendable {
    let name: String
    let labels: MetricLabels
    private(set) var value: Double

    /// - Parameters:
    ///   - name: of one of the collector's metrics.
    ///   - dimensions: names and values of its labels. Of readings alike in them, the last counts.
    public init(_ name: String, _ value: Double, dimensions: [(String, String)] = []) {
        self.name = MetricName.metric(name)
        self.value = value
        labels = MetricLabels(dimensions)
    }

    /// The same with another value.
    func with(_ value: Double) -> MetricReading {
        var reading = self
        reading.value = value
        return reading
    }
}

/// Reads the values of some metrics.
final class MetricsCollector: Sendable {
    typealias Read = @Sendable () async throws -> [MetricReading]

    let metrics: [CollectedMetric]
    private let read: Read
    private let current = Locked<Task<[MetricReading]?, Never>?>(nil)

    init(_ metrics: [CollectedMetric], _ read: @escaping Read) {
        self.metrics = metrics
        self.read = read
    }

    /// The values; `nil` if they cannot be read, or not within `limit`.
    ///
    /// One that hangs is not started again: who asks meanwhile waits for the same answer.
    func readings(within limit: Duration) async -> [MetricReading]? {
        let task = current.withLock { current in
            if let current { return current }
            let task = Task {
                let readings = try? await self.read()
                self.current.withLock { $0 = nil }
                return readings
            }
            current = task
            return task
        }
        return await value(of: task, within: limit) ?? nil
    }
}
