/// The defaults of a kind's jobs, which the worker writes into the database when it starts; what `enqueue` says
/// wins over them.
public struct KindOptions: Sendable, Hashable {
    /// CPU cores that a job takes while it runs; nil is 1.
    public var cores: Double?
    /// Bytes of memory that a job takes while it runs; nil is 0.
    public var memory: Int64?
    /// How long an attempt may take; nil is no limit.
    public var timeout: Duration?
    /// How often jobs are tried, and how long they wait in between.
    public var retry: RetryPolicy
    /// The queue of jobs that name none; nil is the kind's own name.
    public var queue: String?
    /// How many run at a time in this worker; nil is no limit. Kinds that share a queue share the smallest.
    public var concurrency: Int?

    /// By default a job weighs a core, has no time limit and five attempts.
    public init(
        cores: Double? = nil, memory: Int64? = nil, timeout: Duration? = nil, retry: RetryPolicy = RetryPolicy(),
        queue: String? = nil, concurrency: Int? = nil
    ) {
        self.cores = cores
        self.memory = memory
        self.timeout = timeout
        self.retry = retry
        self.queue = queue
        self.concurrency = concurrency
    }

    func description(of kind: String) -> PostgresJSON {
        var text = JSONText()
        text.add("name", kind)
        text.add("queue", queue)
        text.add("max_attempts", Int64(retry.maxAttempts))
        text.add("timeout", timeout.map { "\($0 / .seconds(1)) seconds" })
        text.add("cores", cores)
        text.add("memory", memory)
        text.add("retry_base", "\(retry.base / .seconds(1)) seconds")
        text.add("retry_factor", 2.0)
        text.add("retry_max", "\(retry.cap / .seconds(1)) seconds")
        return text.json
    }
}
