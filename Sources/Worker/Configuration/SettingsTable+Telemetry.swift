extension SettingsTable {
    static let log = SettingsSection("Logs") {
        Setting(
            "log.level", "LOG_LEVEL", at: \.value.log.level, .logLevel,
            "The least grave of the messages that are written to standard error.")
        Setting(
            "log.format", "LOG_FORMAT", at: \.value.log.format, .choice, fallback: "text on a terminal, else json",
            "Lines for people, or an object a line.")
    }

    /// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    static let telemetry = SettingsSection("Traces") {
        Setting(
            "telemetry.endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", at: \.traces.endpoint, .optional(.url),
            "Where traces are sent as OTLP in JSON, at `/v1/traces` below it, such as `http://localhost:4318`.")
        Setting(
            "telemetry.tracesEndpoint", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", at: \.traces.tracesEndpoint,
            .optional(.url),
            "The same, as a whole URL.")
        Setting(
            "telemetry.headers", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS",
            at: \.traces.headers,
            .pairs("headers, name=value, percent-encoded", isSecret: true), isSecret: true,
            "Headers of what is sent there, such as `Authorization=Bearer%20…`.")
        Setting(
            "telemetry.protocol", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL",
            at: \.traces.wireProtocol, .choice,
            "JSON is sent whatever it says; `grpc` is refused, as it means another port.")
        Setting(
            "telemetry.timeoutMs", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT",
            at: \.traces.timeout,
            .milliseconds(.milliseconds(1)...hour), "How long the collector may take.")
        Setting(
            "telemetry.exporter", "OTEL_TRACES_EXPORTER", at: \.traces.exporter, .choice,
            "With `none`, nothing is sent, whatever the endpoint is.")
        Setting(
            "telemetry.disabled", "OTEL_SDK_DISABLED", at: \.traces.isDisabled, .flag, "With `true`, nothing is sent.")
        Setting(
            "telemetry.serviceName", "OTEL_SERVICE_NAME", at: \.value.telemetry.serviceName,
            .text("a name", where: { !$0.isEmpty }), "What the service is called in traces.")
        Setting(
            "telemetry.resource", "OTEL_RESOURCE_ATTRIBUTES", at: \.value.telemetry.resourceAttributes,
            .pairs("attributes, name=value, percent-encoded"), "Further attributes of the service.")
        Setting(
            "telemetry.sampler", "OTEL_TRACES_SAMPLER", at: \.traces.sampler, .choice, "Which traces are sent.")
        Setting(
            "telemetry.samplerRatio", "OTEL_TRACES_SAMPLER_ARG", at: \.traces.ratio, .number(0...1),
            "The share of traces that a sampler by `traceidratio` sends.")
    }
}
