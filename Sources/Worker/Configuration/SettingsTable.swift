import MediaKit
import Transfer

/// All that can be set, in the order of the documentation: the one list of it.
enum SettingsTable {
    static let sections = [
        database, worker, limits, storage, outputs, network, webhooks, hooks, http, health, uploads, speech, models,
        log, telemetry,
    ]
    static let all = sections.flatMap(\.settings)

    /// Variables that are read elsewhere and begin with `KILN_`.
    static let otherVariables: Set<String> = [ConfigurationOptions.variable]

    static let database = SettingsSection("Database") {
        Setting(
            "database.url", "DATABASE_URL", at: \.value.database.url, .database, fallback: Setting.required,
            isSecret: true,
            "The Postgres that the queue is in. What it does not say, `PGPASSWORD` and libpq's other variables do.")
        Setting(
            "database.schema", "KILN_SCHEMA", at: \.value.database.schema, .schema,
            "The schema that the queue lives in.")
        Setting(
            "database.connections", "KILN_DATABASE_CONNECTIONS", at: \.value.database.connections, .count(2...200),
            "Connections at most of a worker, which has two more to renew and to listen, and of the API.")
        Setting(
            "database.transactionPooler", "KILN_TRANSACTION_POOLER", at: \.value.database.isBehindTransactionPooler,
            .flag,
            "Whether a pooler in transaction mode lies before the database. A worker finds out by itself.")
    }

    static let worker = SettingsSection("Worker") {
        Setting(
            "worker.enabled", "RUN_WORKERS", at: \.runsJobs, .flag,
            "With `false`, the process runs no jobs: `kiln worker --http` serves the API alone.")
        Setting(
            "worker.jobsOnly", "WORKER_MODE", at: \.runsJobsOnly, .flag,
            "With `true`, the process runs jobs alone, and serves no API though `--http` or `KILN_HTTP` say so.")
        Setting(
            "worker.name", "KILN_WORKER_NAME", at: \.value.worker.name, .optional(.text("a name")),
            fallback: "host:process", "What `kiln workers` calls it.")
        Setting(
            "worker.concurrency", "WORKER_CONCURRENCY", at: \.value.worker.concurrency, .count(1...1024),
            "Jobs at a time, of all kinds. What does not fit into the cores and the memory waits all the same.")
        Setting(
            "worker.concurrencyPerKind", "MAX_CONCURRENT_JOBS", at: \.value.worker.concurrencyPerKind,
            .optional(.count(1...1024)),
            "Jobs of one kind at a time. If `WORKER_CONCURRENCY` is not set and would be less, it becomes as much.")
        Setting(
            "worker.kinds", "ENABLE_WORKERS", at: \.value.worker.kinds,
            .optional(.names("kinds of jobs, such as media.transcode,media.probe"), "all"),
            "The kinds of jobs to run. `kiln kinds` lists them. Every worker delivers webhooks besides.")
        Setting(
            "worker.queues", "KILN_QUEUES", at: \.value.worker.queues, .optional(.names("queues"), "all"),
            fallback: "those of the kinds", "The queues to take jobs from.")
        Setting(
            "worker.cores", "KILN_CORES", at: \.value.worker.cores, .number(0.1...1024),
            fallback: "by affinity and cgroup", "CPU cores that running jobs share.")
        Setting(
            "worker.memory", "KILN_MEMORY", at: \.value.worker.memory, .size(64 << 20...1 << 50),
            fallback: "4/5 of the cgroup's or machine's", "Memory that running jobs share.")
        Setting(
            "worker.shutdownGrace", "SHUTDOWN_GRACE", at: \.value.worker.shutdownGrace, .duration(.zero...day),
            "How long running jobs may go on after SIGTERM, before they are handed back without an attempt charged.")
        Setting(
            "worker.lease", "KILN_LEASE", at: \.value.worker.lease, .duration(.seconds(1)...hour),
            "How long a worker may give no sign of life before its jobs go to others.")
        Setting(
            "worker.maxAttempts", "KILN_MAX_ATTEMPTS", at: \.value.worker.maxAttempts, .count(1...10_000),
            "Attempts of a job that does not say how many, the first included.")
        Setting(
            "worker.retryDelayMs", "RETRY_DELAY_MS", at: \.value.worker.retryDelay, .milliseconds(.zero...day),
            "The wait after a first failed attempt, or down to half of it by chance; it doubles with each further one, up to an hour."
        )
    }

