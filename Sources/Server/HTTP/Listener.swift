import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// A server of Hummingbird's with our limits on its connections.
struct Listener<Responder: HTTPResponder>: Sendable where Responder.Context == RequestSource {
    var responder: Responder
    var address: String
    var port: Int
    var limits: ServerLimits
    var logger: Logger
    /// Is told the port once it listens.
    var onRunning: @Sendable (Int) async -> Void

    /// Serves until the task is cancelled, or told to stop: then requests under way are finished.
    ///
    /// - Throws: if it cannot listen there.
    func run() async throws {
        let limits = limits
        // That it listens is said by whoever knows what it is.
        var quiet = logger
        quiet.logLevel = max(quiet.logLevel, .notice)
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionLimits(unread: limits.unread)],
            idleTimeout: TimeAmount(limits.idle),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes, maxHeaderFieldCount: 100)
        )
        let application = Application(
            responder: responder, server: .http1(configuration: channel),
            configuration: ApplicationConfiguration(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: logger)),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: quiet)
        try await application.run()
    }
}
