import Logging
import MediaKit
import Transfer

/// All that a worker and its HTTP API are told by their surroundings, checked and with defaults filled in.
///
/// `ConfigurationLoader` makes it of the environment and a YAML file; tests make one by hand and change what they need:
///
/// ```swift
/// var configuration = WorkerConfiguration(database: .init(url: "postgresql://app@db/app"), storage: storage)
/// configuration.worker.concurrency = 2
/// ```
/// What each setting is called outside stands in `SettingsTable`, and from there in docs/configuration.md.
struct WorkerConfiguration: Sendable {
    var database: Database
    var worker: Work = Work()
    /// Where `s3://` and `store://` lead, and by which credentials.
    var storage: StorageSettings
    var outputs: Outputs = Outputs()
    var network: Network = Network()
    var http: HTTP = HTTP()
    var health: Health = Health()
    var uploads: Uploads = Uploads()
    var webhooks: Webhooks = Webhooks()
    var hooks: Hooks = Hooks()
    var providers: Providers = Providers()
    var log: Log = Log()
    var telemetry: OpenTelemetry = OpenTelemetry()
    /// What no job may exceed, whatever its request says: the smaller of both holds. Default: those of the engine.
    var limits: Limits = Limits()

    /// Which of its two halves a process that could do both takes on.
    enum Role: String, Sendable, CaseIterable {
        /// What the command line says.
        case any
        /// Jobs, and no API although the command line asks for one: `WORKER_MODE=true`.
        case jobs
        /// The API, and no jobs although the command is `kiln worker`: `RUN_WORKERS=false`.
        case api
    }

    /// Where the queue is.
    struct Database: Sendable {
        /// What libpq takes: a URI, or keywords. Holds a password: never printed; `PostgresSettings` describes it.
        var url: String
        /// The schema that the queue lives in.
        var schema: String = "kiln"
        /// Connections of a worker for results, claims and steps (two more renew and listen), and of the API at most.
        var connections: Int = 4
        /// Whether a pooler in transaction mode lies before the server. A worker finds that out by itself; the API is
        /// told.
        var isBehindTransactionPooler: Bool = false
    }

    /// What the worker takes on.
    struct Work: Sendable {
        /// Default `any`.
        var role: Role = .any
        /// What people see of it; `nil` (default) for host and process.
        var name: String?
        /// Jobs at a time, of all kinds.
        var concurrency: Int = 4
        /// Jobs of one kind at a time; `nil` (default) for no limit of its own.
        var concurrencyPerKind: Int?
        /// The kinds to run; `nil` (default) for all that there are.
        var kinds: [String]?
        /// The queues to serve; `nil` (default) for those of the kinds.
        var queues: [String]?
        /// CPU cores that running jobs share. Default: what the process may use, by affinity and cgroup.
        var cores: Double = Double(CoreBudget.process.cores)
        /// Bytes of memory that running jobs share. Default: four fifths of what the process may use.
        var memory: Int64 = MemoryBudget.process.forJobs
        /// How long running jobs may go on after SIGTERM before they are handed back.
        var shutdownGrace: Duration = .seconds(30)
        /// How long the database waits for a sign of life before it gives a worker's jobs to others; 1 s or more.
        var lease: Duration = .seconds(10)
        /// Attempts of a job that does not say how many, the first included.
        var maxAttempts: Int = 5
        /// The wait after the first failed attempt, or half of it; it doubles with each further one. By default, four of
        /// them outlast a store that is away for half a minute.
        var retryDelay: Duration = .seconds(5)
    }

    /// Where results go that a job names no place for, and how they are handed out.
    struct Outputs: Sendable {
        /// The key in the default store. Holds `{jobId}`, so that no two jobs write the same one.
        var keyTemplate: String = "rendered/{jobId}-{timestamp}.{extension}"
        /// What stands for something in `keyTemplate`: the job's id; its creation in milliseconds since 1970, so that
        /// a retry writes the same key; the kind, such as `media.transcode`; the container's file extension.
        static let placeholders = ["jobId", "timestamp", "kind", "extension"]
        /// What a key is appended to for a result's public URL; `nil` (default) where the store is not public, and
        /// results are fetched by presigned URLs.
        var publicURL: HTTPURL?
        /// How long a presigned URL of a result is good: 1 s to 7 days.
        var linkExpiry: Duration = .seconds(3600)
        /// Absolute paths of folders that jobs may name files below, by `file://`. Default: none.
        var fileRoots: [String] = []
    }

