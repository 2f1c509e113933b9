public import Foundation
public import Logging

/// A job as its handler gets it.
///
/// ```swift
/// worker.register("media.transcode", KindOptions(cores: 2)) { (job: Job<Transcode>) in
///     let source = try await job.step("download") { try await download(job.payload.source) }
///     job.progress(0.5, phase: "encode")
///     return try await encode(source)
/// }
/// ```
public struct Job<Payload: Sendable>: RunningJob {
    public let payload: Payload
    public let context: JobContext

    public var id: UUID { context.id }
    public var kind: String { context.kindName }
    public var queue: String { context.queue }
    /// Which attempt it is; the first is 1.
    public var attempt: Int { context.attempt }
    public var maxAttempts: Int { context.maxAttempts }
    public var workflow: UUID? { context.workflow }
    /// Its last lines are kept with an attempt that fails.
    public var logger: Logger { context.logger }
}

/// What a handler may do while its job runs. Calls that write throw `leaseLost` once the job is somebody else's.
public protocol RunningJob: Sendable {
    var context: JobContext { get }
}

/// How a job made by a running one is enqueued; nil is the kind's default.
public struct SpawnOptions: Sendable {
    public var queue: String?
    public var priority: Int?
    public var runAt: Date?
    public var maxAttempts: Int?
    public var timeout: Duration?
    public var uniqueKey: String?
    public var concurrencyKey: String?
    /// Jobs that must be done before.
    public var dependsOn: [UUID]
    public var cores: Double?
    /// Bytes.
    public var memory: Int64?
    /// Its name in the workflow.
    public var node: String?

    public init(
        queue: String? = nil, priority: Int? = nil, runAt: Date? = nil, maxAttempts: Int? = nil,
        timeout: Duration? = nil, uniqueKey: String? = nil, concurrencyKey: String? = nil, dependsOn: [UUID] = [],
        cores: Double? = nil, memory: Int64? = nil, node: String? = nil
    ) {
        self.queue = queue
        self.priority = priority
        self.runAt = runAt
        self.maxAttempts = maxAttempts
        self.timeout = timeout
        self.uniqueKey = uniqueKey
        self.concurrencyKey = concurrencyKey
        self.dependsOn = dependsOn
        self.cores = cores
        self.memory = memory
        self.node = node
    }

    func request(kind: String, payload: PostgresJSON) -> PostgresJSON {
        var text = JSONText()
        text.add("kind", kind)
        text.add("payload", payload)
        text.add("queue", queue)
        text.add("priority", priority.map { Int64($0) })
        text.add("run_at", runAt?.formatted(.iso8601.time(includingFractionalSeconds: true)))
        text.add("max_attempts", maxAttempts.map { Int64($0) })
        text.add("timeout", timeout.map { "\($0 / .seconds(1)) seconds" })
        text.add("unique_key", uniqueKey)
        text.add("concurrency_key", concurrencyKey)
        text.add("depends_on", dependsOn.isEmpty ? nil : JSONText.strings(dependsOn.map(\.uuidString)))
        text.add("cores", cores)
        text.add("memory", memory)
        text.add("node", node)
        return text.json
    }
}
