import FoundationEssentials
import JobQueue

/// A kind of job: what its payload is, what it weighs, and what runs it. One file for each, listed in ``JobKinds``.
protocol JobKind: Sendable {
    associatedtype Payload: Decodable & Sendable
    associatedtype Answer: Encodable & Sendable

    /// "media.transcode"
    static var name: String { get }
    /// One sentence for people.
    static var summary: String { get }
    /// What a job takes of a worker unless it is enqueued with another weight.
    static var weight: KindWeight { get }
    /// Whether its jobs write files, and the answer says where: such an answer is trusted with signed URLs.
    static var makesFiles: Bool { get }
    /// Of the payload.
    static var schema: JSONSchema { get throws }

    /// How often a job is tried, and how long it waits in between.
    static func retries(_ work: WorkerConfiguration.Work) -> RetryPolicy

    /// Runs a job. What it throws is judged by ``FailureVerdict``.
    static func run(_ job: Job<Payload>, _ services: JobServices) async throws -> Answer
}

/// What a kind's jobs take while they run.
struct KindWeight: Sendable, Hashable {
    /// CPU cores; may be a fraction.
    var cores: Double
    /// Bytes.
    var memory: Int64
}

extension JobKind {
    static var makesFiles: Bool { false }

    static func retries(_ work: WorkerConfiguration.Work) -> RetryPolicy {
        RetryPolicy(maxAttempts: work.maxAttempts, base: work.retryDelay, jitter: .equal)
    }

    /// Has a worker run this kind.
    static func register(on worker: QueueWorker, _ services: JobServices) {
        let work = services.configuration.worker
        let options = KindOptions(
            // More memory than the worker has would leave the job to a larger one, also where it needs far less.
            cores: min(weight.cores, work.cores), memory: min(weight.memory, work.memory), retry: retries(work),
            concurrency: work.concurrencyPerKind)
        let longest = options.retry.cap
        worker.register(name, options) { (job: Job<Payload>) async throws -> Answer in
            do {
                try await services.reportStart(of: job.context)
                return try await run(job, services)
            } catch {
                throw JobError.waiting(atMost: longest, FailureVerdict(error).logging(to: job.logger))
            }
        }
    }

    /// The kind as `kiln kinds` shows it.
    static var description: KindDescription {
        get throws { KindDescription(kind: name, summary: summary, weight: weight, schema: try schema) }
    }
}

/// What is known of a kind without running it.
struct KindDescription: Sendable {
    var kind: String
    var summary: String
    var weight: KindWeight
    var schema: JSONSchema
}

extension JobError {
    /// An error that puts its job off for no longer than that: who is asked decides when it is asked again, but not
    /// that it never is.
    static func waiting(atMost longest: Duration, _ error: any Error) -> any Error {
        guard case JobError.retry(let after?, let message) = error, after > longest else { return error }
        return JobError.retry(after: longest, message)
    }
}
