public import Logging
public import ServiceLifecycle

/// A listener for probes and Prometheus: `/health`, `/ready`, `/status` and `/metrics`. It asks for no token and tells
/// nothing secret.
///
/// Serves until its task is cancelled or its service group shuts down.
public struct HealthServer: Service {
    private let settings: HealthSettings
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void

    /// - Parameter onRunning: is told the port once the server listens.
    public init(
        _ settings: HealthSettings, logger: Logger = Logger(label: "kiln.health"),
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.settings = settings
        self.logger = logger
        self.onRunning = onRunning
    }

    /// - Throws: ``ListenFailure``.
    public func run() async throws {
        try await Listener(
            name: "the health listener", setting: "HEALTH_CHECK_PORT", responder: HealthResponder(settings: settings),
            address: settings.address, port: settings.port,
            limits: ServerLimits(headerBytes: 8 << 10, connections: 256, idle: .seconds(15), unread: .seconds(15)),
            logger: logger, onRunning: onRunning
        ).run()
    }
}
