import FoundationEssentials
import JobQueue
import MediaKit
import Providers

/// Carries a job of the kind `pipeline.caption_video` out, step by step.
///
/// The video is read twice at most: the ranges of its sound to recognise it, and then once from front to back; a small one
/// is fetched once (``HeldInputs``). What is said lies in the store between the steps, as a file of the job's own: an attempt
/// that comes later goes on from there.
struct CaptionVideoRun {
    private let job: Job<CaptionVideo.Payload>
    private let services: JobServices
    private var media: MediaRun
    private var payload: CaptionVideo.Payload { job.payload }

    init(_ job: Job<CaptionVideo.Payload>, _ services: JobServices) {
        self.job = job
        self.services = services
        media = MediaRun(job.context, services)
    }

    func run() async throws -> CaptionVideo.Answer {
        // What makes no sense need not be recognised first.
        try validate()
        media.resolver.expectRepeats(of: payload.input)
        let film = try await step(.probe, 0, 0.02) { try await $0.film() }
        let spoken = try await words(of: film)
        let rendered = try await step(.render, 0.35, 0.97) { try await $0.rendered(spoken, film) }
        let sidecars = try await self.sidecars(spoken, film)
        return CaptionVideo.Answer(
            result: rendered, speech: spoken?.summary, transcript: spoken?.place.url, sidecars: sidecars)
    }

    /// Runs a step, as a part of the job's progress.
    private func step<R: Codable & Sendable>(
        _ step: CaptionVideo.Step, _ start: Double, _ end: Double, _ body: (CaptionVideoRun) async throws -> R
    ) async throws -> R {
        var run = self
        run.media.span = ProgressSpan(start: start, end: end, phase: step.rawValue)
        run.media.report(0)
        return try await job.step(step.rawValue) { try await body(run) }
    }

    private func validate() throws {
        let words = SubtitleInput.text("1\n00:00:00,000 --> 00:00:01,000\nx\n")
        var burn = request(words)
        if payload.addsTrack { burn.textTracks = [TextTrack(subtitles: words)] }
        guard !payload.burns else { return try burn.validate() }
        // Pictures that are not drawn into may be copied.
        try payload.style.validate()
        try payload.captions?.validate()
        try burn.withoutCaptions.validate()
    }

    // MARK: What it is

    /// What the steps after need to know of the video.
    struct Film: Codable, Sendable {
        var hasSound: Bool
        /// Seconds.
        var duration: Double?
        /// Pixels, as it is shown.
        var width: Int?
        var height: Int?
    }

    private func film() async throws -> Film {
        let info = try await media.engine.run(Probe(input: payload.input, limits: limits))
        guard let pictures = info.streams.first(where: { $0.kind == "video" }) else {
            throw MediaError(
                .badInput, "there are no pictures in it to caption",
                hint: "for sound alone, there is speech.transcribe", input: payload.input)
        }
        return Film(
            hasSound: info.streams.contains { $0.kind == "audio" }, duration: info.duration,
            width: pictures.video?.displayWidth, height: pictures.video?.displayHeight)
    }

    // MARK: What is said

    /// - Returns: `nil` where the given subtitles are used as they are.
    private func words(of film: Film) async throws -> SpokenWords? {
        let needsTranscript = payload.translate != nil || payload.addsTrack || !payload.sidecars.isEmpty
        if payload.subtitles != nil, !needsTranscript { return nil }
        let original = try await step(.transcribe, 0.02, 0.3) { run in
            guard film.hasSound || payload.subtitles != nil else {
                throw MediaError(
                    .badInput, "there is no sound in it to recognise", hint: "give the subtitles", input: payload.input)
            }
            // An hour of listening must not end in "exists already".
            if run.payload.subtitles == nil { try await run.claimOutputs() }
            return try await SpokenWords.found(
                in: payload.input, given: payload.subtitles, payload.speech, at: run.beside("json"),
                overwrite: payload.overwrite, run.media)
        }
        // What is in that language already would only lose the times of its words.
        guard let language = payload.translate, !original.summary.isIn(language) else { return original }
        return try await step(.translate, 0.3, 0.35) { try await $0.translated(original, to: language) }
    }

    /// Takes the names of all that will be written, but for a URL of the web.
    private func claimOutputs() async throws {
        let result = media.completed(request(.text(""))).output
        var places = [beside("json")] + payload.sidecars.map { beside(Self.ending($0)) }
        if let language = payload.translate { places.append(beside("\(language).json")) }
        if !ResultPlace.isWeb(result) { places.insert(result, at: 0) }
        for place in places { try await media.resolver.claim(place, overwrite: payload.overwrite) }
    }

