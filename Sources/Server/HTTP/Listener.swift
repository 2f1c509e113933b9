import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Locking
import Logging
import NIOCore
import ServiceLifecycle

/// A server of Hummingbird's with our limits on its connections.
struct Listener<Responder: HTTPResponder>: Sendable where Responder.Context == RequestSource {
    /// What it is for people, such as "the API".
    var name: String
    /// The variable that its port is set by.
    var setting: String
    var responder: Responder
    var address: String
    var port: Int
    var limits: ServerLimits
    var logger: Logger
    /// Is told the port once it listens.
    var onRunning: @Sendable (Int) async -> Void

    /// Serves until the task is cancelled, or told to stop: then requests under way are finished, if they are soon.
    ///
    /// - Throws: ``ListenFailure`` if it cannot listen there.
    func run() async throws {
        let limits = limits
        let isListening = Locked(false)
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
            onServerRunning: { channel in
                isListening.withLock { $0 = true }
                await onRunning(channel.localAddress?.port ?? port)
            }, logger: quiet)
        do {
            try await serve { try await application.run() }
        } catch let error as IOError where !isListening.withLock({ $0 }) {
            throw ListenFailure(
                name: name, address: address, port: port, setting: setting,
                reason: String(cString: strerror(error.errnoCode)))
        }
    }

    /// Runs until it ends, or is cut off as it has been told to stop and has not for too long: a client that does not read
    /// must not keep the process.
    private func serve(_ run: @escaping @Sendable () async throws -> Void) async throws {
        let drain = limits.drain
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await run()
                return true
            }
            group.addTask {
                guard (try? await gracefulShutdown()) != nil else { return false }
                try? await Task.sleep(for: drain)
                return false
            }
            let hasEnded = try await group.next() ?? true
            group.cancelAll()
            guard !hasEnded else { return }
            do {
                _ = try await group.next()
            } catch is CancellationError {
            }
        }
    }
}

/// There is no listening where a listener was to.
public struct ListenFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What it is for people, such as "the API".
    public var name: String
    /// Where it was to listen.
    public var address: String
    /// Likewise.
    public var port: Int
    /// The variable that the port is set by.
    public var setting: String
    /// What the system says.
    public var reason: String

    public var description: String {
        "\(name) cannot listen on \(address.contains(":") ? "[\(address)]" : address):\(port): \(reason); set \(setting)"
    }
}
