public import Foundation

/// What the health listener tells, and where.
public struct HealthSettings: Sendable {
    /// A kind of jobs that this process runs.
    public struct Worker: Sendable, Hashable, Codable {
        /// The kind's name.
        public var name: String
        /// Whether jobs of it are taken.
        public var isRunning: Bool
        /// Jobs of it that run now.
        public var activeJobs: Int
        /// How many may at a time.
        public var maxConcurrentJobs: Int
        /// What does the work, such as "libav".
        public var provider: String
        /// What it can do, in words.
        public var features: [String]

        /// - Parameter provider: default "kiln".
        public init(
            name: String, isRunning: Bool, activeJobs: Int, maxConcurrentJobs: Int, provider: String = "kiln",
            features: [String] = []
        ) {
            self.name = name
            self.isRunning = isRunning
            self.activeJobs = activeJobs
            self.maxConcurrentJobs = maxConcurrentJobs
            self.provider = provider
            self.features = features
        }
    }

    /// Something that the process needs for its work.
    public struct Check: Sendable, Hashable {
        /// Such as "database". Everybody may see it.
        public var name: String
        /// Whether it is there.
        public var isMet: Bool

        /// - Parameter name: nothing secret.
        public init(_ name: String, isMet: Bool) {
            self.name = name
            self.isMet = isMet
        }
    }

    /// Where it listens. Default "0.0.0.0": all interfaces.
    public var address: String
    /// Default 8080; 0 is any that is free.
    public var port: Int
    /// When the process began.
    public var startedAt: Date
    /// What time it is.
    public var now: @Sendable () -> Date
    /// The kinds that this process runs; none where it serves the API alone.
    public var workers: @Sendable () async -> [Worker]
    /// What must be met for the process to be sent work.
    public var checks: @Sendable () async -> [Check]
    /// What Prometheus reads.
    public var metrics: @Sendable () async -> String

    /// What is left out is as said above.
    public init(
        address: String = "0.0.0.0", port: Int = 8080, startedAt: Date = Date(),
        now: @escaping @Sendable () -> Date = { Date() },
        workers: @escaping @Sendable () async -> [Worker] = { [] },
        checks: @escaping @Sendable () async -> [Check] = { [] },
        metrics: @escaping @Sendable () async -> String = { "" }
    ) {
        self.address = address
        self.port = port
        self.startedAt = startedAt
        self.now = now
        self.workers = workers
        self.checks = checks
        self.metrics = metrics
    }
}
