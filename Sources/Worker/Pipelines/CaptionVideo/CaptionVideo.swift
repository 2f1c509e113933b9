import JobQueue

/// Captions for a video: what is said is recognised, and drawn into the pictures, put beside them, or both.
enum CaptionVideo: JobKind {
    static let name = "pipeline.caption_video"
    static let summary = "Recognise what is said in a video, and caption it."
    static let weight = KindWeight(cores: 1, memory: 256 << 20)
    static let makesFiles = true

    static func run(_ job: Job<Payload>, _ services: JobServices) async throws -> Answer {
        try await CaptionVideoRun(job, services).run()
    }

    /// The steps, each of which runs once over all attempts of a job.
    enum Step: String, Sendable, CaseIterable {
        case probe, transcribe, translate, render, sidecars
    }
}
