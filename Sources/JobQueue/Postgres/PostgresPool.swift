import Locking
package import Logging

/// A bounded set of connections, opened when first needed and replaced when they break.
///
/// ```swift
/// let rows = try await pool.withConnection { connection in try await connection.query("SELECT 1") }
/// ```
/// Callers are served in order. While the server is away, a call tries again to connect, with backoff, until its
/// acquire timeout is over; a call that was using a connection when it broke throws, and `retrying` repeats what
/// may happen twice. Thread-safe.
package final class PostgresPool: Sendable {
    /// How many connections, and how patient.
    package struct Options: Sendable {
        /// The most connections at a time.
        package var size: Int
        /// How long a call may wait for a connection, from the pool or the server.
        package var acquireTimeout: Duration
        /// How long to wait between attempts to connect.
        package var backoff: ReconnectBackoff

        /// By default 8 connections, and 10 s to get one.
        package init(
            size: Int = 8, acquireTimeout: Duration = .seconds(10), backoff: ReconnectBackoff = ReconnectBackoff()
        ) {
            self.size = max(1, size)
            self.acquireTimeout = acquireTimeout
            self.backoff = backoff
        }
    }

    /// As the pool was made with.
    package let options: Options
    /// How its connections reach the server.
    package let settings: PostgresSettings
    private let logger: Logger
    private let slots: PoolSlots
    private let idle = Locked<[PostgresConnection]>([])

    /// Opens nothing yet.
    package init(_ settings: PostgresSettings, options: Options = Options(), logger: Logger) {
        self.settings = settings
        self.options = options
        self.logger = logger
        slots = PoolSlots(size: options.size)
    }

    /// Lends a connection to `body`. It must not be used after.
    ///
    /// - Throws: `poolExhausted`, `cannotConnect`, `closed`, `cancelled`; whatever `body` throws.
    package func withConnection<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> sending R
    ) async throws -> sending R {
        let limit = ContinuousClock.now + options.acquireTimeout
        try await slots.take(within: options.acquireTimeout)
        let connection: PostgresConnection
        do {
            connection = try await takeConnection(until: limit)
        } catch {
            slots.give()
            throw error
        }
        do {
            let result = try await body(connection)
            await takeBack(connection)
            return result
        } catch {
            await takeBack(connection)
            throw error
        }
    }

    /// Lends a connection with a transaction open in it; see `PostgresConnection.withTransaction`.
    package func withTransaction<R>(
        isolation level: PostgresIsolation = .readCommitted, readOnly: Bool = false,
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> sending R
    ) async throws -> sending R {
        try await withConnection { connection in
            try await connection.withTransaction(isolation: level, readOnly: readOnly, body)
        }
    }

    /// Repeats `body` while it throws transient errors, with backoff, for at most `duration`.
    ///
    /// Only for calls that may happen twice: one whose connection was lost may have taken effect.
    package func retrying<R>(
        for duration: Duration = .seconds(30), isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> sending R
    ) async throws -> sending R {
        let limit = ContinuousClock.now + duration
        var backoff = options.backoff
        while true {
            do {
                return try await body()
            } catch let error as QueueError where error.isTransient {
                let wait = backoff.next()
                guard ContinuousClock.now + wait < limit else { throw error }
                try await Self.sleep(wait)
            }
        }
    }

    /// Refuses new calls, waits for those under way, and closes the connections.
    package func close() async {
        await slots.close()
        let connections = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        for connection in connections { await connection.close() }
    }

    private func takeConnection(until limit: ContinuousClock.Instant) async throws -> PostgresConnection {
        // The one used last, whose plans and caches are warm.
        while let connection = idle.withLock({ $0.popLast() }) {
            if connection.failure == nil { return connection }
        }
        var backoff = options.backoff
        while true {
            do {
                return try await PostgresConnection.connect(settings, logger: logger)
            } catch let error as QueueError where error.code == .cannotConnect && error.mayPass {
                let wait = backoff.next()
                guard ContinuousClock.now + wait < limit else { throw error }
                logger.debug("\(error); trying again in \(wait)")
                try await Self.sleep(wait)
            }
        }
    }

    private func takeBack(_ connection: PostgresConnection) async {
        if connection.failure == nil, !connection.isIdle {
            logger.warning("a connection came back with a transaction open in it and is closed")
            await connection.close()
        } else if connection.failure == nil {
            idle.withLock { $0.append(connection) }
        }
        slots.give()
    }

    private static func sleep(_ duration: Duration) async throws {
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw QueueError(.cancelled, "the task that waited for the database was cancelled")
        }
    }
}

extension QueueError {
    /// Whether a connection that failed so may succeed without anybody doing something about it.
    var mayPass: Bool { sqlState.map { ["57P03", "53300"].contains($0) } ?? true }
}
