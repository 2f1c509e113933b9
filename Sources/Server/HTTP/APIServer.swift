public import JobQueue
public import Logging
public import ServiceLifecycle

/// The HTTP API over a queue.
///
/// ```swift
/// let server = APIServer(queue, settings: ServerSettings(version: "1.0"), logger: logger)
/// try await server.run()
/// ```
/// Serves until its task is cancelled or its service group shuts down: then it takes no new connections, finishes the
/// requests that are under way, and ends streams of events, whose readers come back to another server.
public struct APIServer: Service {
    private let queue: QueueClient
    private let settings: ServerSettings
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - queue: stays the caller's, who closes it afterwards.
    ///   - onRunning: is told the port once the server listens.
    public init(
        _ queue: QueueClient, settings: ServerSettings, logger: Logger = Logger(label: "kiln.http"),
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.queue = queue
        self.settings = settings
        self.logger = logger
        self.onRunning = onRunning
    }

    /// Serves.
    ///
    /// - Throws: ``ServerRefusal`` where it would be open to others without a token; ``QueueError`` if the database
    ///   has no tables for tokens yet, or does not let it ask; the system's error if it cannot listen. A database that
    ///   is away is waited for.
    public func run() async throws {
        let tokens = TokenStore(queue, schema: settings.schema)
        guard let hasToken = try await whenThere({ try await tokens.hasAny() }) else { return }
        if !hasToken, let reason = settings.reasonForToken { throw ServerRefusal(reason: reason) }
        if !hasToken {
            logger.notice("there is no token: everybody on this machine may use the API (kiln token create)")
        }
        let api = API(queue, settings)
        let verifier = TokenVerifier(tokens, now: settings.now, logger: logger)
        let limiter = RateLimiter(settings.limits.rate)
        let crossOrigin = CrossOriginPolicy(settings.crossOrigin)
        let table = api.table
        let responder = APIResponder(
            table: table, document: ["components": ["schemas": .object(Schemas.components)]], settings: settings,
            guardian: Guardian(
                settings: settings, verifier: verifier, failures: RateLimiter(settings.limits.rate),
                crossOrigin: crossOrigin),
            limiter: limiter, crossOrigin: crossOrigin)
        let listener = Listener(
            name: "the API", setting: "KILN_HTTP_PORT", responder: responder, address: settings.address,
            port: settings.port, limits: settings.limits,
            logger: logger, onRunning: onRunning)
        let (idempotency, logger) = (api.idempotency, logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            group.addTask { await Self.forget(idempotency, logger) }
            // The listener is the one that ends.
            try await group.next()
            group.cancelAll()
        }
    }

    /// Waits for a database that is away.
    ///
    /// - Returns: `nil` if it is shut down meanwhile.
    private func whenThere<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R? {
        var wait = Duration.milliseconds(250)
        while true {
            do {
                return try await cancelWhenGracefulShutdown { try await body() }
            } catch {
                // It was cut short, however it says so.
                if Task.isShuttingDownGracefully { return nil }
                guard let error = error as? QueueError, error.isTransient || error.code == .deadline else {
                    throw error
                }
                logger.warning("the database is away: \(error)")
            }
            let pause = wait
            let isOver: Void? = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
            guard isOver != nil else { return nil }
            wait = min(wait * 2, .seconds(5))
        }
    }

    /// Forgets idempotency keys whose time is over, now and then.
    private static func forget(_ idempotency: Idempotency, _ logger: Logger) async {
        while !Task.isCancelled {
            do {
                try await idempotency.forgetOld()
            } catch {
                logger.debug("old idempotency keys were not forgotten: \(error)")
            }
            try? await Task.sleep(for: .seconds(600))
        }
    }
}

/// The API would be open to everybody who can reach the machine.
public struct ServerRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// Why it would be, such as "it listens on 0.0.0.0, where others can reach it".
    public var reason: String

    public var description: String {
        """
        the HTTP API does not serve without a token, as \(reason). Make one with kiln token create, or serve this \
        machine alone: listen on 127.0.0.1, without proxies, public URL and CORS origin *
        """
    }
}