    private func translated(_ spoken: SpokenWords, to language: String) async throws -> SpokenWords {
        guard let model = services.providers.chatModel() else {
            throw ProviderError(
                .configuration, "there is no language model to translate with", provider: "kiln",
                hint: "set OPENAI_API_KEY or ANTHROPIC_API_KEY, or leave translate out")
        }
        let transcript = try await spoken.transcript(media)
        let translated = try await TranscriptTranslator(model: model).translate(transcript, to: language)
        var result = try await SpokenWords.stored(
            translated.transcript, usage: spoken.summary.usage, at: beside("\(language).json"),
            overwrite: payload.overwrite, media)
        result.summary.translation = SpeechSummary.Translation(engine: translated.engine, usage: translated.usage)
        return result
    }

    // MARK: What becomes of it

    private func rendered(_ spoken: SpokenWords?, _ film: Film) async throws -> JobResult {
        guard let spoken else { return try await media.render(request(payload.subtitles ?? .embedded(nil))) }
        let transcript = try await spoken.transcript(media)
        var tracks: [TextTrack] = []
        // Where nothing is said there is nothing to show.
        let isSilent = transcript.segments.isEmpty
        if payload.addsTrack, !isSilent {
            tracks = [
                TextTrack(
                    subtitles: try trackText(transcript), language: transcript.languageTag, isDefault: !payload.burns)
            ]
        }
        guard payload.burns, !isSilent else {
            var plain = request(.text(""))
            plain.textTracks = tracks
            return try await media.render(plain.withoutCaptions)
        }
        // Given subtitles keep what a transcript cannot hold, unless they were translated.
        let source: SubtitleInput =
            payload.translate == nil ? payload.subtitles ?? .transcript(transcript) : .transcript(transcript)
        var burn = request(source)
        burn.textTracks = tracks
        return try await media.render(burn)
    }

    /// What a track says: what was given as it is, unless it is to be cut in another way.
    private func trackText(_ transcript: Transcript) throws -> SubtitleInput {
        let rules = payload.captions?.rules
        if payload.translate == nil, rules == nil, let given = payload.subtitles { return given }
        return .text(try transcript.written(as: .vtt, rules: rules ?? CaptionRules()))
    }

    private func sidecars(_ spoken: SpokenWords?, _ film: Film) async throws -> [CaptionVideo.Sidecar] {
        guard let spoken, !payload.sidecars.isEmpty else { return [] }
        var options = TranscriptWriting()
        (options.style, options.look) = (payload.style, payload.captions)
        if let width = film.width, let height = film.height, width > 0, height > 0 {
            options.canvas = CaptionCanvas(width: width, height: height)
        }
        let writing = options
        return try await step(.sidecars, 0.97, 1) { run in
            let transcript = try await spoken.transcript(run.media)
            var written: [CaptionVideo.Sidecar] = []
            for format in payload.sidecars {
                let text = try transcript.written(
                    as: format, rules: payload.captions?.rules ?? CaptionRules(), options: writing)
                let output = try await run.media.write(
                    Array(text.utf8), to: run.beside(Self.ending(format)), overwrite: payload.overwrite)
                written.append(CaptionVideo.Sidecar(format: format, output: output))
            }
            return written
        }
    }

    // MARK: Parts

    /// The transcript is there already, under a name of its own.
    private static func ending(_ sidecar: TranscriptFormat) -> String {
        sidecar == .json ? "captions.json" : sidecar.fileExtension
    }

    private var limits: Limits { payload.limits.capped(by: services.configuration.limits) }

    private func request(_ subtitles: SubtitleInput) -> BurnSubtitles {
        BurnSubtitles(
            input: payload.input, subtitles: subtitles, output: payload.output, style: payload.style,
            captions: payload.captions, fonts: payload.fonts, container: payload.container ?? usualContainer,
            video: payload.video, audio: payload.audio, overwrite: payload.overwrite, threads: payload.threads,
            limits: payload.limits)
    }

    private var usualContainer: Container? {
        payload.output.isEmpty || Container(fileName: payload.output) == nil ? .mp4 : nil
    }

    private func beside(_ fileExtension: String) -> String {
        ResultPlace(job.context, services, asked: payload.output).beside(fileExtension)
    }
}

extension BurnSubtitles {
    /// The same video, as it would be without captions.
    fileprivate var withoutCaptions: Transcode {
        Transcode(
            input: input, output: output, container: container, video: video, audio: audio, streams: streams,
            textTracks: textTracks, start: start, end: end, indexFirst: indexFirst, bitexact: bitexact,
            overwrite: overwrite,
            threads: threads, limits: limits, tolerance: tolerance)
    }
}
