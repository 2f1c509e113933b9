import JobQueue

/// A video of a call: its sound, as loud as others are, under pictures, with what is said word by word.
enum CallVideo: JobKind {
    static let name = "pipeline.call_video"
    static let summary = "Make a video of a call's sound: pictures or a wave, and captions."
    static let weight = KindWeight(cores: 1, memory: 256 << 20)
    static let makesFiles = true

    static func run(_ job: Job<Payload>, _ services: JobServices) async throws -> Answer {
        try await CallVideoRun(job, services).run()
    }

    /// The steps, each of which runs once over all attempts of a job.
    enum Step: String, Sendable, CaseIterable {
        case normalizeAudio = "normalize_audio"
        case transcribe
        /// One for each picture: `order_picture_1`; `order_picture_1_again_1` where that came to nothing.
        case orderPicture = "order_picture"
        case fetchPicture = "fetch_picture"
        case compose, caption, assemble, thumbnail
        /// To where nothing can be read: a URL.
        case deliver
    }
}
