import FoundationEssentials
import JobQueue
import MediaKit

/// A job that `kiln dev` enqueues as an app would, and follows to its end.
struct DevJob: Sendable {
    /// The payload, with no more keys than are needed.
    struct Payload: Encodable, Sendable {
        var input: String
        /// `nil` has them recognised.
        var subtitles: SubtitleInput?
        /// `nil` leaves them as they are.
        var captions: Captions?
        var container: Container?

        struct Captions: Encodable, Sendable {
            var preset: String
        }
    }

    /// What became of it.
    struct Outcome: Sendable {
        var id: JobID
        var result: JobResult
        /// `nil` where nothing was recognised.
        var speech: SpeechSummary?
        /// From its being enqueued to its end.
        var seconds: Double
    }

    /// What its answer has beside the file.
    private struct Recognised: Decodable {
        var speech: SpeechSummary?
    }

    let queue: QueueClient

    /// Runs it.
    ///
    /// - Parameter show: is told how far it has come.
    /// - Throws: `JobFailure` if it does not succeed; `QueueError`; `CancellationError`.
    func run(_ payload: Payload, show: (@Sendable (Progress) -> Void)?) async throws -> Outcome {
        let begin = ContinuousClock.now
        // Whoever looks on does not want to see it tried again.
        let id = try await queue.enqueue(CaptionVideo.name, payload, options: EnqueueOptions(maxAttempts: 1))
        var last: JobInfo?
        for try await job in queue.follow(id) {
            last = job
            if let show, let progress = Self.progress(of: job) { show(progress) }
        }
        try Task.checkCancellation()
        guard let job = last, job.state.isFinished else { throw CancellationError() }
        guard job.state == .succeeded else { throw JobFailure(job: job) }
        let json = job.result ?? RawJSON("null")
        return Outcome(
            id: id, result: try json.decode(JobResult.self), speech: try json.decode(Recognised.self).speech,
            seconds: (ContinuousClock.now - begin) / .seconds(1))
    }

    /// What the engine has told, while it works.
    private static func progress(of job: JobInfo) -> Progress? {
        guard job.state == .running, let details = job.progress?.details,
            let json = try? JSONEncoder().encode(details)
        else { return nil }
        return try? JSONDecoder().decode(Progress.self, from: json)
    }
}
