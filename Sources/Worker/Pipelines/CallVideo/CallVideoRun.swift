import FoundationEssentials
import JobQueue
import MediaKit
import Providers
import Transfer

/// Carries a job of the kind `pipeline.call_video` out, step by step.
///
/// What one step leaves for the next lies in the store below `work/` and the job's id, as good as it was made: sound without
/// loss, pictures nearly so. It is deleted when the video is there.
struct CallVideoRun {
    private let job: Job<CallVideo.Payload>
    let services: JobServices
    let work: WorkObjects
    var media: MediaRun
    var payload: CallVideo.Payload { job.payload }

    init(_ job: Job<CallVideo.Payload>, _ services: JobServices) {
        self.job = job
        self.services = services
        work = WorkObjects(job.context, services)
        media = MediaRun(job.context, services)
    }

    func run() async throws -> CallVideo.Answer {
        try check()
        let generator = try payload.generate.map { try PictureGenerator($0.kind, services, payload.size.aspect) }
        // Shown and played again and again, they are fetched once.
        for input in [payload.audio, payload.music?.input].compactMap({ $0 }) + payload.pictures.map(\.input) {
            media.resolver.expectRepeats(of: input)
        }
        let folder = try await work.begin()
        let sound = try await step(.normalizeAudio, 0, 0.05) { try await $0.normalized() }
        let spoken = try await words()
        var pictures = payload.pictures
        if let generate = payload.generate, let generator {
            pictures = try await made(generate.prompts, generate.kind, generator)
        }
        // The last of the steps writes the result.
        let hasWords = payload.showsWords && (spoken?.summary.segments ?? 0) > 0
        let body = try await step(.compose, 0.25, hasWords ? 0.55 : 0.75) { run in
            try await run.composed(sound.location, pictures, isLast: !hasWords && !hasFrame)
        }
        var result = body
        if hasWords, let spoken {
            result = try await step(.caption, 0.55, hasFrame ? 0.75 : 0.96) { run in
                try await run.captioned(body, spoken, isLast: !hasFrame)
            }
        }
        if hasFrame {
            let inner = result
            result = try await step(.assemble, 0.75, 0.96) { try await $0.assembled(inner) }
        }
        let made = result
        let thumbnail: JobResult.Output? =
            payload.thumbnail ? try await step(.thumbnail, 0.96, 0.98) { try await $0.thumbnail(of: made) } : nil
        if isDelivered { result = try await step(.deliver, 0.98, 1) { try await $0.delivered(made) } }
        await work.delete(folder)
        return CallVideo.Answer(
            result: result, thumbnail: thumbnail, speech: spoken?.summary, transcript: spoken?.place.url,
            loudness: sound.loudness)
    }

    /// Whether there is something before or after the call.
    var hasFrame: Bool { payload.intro != nil || payload.outro != nil }

    /// Runs a step, as a part of the job's progress.
    ///
    /// - Parameter suffix: what tells it from others of its kind.
    func step<R: Codable & Sendable>(
        _ step: CallVideo.Step, named suffix: String = "", _ start: Double, _ end: Double,
        _ body: (CallVideoRun) async throws -> R
    ) async throws -> R {
        var run = self
        run.media.span = ProgressSpan(start: start, end: end, phase: step.rawValue)
        run.media.report(0)
        return try await job.step(step.rawValue + suffix) { try await body(run) }
    }

    private func words() async throws -> SpokenWords? {
        guard payload.showsWords else { return nil }
        return try await step(.transcribe, 0.05, 0.25) { run in
            try await SpokenWords.found(
                in: payload.audio, given: payload.subtitles, payload.speech, at: run.place.beside("json"),
                overwrite: payload.overwrite, run.media)
        }
    }
}
