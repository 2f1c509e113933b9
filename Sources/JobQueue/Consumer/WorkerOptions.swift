public import Foundation

/// What a worker takes on, and how patient it is.
public struct WorkerOptions: Sendable {
    /// What people see of it; the host and process by default.
    public var name: String
    /// How many handlers run at a time. Default: one per processor.
    public var slots: Int
    /// CPU cores that running jobs may take together. A job weighs 1 unless it or its kind says otherwise.
    /// nil, the default: as many as slots, so that only the slots count.
    public var cores: Double?
    /// Bytes of memory that running jobs may take together. Default: the machine's.
    public var memory: Int64
    /// How long the database waits for a renewal before it gives the jobs to others; at least 1 s. Renewed every
    /// quarter of it. Default 10 s.
    public var lease: Duration
    /// The queues to serve; nil: those of the registered kinds.
    public var queues: [String]?
    /// How long running handlers may go on after a graceful shutdown has begun. Default 30 s.
    public var grace: Duration
    /// How long a handler may take to stop after its task was cancelled, before it is left to itself. Default 10 s.
    public var cancellationGrace: Duration
    /// How often to look for work without any sign of it. Default 30 s; 0.5 s behind a pooler in transaction mode.
    public var pollInterval: Duration
    /// Whether this worker does housekeeping and fires schedules; among all workers one does at a time. Default true.
    public var maintains: Bool
    /// Connections for results, claims, steps and housekeeping; two more renew and listen. Default 4.
    public var connections: Int
    /// Where results of steps above 64 KB go.
    public var artifacts: (any StepArtifacts)?

    /// Out of range values are moved into it: at least 1 slot, 2 connections and a lease of 1 s.
    public init(
        name: String? = nil, slots: Int = ProcessInfo.processInfo.activeProcessorCount, cores: Double? = nil,
        memory: Int64? = nil, lease: Duration = .seconds(10), queues: [String]? = nil, grace: Duration = .seconds(30),
        cancellationGrace: Duration = .seconds(10), pollInterval: Duration = .seconds(30), maintains: Bool = true,
        connections: Int = 4, artifacts: (any StepArtifacts)? = nil
    ) {
        let process = ProcessInfo.processInfo
        self.name = name ?? "\(process.hostName):\(process.processIdentifier)"
        self.slots = max(1, slots)
        self.cores = cores
        self.memory = memory ?? Int64(clamping: process.physicalMemory)
        self.lease = max(lease, .seconds(1))
        self.queues = queues
        self.grace = grace
        self.cancellationGrace = cancellationGrace
        self.pollInterval = pollInterval
        self.maintains = maintains
        self.connections = max(2, connections)
        self.artifacts = artifacts
    }

    var capacity: JobWeight { JobWeight(cores: cores ?? Double(slots), memory: memory) }
}