    /// Where URLs may lead that come from others: inputs and outputs of jobs, webhooks, `http.request`.
    struct Network: Sendable {
        /// Default: public addresses alone.
        var guarding: AddressGuard = AddressGuard()
    }

    /// The HTTP API.
    struct HTTP: Sendable {
        /// Whether `kiln worker` serves it, as with `--http`. `kiln serve` does anyway.
        var isEnabled: Bool = false
        /// An IPv4 or IPv6 address, or a host's name.
        var address: String = "127.0.0.1"
        /// 1...65,535, or 0 for any that is free.
        var port: Int = 8000
        /// The URL that others know the API by, for `statusUrl` and for signatures that cover it; `nil` (default) for
        /// what a request's Host header says.
        var publicURL: HTTPURL?
        /// Bytes of a request's body at most.
        var maximumBodyBytes: Int64 = 4 << 20
        /// How many proxies lie before it, each of which appends to `X-Forwarded-For`; what clients say there themselves is
        /// not believed.
        var proxies: Int = 0
        /// Requests per minute of one token, or of one address without a token; `nil` for no limit.
        var requestsPerMinute: Int? = 600
        /// Origins whose pages may call the API: "https://app.example.com", or "*" alone for all. Default: none.
        var corsOrigins: [String] = []

        /// Whether only this machine can reach it, by the address alone.
        var isLoopback: Bool { address == "localhost" || address == "::1" || address.hasPrefix("127.") }
    }

    /// The listener for probes and scrapers: `/health`, `/ready`, `/status`, `/metrics`. No token, nothing secret.
    struct Health: Sendable {
        var isEnabled: Bool = false
        /// All interfaces by default.
        var address: String = "0.0.0.0"
        /// 1...65,535, or 0 for any that is free.
        var port: Int = 8080
    }

    /// What browsers may put into the default store by `POST /v1/uploads`.
    struct Uploads: Sendable {
        /// Bytes of an upload at most; S3 takes 5 GiB in one request.
        var maximumBytes: Int64 = 5 << 30
        /// Media types that are taken: "video/mp4", or "video/*" for all of a sort.
        var contentTypes: [String] = ["video/*", "audio/*", "image/*", "text/vtt", "application/x-subrip"]
        /// What keys begin with.
        var prefix: String = "uploads/"
        /// How long a presigned URL is good: 1 s to 7 days.
        var linkExpiry: Duration = .seconds(900)
    }

    /// Messages to the app: webhooks, and jobs of the kind `http.request`.
    struct Webhooks: Sendable {
        /// Keys of Standard Webhooks' signatures, as bytes; a message is signed with each, so that keys can be changed
        /// one side after the other. Empty (default): nothing is sent.
        /// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
        var secrets: [[UInt8]] = []
        /// Whether webhooks are sent without a signature where there is no key.
        var allowsUnsigned: Bool = false
    }

    /// Jobs that come by webhook: `POST /v1/hooks/{kind}`.
    struct Hooks: Sendable {
        /// Keys of Standard Webhooks' signatures, as bytes; a message is signed with any of them. Empty (default): nobody
        /// can sign.
        var secrets: [[UInt8]] = []
        /// The kinds of jobs that may come so. Default: none.
        var kinds: [String] = []
    }

    /// What is written to standard error.
    struct Log: Sendable {
        enum Format: String, Sendable, CaseIterable {
            /// One object a line.
            case json
            /// For people.
            case text
        }

        var level: Logger.Level = .info
        /// Default: text on a terminal, else JSON.
        var format: Format = .text
    }

    /// Traces, as OpenTelemetry names what there is to set.
    /// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    struct OpenTelemetry: Sendable {
        /// Where spans are sent; `nil` (default) for nowhere.
        var exporter: Exporter?
        /// `service.name` of the resource.
        var serviceName: String = "kiln"
        /// Further attributes of the resource, in the order given.
        var resourceAttributes: [Pair] = []
        var sampling: Sampling = Sampling()

        /// A name and a value.
        struct Pair: Sendable, Hashable {
            var name: String
            var value: String
        }

        /// A collector that takes OTLP over HTTP, as JSON.
        struct Exporter: Sendable {
            /// The whole URL, `/v1/traces` included.
            var endpoint: HTTPURL
            /// Sent with each request. Hold tokens: never printed.
            var headers: [Pair] = []
            /// For one request.
            var timeout: Duration = .seconds(10)
        }

        /// Which traces are sent.
        struct Sampling: Sendable, Hashable {
            /// Of traces that begin here, 0...1.
            var ratio: Double = 1
            /// Whether a trace that began elsewhere is sent if and only if the caller sends it.
            var followsParent: Bool = true
        }
    }
}