    static let limits = SettingsSection("Limits of a job") {
        Setting(
            "limits.pixels", "KILN_LIMIT_PIXELS", at: \.value.limits.pixels, .count(1...Int.max),
            "Width × height of a picture.")
        Setting(
            "limits.duration", "KILN_LIMIT_DURATION", at: \.value.limits.durationSeconds,
            .optional(.seconds(.seconds(1)...year)), "Length of an input.")
        Setting(
            "limits.outputSize", "KILN_LIMIT_OUTPUT_SIZE", at: \.value.limits.outputBytes,
            .optional(.size(1...Int64.max)), "Size of an output.")
        Setting(
            "limits.streams", "KILN_LIMIT_STREAMS", at: \.value.limits.streams, .count(1...10_000),
            "Streams in an input.")
        Setting(
            "limits.wallTime", "KILN_LIMIT_WALL_TIME", at: \.value.limits.wallSeconds,
            .optional(.seconds(.seconds(1)...year)), "Time on the clock that an attempt may take.")
    }

    static let outputs = SettingsSection("Results") {
        Setting(
            "outputs.key", "KILN_OUTPUT_KEY", at: \.value.outputs.keyTemplate, .keyTemplate,
            """
            The key in the default store of a result that the job names no place for. `{timestamp}` is the job's creation, \
            in milliseconds since 1970, so that a retry writes the same key.
            """)
        Setting(
            "outputs.publicURL", "KILN_OUTPUT_PUBLIC_URL", at: \.value.outputs.publicURL, .optional(.url),
            "What a key is appended to for a result's URL where the store is public. Without it, URLs are presigned.")
        Setting(
            "outputs.linkExpiry", "KILN_LINK_EXPIRY", at: \.value.outputs.linkExpiry, .duration(.seconds(1)...week),
            "How long a presigned URL of a result is good.")
        Setting(
            "outputs.fileRoots", "KILN_FILE_ROOTS", at: \.value.outputs.fileRoots, .folders,
            "Folders that jobs may read and write files below, by `file://`.")
    }

    static let network = SettingsSection("Where the URLs of jobs and webhooks may lead") {
        Setting(
            "network.allowedHosts", "KILN_ALLOWED_HOSTS", at: \.value.network.guarding.allowedHosts, .hosts,
            "Hosts that may be reached although their addresses are not public.")
        Setting(
            "network.allowedNetworks", "KILN_ALLOWED_NETWORKS", at: \.value.network.guarding.allowedNetworks, .networks,
            "Addresses that may be reached although they are not public.")
        Setting(
            "network.deniedNetworks", "KILN_DENIED_NETWORKS", at: \.value.network.guarding.deniedNetworks, .networks,
            "Addresses that may not be reached although they are public.")
        Setting(
            "network.onlyHosts", "KILN_ONLY_HOSTS", at: \.value.network.guarding.onlyHosts, .optional(.hosts, "any"),
            "If set, no other hosts than these and the allowed ones.")
        Setting(
            "network.plainHTTP", "KILN_PLAIN_HTTP", at: \.value.network.guarding.allowsPlainHTTP, .flag,
            "Whether `http://` is allowed, or `https://` only.")
    }

    // MARK: Lengths of time

    static let hour = Duration.seconds(3600)
    static let day = Duration.seconds(86_400)
    static let week = Duration.seconds(7 * 86_400)
    static let year = Duration.seconds(366 * 86_400)
}
