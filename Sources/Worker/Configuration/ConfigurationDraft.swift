import Transfer

/// The configuration while it is being read: where each setting's value goes first.
///
/// Most go straight to their place. Some mean something only together, and are put together at the end.
struct ConfigurationDraft: Sendable {
    var value: WorkerConfiguration
    /// `WORKER_MODE`, and the opposite of `RUN_WORKERS`.
    var runsJobsOnly = false
    var runsJobs = true
    var traces = Traces()
    /// What the stores are told, by the name of the environment's variable.
    var storage: [String: String] = [:]

    /// What OpenTelemetry's variables say of traces.
    struct Traces: Sendable {
        /// How spans may be sent; `http/json` is how they are.
        enum WireProtocol: String, Sendable, CaseIterable {
            case json = "http/json"
            case protobuf = "http/protobuf"
            case grpc
        }

        enum ExporterName: String, Sendable, CaseIterable { case otlp, none }

        enum Sampler: String, Sendable, CaseIterable {
            case parentbasedAlwaysOn = "parentbased_always_on"
            case parentbasedAlwaysOff = "parentbased_always_off"
            case parentbasedRatio = "parentbased_traceidratio"
            case alwaysOn = "always_on"
            case alwaysOff = "always_off"
            case ratio = "traceidratio"
        }

        var isDisabled = false
        var exporter: ExporterName = .otlp
        /// For all signals; `/v1/traces` goes behind its path.
        var endpoint: HTTPURL?
        /// For traces alone; taken as it is.
        var tracesEndpoint: HTTPURL?
        var wireProtocol: WireProtocol = .json
        var headers: [WorkerConfiguration.OpenTelemetry.Pair] = []
        var timeout: Duration = .seconds(10)
        var sampler: Sampler = .parentbasedAlwaysOn
        var ratio = 1.0
    }

    /// Nothing but defaults.
    init() {
        value = WorkerConfiguration(database: .init(url: ""), storage: StorageSettings.unset)
        value.log.format = Console.error.isTerminal ? .text : .json
    }
}
