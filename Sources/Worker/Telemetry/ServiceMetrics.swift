import JobQueue
import Telemetry

/// The names of what the service counts, and what is read for each page.
enum ServiceMetrics {
    static let wait = "kiln_job_wait_seconds"
    static let read = "kiln_read_bytes_total"
    static let written = "kiln_written_bytes_total"
    static let mediaSeconds = "kiln_media_seconds_total"
    static let speed = "kiln_media_speed_ratio"

    /// In words, with the buckets that suit them; of the other libraries' too.
    static let descriptions = [
        MetricDescription(wait, "From the time that a job could run to the start of its handler."),
        MetricDescription(read, "Bytes that the engine took of its inputs."),
        MetricDescription(written, "Bytes that the engine gave its outputs."),
        MetricDescription(mediaSeconds, "Seconds of media that were made."),
        MetricDescription(
            speed, "Seconds of media made in a second of work.",
            buckets: HistogramBuckets([0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 100, 200, 500, 1000])),
        MetricDescription("kiln_jobs_total", "Attempts that ended here, by their outcome."),
        MetricDescription("kiln_job_duration_seconds", "From a handler's start to its end."),
        MetricDescription("kiln_running_jobs", "Handlers that run now."),
        MetricDescription(
            "kiln_claim_seconds", "Round trips that claimed jobs and wrote outcomes.", buckets: .latencies),
        MetricDescription("kiln_rescued_jobs_total", "Jobs of workers that had died, put back by this one."),
        MetricDescription("kiln_renew_failures_total", "Tries to renew the lease that failed."),
        MetricDescription("kiln_leases_lost_total", "Leases that could not be renewed in time."),
        MetricDescription("kiln_http_request_duration_seconds", "From a request to its answer.", buckets: .latencies),
    ]

    /// What a worker has, and what its jobs have of it.
    static func collect(_ jobs: RunningJobs, of work: WorkerConfiguration.Work, in registry: MetricsRegistry) {
        registry.collect([
            CollectedMetric("kiln_cores", .gauge, "CPU cores that jobs share."),
            CollectedMetric("kiln_cores_taken", .gauge, "CPU cores that running jobs have."),
            CollectedMetric("kiln_memory_bytes", .gauge, "Memory that jobs share."),
            CollectedMetric("kiln_memory_taken_bytes", .gauge, "Memory that running jobs have."),
        ]) {
            let share = jobs.share
            return [
                MetricReading("kiln_cores", work.cores), MetricReading("kiln_cores_taken", share.cores),
                MetricReading("kiln_memory_bytes", Double(work.memory)),
                MetricReading("kiln_memory_taken_bytes", Double(share.memory)),
            ]
        }
    }

    /// The queue as the database knows it: the same from every process that is asked.
    static func collect(_ queue: QueueClient, in registry: MetricsRegistry) {
        registry.collect([CollectedMetric("kiln_queue_jobs", .gauge, "Unfinished jobs, by queue and state.")]) {
            try await queue.queues().flatMap { info in
                [
                    ("blocked", info.blocked), ("scheduled", info.scheduled), ("ready", info.ready),
                    ("running", info.running), ("failed", info.failed),
                ].map { state, count in
                    MetricReading(
                        "kiln_queue_jobs", Double(count), dimensions: [("queue", info.queue), ("state", state)])
                }
            }
        }
        registry.collect([
            CollectedMetric(
                "kiln_queue_oldest_ready_seconds", .gauge, "How long the longest-waiting job has been ready."),
            CollectedMetric("kiln_queue_dead_jobs", .gauge, "Jobs among the dead letters."),
            CollectedMetric("kiln_workers_alive", .gauge, "Workers whose lease is good."),
        ]) {
            let health = try await queue.health()
            return [
                MetricReading("kiln_queue_oldest_ready_seconds", health.oldestReadySeconds ?? 0),
                MetricReading("kiln_queue_dead_jobs", Double(health.dead)),
                MetricReading("kiln_workers_alive", Double(health.workersAlive)),
            ]
        }
    }
}
