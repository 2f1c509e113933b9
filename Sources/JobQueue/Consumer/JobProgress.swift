public import Foundation

/// How far a job has come, as its handler told.
public struct JobProgress: Sendable, Hashable {
    /// From 0 to 1.
    public var fraction: Double
    /// What it is doing, in a word.
    public var phase: String?
    /// The same for people, in a sentence.
    public var message: String?
    /// JSON of whatever else the handler had to say.
    public var details: Data?

    /// - Parameter details: JSON.
    public init(fraction: Double, phase: String? = nil, message: String? = nil, details: Data? = nil) {
        self.fraction = fraction
        self.phase = phase
        self.message = message
        self.details = details
    }

    /// An element of what `worker_progress` takes.
    func json(of job: ClaimedJob, checkpoint: PostgresJSON? = nil) -> PostgresJSON {
        var text = JSONText()
        text.add("id", job.id.uuidString)
        text.add("token", job.token)
        text.add("fraction", fraction)
        text.add("phase", phase)
        text.add("message", message)
        text.add("details", details.map { PostgresJSON($0) })
        text.add("checkpoint", checkpoint)
        return text.json
    }
}
