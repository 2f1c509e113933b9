import Metrics

/// The metrics of one kind's attempts, looked up once.
struct KindMetrics: Sendable {
    let succeeded, failed, dead, cancelled, snoozed, released, refused, abandoned: Counter
    /// From the handler's start to its end.
    let seconds: Timer

    init(kind: String) {
        func counter(_ outcome: String) -> Counter {
            Counter(label: "kiln_jobs_total", dimensions: [("kind", kind), ("outcome", outcome)])
        }
        succeeded = counter("succeeded")
        failed = counter("failed")
        dead = counter("dead")
        cancelled = counter("cancelled")
        snoozed = counter("snoozed")
        released = counter("released")
        refused = counter("refused")
        abandoned = counter("abandoned")
        seconds = Timer(label: "kiln_job_duration_seconds", dimensions: [("kind", kind)])
    }
}

/// The metrics of a worker.
struct WorkerMetrics: Sendable {
    /// A round trip that claimed, with the results that went along.
    let claim = Timer(label: "kiln_claim_seconds")
    let renewFailures = Counter(label: "kiln_renew_failures_total")
    let leasesLost = Counter(label: "kiln_leases_lost_total")
    let rescued = Counter(label: "kiln_rescued_jobs_total")
    /// Handlers that run, those left to themselves not counted. Counted up and down, as values that were read in one
    /// order may be recorded in another.
    let running = Meter(label: "kiln_running_jobs")
}
