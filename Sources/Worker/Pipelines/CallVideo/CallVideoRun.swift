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
    private let services: JobServices
    private let work: WorkObjects
    private var media: MediaRun
    private var payload: CallVideo.Payload { job.payload }

    init(_ job: Job<CallVideo.Payload>, _ services: JobServices) {
        self.job = job
        self.services = services
        work = WorkObjects(job.context, services)
        media = MediaRun(job.context, services)
    }

    func run() async throws -> CallVideo.Answer {
        try burn("", .text("1\n00:00:00,000 --> 00:00:01,000\nx\n"), to: output).validate()
        media.resolver.expectRepeats(of: payload.audio)
        let sound = try await step(.normalizeAudio, 0, 0.05) { try await $0.normalized() }
        let spoken = try await words()
        let pictures = try await pictures()
        // The last of the steps writes the result.
        let hasWords = payload.showsWords && (spoken?.summary.segments ?? 0) > 0
        let hasFrame = payload.intro != nil || payload.outro != nil
        let body = try await step(.compose, 0.25, hasWords ? 0.55 : 0.75) { run in
            try await run.composed(sound, pictures, isLast: !hasWords && !hasFrame)
        }
        var result = body
        if hasWords, let spoken {
            result = try await step(.caption, 0.55, hasFrame ? 0.75 : 0.97) { run in
                try await run.captioned(body, spoken, isLast: !hasFrame)
            }
        }
        if hasFrame {
            let inner = result
            result = try await step(.assemble, 0.75, 0.97) { try await $0.assembled(inner) }
        }
        let video = result
        let thumbnail: JobResult.Output? =
            payload.thumbnail ? try await step(.thumbnail, 0.97, 1) { try await $0.thumbnail(of: video) } : nil
        await work.delete()
        return CallVideo.Answer(
            result: video, thumbnail: thumbnail, speech: spoken?.summary, transcript: spoken?.place.url,
            loudness: sound.loudness)
    }

    /// Runs a step, as a part of the job's progress.
    private func step<R: Codable & Sendable>(
        _ step: CallVideo.Step, number: Int? = nil, _ start: Double, _ end: Double,
        _ body: (CallVideoRun) async throws -> R
    ) async throws -> R {
        var run = self
        run.media.span = ProgressSpan(start: start, end: end, phase: step.rawValue)
        run.media.report(0)
        return try await job.step(step.rawValue + (number.map { "_\($0)" } ?? "")) { try await body(run) }
    }

    // MARK: Sound

    /// The call's sound as it will be heard.
    struct Sound: Codable, Sendable {
        var location: String
        var loudness: CallVideo.Loudness
    }

    private func normalized() async throws -> Sound {
        // Mixed to one before it is measured: two sides beside each other are louder than one above the other.
        let plain = work.location("sound.flac")
        _ = try await media.run(
            ExtractAudio(
                input: payload.audio, output: plain, container: .flac,
                audio: AudioSettings(codec: .flac, sampleRate: 48_000, channels: payload.isMono ? 1 : nil),
                track: payload.speech.track,
                overwrite: true, threads: payload.threads, limits: limits))
        let level = work.location("level.flac")
        let made = try await media.run(
            NormalizeLoudness(
                input: plain, output: level, container: .flac, target: payload.loudness,
                audio: AudioSettings(codec: .flac), overwrite: true, threads: payload.threads, limits: limits))
        guard let track = made.tracks.first else { throw MediaError(.internal, "a level without a track") }
        let loudness = CallVideo.Loudness(
            before: track.before.integrated, after: track.after.integrated, gain: track.gain)
        guard let music = payload.music else { return Sound(location: level, loudness: loudness) }
        let mixed = work.location("mixed.flac")
        _ = try await media.run(
            MixAudio(
                inputs: [
                    MixInput(input: level),
                    MixInput(
                        input: music.input, gain: music.gain, fadeIn: 0.5, fadeOut: 2, loop: true, duck: Ducking(key: 0)
                    ),
                ], output: mixed, container: .flac, audio: AudioSettings(codec: .flac), length: .first, overwrite: true,
                threads: payload.threads, limits: limits))
        return Sound(location: mixed, loudness: loudness)
    }

    private func words() async throws -> SpokenWords? {
        guard payload.showsWords else { return nil }
        return try await step(.transcribe, 0.05, 0.25) { run in
            try await SpokenWords.found(
                in: payload.audio, given: payload.subtitles, payload.speech, at: run.place.beside("json"),
                overwrite: payload.overwrite, run.media)
        }
    }

    // MARK: Pictures

    /// Those that were given, or made.
    private func pictures() async throws -> [Clip] {
        guard let generate = payload.generate else { return payload.pictures }
        let generator = try Generator(generate.kind, services, payload.size.aspect)
        var clips: [Clip] = []
        for (index, prompt) in generate.prompts.enumerated() {
            let number = index + 1
            // Ordered once, whatever becomes of the attempt: an order is paid for.
            let ticket = try await step(.orderPicture, number: number, 0.25, 0.25) { _ in
                try await generator.order(prompt)
            }
            let place = try await step(.fetchPicture, number: number, 0.25, 0.25) { run in
                let made: GeneratedMedia
                do {
                    made = try await generator.wait(ticket)
                } catch let error as ProviderError where error.code == .expired {
                    // The service has thrown away what was ordered: it has to be made anew.
                    made = try await generator.wait(try await generator.order(prompt))
                }
                let name = "picture-\(number)." + made.fileExtension(else: generate.kind == .image ? "png" : "mp4")
                return try await run.work.fetch(made.url, as: name, run.media)
            }
            clips.append(Clip(input: place))
        }
        return clips
    }

    private func composed(_ sound: Sound, _ pictures: [Clip], isLast: Bool) async throws -> JobResult {
        let place = isLast ? output : work.location("body.mkv")
        let settings = isLast ? payload.video : WorkObjects.video
        let audio = isLast ? self.audio : AudioSettings(codec: .flac)
        let container = isLast ? self.container : .mkv
        let overwrite = isLast ? payload.overwrite : true
        guard !pictures.isEmpty else {
            return try await media.draw(
                Waveform(
                    input: sound.location, output: place, container: container, style: payload.wave.style,
                    width: payload.size.width, height: payload.size.height, colors: payload.wave.colors,
                    backgroundColor: payload.wave.backgroundColor, background: payload.wave.background,
                    waveHeight: 0.4, video: settings, audio: audio, overwrite: overwrite, threads: payload.threads,
                    limits: payload.limits))
        }
        var video = settings
        video.size = PictureSize(width: payload.size.width, height: payload.size.height, fit: .cover)
        return try await media.render(
            ConcatenateClips(
                clips: pictures, output: place, crossFade: payload.crossFade ?? CrossFade(seconds: 1),
                sound: sound.location, container: container, video: video, audio: audio, overwrite: overwrite,
                threads: payload.threads, limits: payload.limits))
    }

    private func captioned(_ body: JobResult, _ spoken: SpokenWords, isLast: Bool) async throws -> JobResult {
        guard let input = body.url else { throw MediaError(.internal, "a body without a place") }
        var request = burn(
            input, .transcript(try await spoken.transcript(media)), to: isLast ? output : work.location("captioned.mkv")
        )
        if !isLast {
            (request.video, request.container, request.overwrite) = (WorkObjects.video, .mkv, true)
            request.audio = AudioSettings(codec: .copy)
        }
        return try await media.render(request)
    }

    private func burn(_ input: String, _ words: SubtitleInput, to output: String) -> BurnSubtitles {
        BurnSubtitles(
            input: input, subtitles: words, output: output, style: payload.style,
            captions: payload.captions ?? .ofCalls, fonts: payload.fonts, container: container, video: payload.video,
            audio: audio, overwrite: payload.overwrite, threads: payload.threads, limits: payload.limits)
    }

    private func assembled(_ inner: JobResult) async throws -> JobResult {
        guard let input = inner.url else { throw MediaError(.internal, "a video without a place") }
        var video = payload.video
        video.size = PictureSize(width: payload.size.width, height: payload.size.height, fit: .contain)
        let clips = [payload.intro, input, payload.outro].compactMap { $0 }.map { Clip(input: $0) }
        return try await media.render(
            ConcatenateClips(
                clips: clips, output: output, container: container, video: video, audio: audio,
                overwrite: payload.overwrite, threads: payload.threads, limits: payload.limits))
    }

    private func thumbnail(of video: JobResult) async throws -> JobResult.Output {
        guard let input = video.url else { throw MediaError(.internal, "a video without a place") }
        let place = self.place.beside("jpg")
        let made = try await media.run(
            Thumbnail(input: input, output: place, overwrite: payload.overwrite, limits: limits))
        guard let picture = made.outputs.first else { throw MediaError(.internal, "a thumbnail without a picture") }
        return try await media.output(place, size: picture.bytes, duration: 0)
    }

    // MARK: Parts

    private var limits: Limits { payload.limits.capped(by: services.configuration.limits) }
    private var container: Container? {
        payload.container ?? (payload.output.isEmpty || Container(fileName: payload.output) == nil ? .mp4 : nil)
    }
    /// The sound between the steps is without loss; players and the web want it as the container usually has it.
    private var audio: AudioSettings {
        AudioSettings(codec: (container ?? Container(fileName: payload.output)) == .webm ? .opus : .aac)
    }
    private var place: ResultPlace { ResultPlace(job.context, services, asked: payload.output) }
    /// Where the result goes.
    private var output: String { payload.output }
}

/// One of the two that make pictures, as the steps use them.
private struct Generator {
    let order: @Sendable (String) async throws -> GenerationTicket
    let wait: @Sendable (GenerationTicket) async throws -> GeneratedMedia

    init(_ kind: CallVideo.Generation.Kind, _ services: JobServices, _ aspect: Aspect) throws {
        switch kind {
        case .image:
            guard let generator = services.providers.imageGenerator() else { throw Self.missing }
            order = { try await generator.submit(ImageRequest(prompt: $0, aspect: aspect)) }
            wait = { try await generator.result($0) }
        case .video:
            guard let generator = services.providers.videoGenerator() else { throw Self.missing }
            order = { try await generator.submit(VideoRequest(prompt: $0, aspect: aspect)) }
            wait = { try await generator.result($0) }
        }
    }

    private static let missing = ProviderError(
        .configuration, "there is nothing to make pictures with", provider: "kiln",
        hint: "set FAL_KEY, or give pictures, or leave generate out for a wave")
}
