package import Logging

/// Listens to channels on a connection of its own, and comes back when that breaks.
///
/// ```swift
/// for await event in PostgresListener(settings, channels: ["kiln"], logger: logger).events() {
///     switch event {
///     case .connected: lookForWork()      // also whatever came while nobody listened
///     case .notification(let note): wake(note.payload)
///     case .disconnected(let error): …
///     }
/// }
/// ```
/// What is sent while it is not connected is lost: look once after each `connected`. A peer that has gone silent
/// is noticed by a query every few seconds. Needs a session of its own: no pooler in transaction mode.
package struct PostgresListener: Sendable {
    /// What a listener tells.
    package enum Event: Sendable {
        /// It listens, from now on.
        case connected
        /// It listens no longer, and is trying to again.
        case disconnected(QueueError)
        /// Somebody sent this.
        case notification(PostgresNotification)
    }

    /// How to reach the server.
    package var settings: PostgresSettings
    /// The channels' names, as they are: they are quoted.
    package var channels: [String]
    /// How often the peer must show that it is alive.
    package var keepalive: Duration
    /// How long it may take to.
    package var keepaliveTimeout: Duration
    /// How long to wait before each attempt to reconnect.
    package var backoff: ReconnectBackoff
    private let logger: Logger

    /// By default the peer must show that it is alive every 5 s, and within 5 s.
    package init(
        _ settings: PostgresSettings, channels: [String], keepalive: Duration = .seconds(5),
        keepaliveTimeout: Duration = .seconds(5), backoff: ReconnectBackoff = ReconnectBackoff(), logger: Logger
    ) {
        self.settings = settings
        self.channels = channels
        self.keepalive = keepalive
        self.keepaliveTimeout = keepaliveTimeout
        self.backoff = backoff
        self.logger = logger
    }

    /// The events, from a task that ends when the stream is dropped.
    package func events() -> AsyncStream<Event> {
        AsyncStream { continuation in
            let task = Task {
                await run { continuation.yield($0) }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Listens until the task is cancelled. `handle` is called from any thread and must not block.
    package func run(_ handle: @escaping @Sendable (Event) -> Void) async {
        var backoff = backoff
        var saidDisconnected = false
        while !Task.isCancelled {
            do {
                try await listen(handle) {
                    backoff.reset()
                    saidDisconnected = false
                }
            } catch {
                if Task.isCancelled { return }
                let error = error as? QueueError ?? QueueError(.internal, "\(error)", cause: error)
                if !saidDisconnected {
                    logger.warning("notifications stopped, reconnecting: \(error)")
                    handle(.disconnected(error))
                }
                saidDisconnected = true
                try? await Task.sleep(for: backoff.next())
            }
        }
    }

    private func listen(_ handle: @escaping @Sendable (Event) -> Void, _ onConnected: () -> Void) async throws {
        let (broken, breaking) = AsyncStream<QueueError>.makeStream()
        let connection = try await PostgresConnection.connect(
            settings, logger: logger,
            events: PostgresConnectionEvents(
                onNotification: { handle(.notification($0)) }, onBroken: { breaking.yield($0) }))
        do {
            let commands = channels.map { "LISTEN \($0.quotedIdentifier)" }
            try await connection.script(commands.joined(separator: "; "))
            onConnected()
            handle(.connected)
            try await withThrowingTaskGroup { group in
                group.addTask {
                    while true {
                        try await Task.sleep(for: keepalive)
                        _ = try await connection.query("SELECT 1", timeout: keepaliveTimeout)
                    }
                }
                group.addTask {
                    for await error in broken { throw error }
                }
                // The first to end is the one that throws.
                try await group.next()
                group.cancelAll()
            }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }
}
