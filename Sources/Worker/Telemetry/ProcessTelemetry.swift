import CoreMetrics
import Logging
import MediaKit
import Telemetry
import Tracing
import Transfer

/// What a process of the service tells of itself: its log, its metrics, and its traces where a collector is named.
///
/// Started once in a process, before anything that logs, counts or traces: what does so looks for it when it is made.
struct ProcessTelemetry: Sendable {
    let metrics: MetricsRegistry
    /// Sends spans; a service that has to run. `nil` where none are sent.
    let spans: BatchSpanProcessor?

    /// - Throws: `TransferError` if there can be no HTTP client.
    static func start(_ configuration: WorkerConfiguration) throws -> ProcessTelemetry {
        let (format, level) = (LogFormat(configuration.log.format), configuration.log.level)
        LoggingSystem.bootstrap { format.handler(label: $0, level: level) }
        let metrics = MetricsRegistry(descriptions: ServiceMetrics.descriptions)
        metrics.collectProcessMetrics()
        MetricsSystem.bootstrap(metrics)
        guard let exporter = configuration.telemetry.exporter else {
            return ProcessTelemetry(metrics: metrics, spans: nil)
        }
        let spans = BatchSpanProcessor(
            exporter: OTLPSpanExporter(settings(configuration.telemetry, exporter), client: try HTTPClient()))
        let sampling = configuration.telemetry.sampling
        InstrumentationSystem.bootstrap(
            OpenTelemetryTracer(
                processor: spans, sampler: Sampler(ratio: sampling.ratio, followsParent: sampling.followsParent)))
        return ProcessTelemetry(metrics: metrics, spans: spans)
    }

    private static func settings(
        _ telemetry: WorkerConfiguration.OpenTelemetry, _ exporter: WorkerConfiguration.OpenTelemetry.Exporter
    ) -> OTLPSettings {
        var settings = OTLPSettings(
            tracesURL: exporter.endpoint,
            headers: HTTPHeaders(exporter.headers.map { .init(name: $0.name, value: $0.value) }),
            serviceName: telemetry.serviceName, serviceVersion: MediaKitVersion.current,
            // The last of several with a name counts.
            attributes: Dictionary(telemetry.resourceAttributes.map { ($0.name, $0.value) }) { $1 })
        settings.attemptTimeout = exporter.timeout
        return settings
    }
}

extension LogFormat {
    init(_ format: WorkerConfiguration.Log.Format) {
        self =
            switch format {
            case .json: .json
            case .text: .text
            }
    }
}
