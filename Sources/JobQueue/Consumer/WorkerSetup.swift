import Logging

/// What a worker's sessions have in common.
struct WorkerSetup: Sendable {
    let schema: String
    let options: WorkerOptions
    let queues: [String]
    let kinds: [String: RegisteredKind]
    /// How many jobs of a queue may run here.
    let limits: [String: Int]
    let middlewares: [any JobMiddleware]
    let logger: Logger
    let events: WorkerEvents
    let metrics = WorkerMetrics()
    /// There are no notifications: behind a pooler in transaction mode.
    var polls = false

    var pollInterval: Duration { polls ? min(.milliseconds(500), options.pollInterval) : options.pollInterval }
}
