public import Foundation
public import JobQueue
public import Transfer

/// How the HTTP API is served: a value that is made of a program's configuration.
///
/// Secrets are in none of it but `hooks`, `twilio` and what `stores` keeps to itself.
public struct ServerSettings: Sendable {
    /// What browsers of other origins may do.
    public struct CrossOrigin: Sendable, Hashable {
        /// Such as "https://app.example.com"; "*" is any. Empty (default): none.
        public var origins: [String]

        /// - Parameter origins: scheme, host and port, as browsers send them.
        public init(origins: [String] = []) { self.origins = origins }
    }

    /// What may be uploaded by a presigned URL.
    public struct Uploads: Sendable, Hashable {
        /// Bytes of one file. Default 5 GiB, the most that S3 takes at once.
        public var largest: Int64
        /// Media types; "video/*" stands for all of its kind.
        public var types: [String]
        /// What keys begin with. Default "uploads/".
        public var prefix: String
        /// How long a URL is good. Default an hour.
        public var lifetime: Duration

        /// By default video, sound, pictures and text, of up to 5 GiB.
        public init(
            largest: Int64 = 5 << 30,
            types: [String] = ["video/*", "audio/*", "image/*", "text/*", "application/x-subrip"],
            prefix: String = "uploads/", lifetime: Duration = .seconds(3600)
        ) {
            self.largest = largest
            self.types = types
            self.prefix = prefix
            self.lifetime = lifetime
        }
    }

    /// Which jobs may come by webhook, without a token.
    public struct Hooks: Sendable {
        /// Keys of Standard Webhooks' signatures, as bytes: 24 to 64 each. A message is signed with any of them. Secret.
        public var secrets: [[UInt8]]
        /// The kinds of jobs, out of those that are known.
        public var kinds: [String]

        /// None by default.
        public init(secrets: [[UInt8]] = [], kinds: [String] = []) {
            self.secrets = secrets
            self.kinds = kinds
        }
    }

    /// What is known of Twilio, whose webhooks announce recordings.
    public struct Twilio: Sendable {
        /// The account's primary token, which signs them; nil: none are taken. Secret.
        public var authToken: String?

        /// None by default.
        public init(authToken: String? = nil) { self.authToken = authToken }
    }

    /// Where it listens. Default "127.0.0.1"; elsewhere a token must exist.
    public var address: String
    /// Default 8000; 0 is any that is free.
    public var port: Int
    /// How clients reach it, such as "https://kiln.example.com"; nil (default): answers say paths alone.
    public var publicURL: HTTPURL?
    /// What browsers of other origins may do. Default nothing.
    public var crossOrigin: CrossOrigin
    /// How much clients may take.
    public var limits: ServerLimits
    /// How many proxies lie before it, each of which appends to `X-Forwarded-For`. Default 0: what clients say there is
    /// not believed.
    public var proxies: Int
    /// The kinds of jobs that are known here.
    public var kinds: [KindDescription]
    /// Which jobs may come by webhook. Default none.
    public var hooks: Hooks
    /// Whose webhooks announce recordings of calls. Default nobody's.
    public var twilio: Twilio
    /// Kinds that nobody enqueues through the API, such as the queue's own messages. Default none.
    public var reservedKinds: Set<String>
    /// Where uploads go and results are. nil (default): neither is to be had.
    public var stores: Stores?
    /// What may be uploaded.
    public var uploads: Uploads
    /// How long the URL of a download is good. Default 15 minutes.
    public var downloadLifetime: Duration
    /// The schema that the queue lives in. Default "kiln".
    public var schema: String
    /// The program's version.
    public var version: String
    /// What time it is.
    public var now: @Sendable () -> Date

    /// What is left out is as said above.
    public init(
        address: String = "127.0.0.1", port: Int = 8000, publicURL: HTTPURL? = nil,
        crossOrigin: CrossOrigin = CrossOrigin(), limits: ServerLimits = ServerLimits(), proxies: Int = 0,
        kinds: [KindDescription] = [], hooks: Hooks = Hooks(), twilio: Twilio = Twilio(),
        reservedKinds: Set<String> = [], stores: Stores? = nil,
        uploads: Uploads = Uploads(),
        downloadLifetime: Duration = .seconds(900), schema: String = "kiln", version: String,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.address = address
        self.port = port
        self.publicURL = publicURL
        self.crossOrigin = crossOrigin
        self.limits = limits
        self.proxies = proxies
        self.kinds = kinds
        self.hooks = hooks
        self.twilio = twilio
        self.reservedKinds = reservedKinds
        self.stores = stores
        self.uploads = uploads
        self.downloadLifetime = downloadLifetime
        self.schema = schema
        self.version = version
        self.now = now
    }

    /// Why requests without a token are never served, whoever sends them; nil if those of this machine may be.
    var reasonForToken: String? {
        if !Self.isLoopback(address) { return "it listens on \(address), where others can reach it" }
        if proxies > 0 { return "it lies behind \(proxies == 1 ? "a proxy" : "proxies"), by which others reach it" }
        if let host = publicHost, !Self.isLoopback(host) { return "others know it by its public URL at \(host)" }
        if crossOrigin.origins.contains("*") { return "pages of any origin may call it" }
        return nil
    }

    /// Whether requests of this machine need no token as long as there is none.
    var mayServeAnybody: Bool { reasonForToken == nil }

    private static func isLoopback(_ host: String) -> Bool {
        ["localhost", "::1", "[::1]"].contains(host.lowercased())
            || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }

    /// The name by which clients know it.
    var publicHost: String? { publicURL?.host }
    /// Whether they reach it by TLS.
    var isPublicSecure: Bool { publicURL?.scheme == .https }

    /// Whether jobs of a kind are known to write files, so that their results may be believed to say where.
    func makesFiles(_ kind: String) -> Bool { kinds.contains { $0.name == kind && $0.makesFiles } }

    /// Where clients find something.
    func location(_ path: String) -> String {
        guard let publicURL else { return path }
        let base = publicURL.text.hasSuffix("/") ? String(publicURL.text.dropLast()) : publicURL.text
        return base + path
    }
}

/// A kind of job that is known to the API: payloads are checked against its schema before they are enqueued.
public struct KindDescription: Sendable, Hashable {
    /// What its handler is registered under.
    public var name: String
    /// One sentence.
    public var summary: String
    /// A JSON Schema (2020-12) of its payload; nil: anything goes.
    public var schema: JSONValue?
    /// Whether its jobs write files, and their results say where. Of other kinds, whose results may hold anything, no
    /// location is believed, and no URL signed. Default false.
    public var makesFiles: Bool

    /// - Parameter schema: see ``schema``.
    public init(_ name: String, summary: String = "", schema: JSONValue? = nil, makesFiles: Bool = false) {
        self.name = name
        self.summary = summary
        self.schema = schema
        self.makesFiles = makesFiles
    }
}
