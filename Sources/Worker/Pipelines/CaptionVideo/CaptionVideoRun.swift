import FoundationEssentials
import JobQueue
import MediaKit
import Providers

/// Carries a job of the kind `pipeline.caption_video` out, step by step.
///
/// The video is read twice at most: the ranges of its sound to recognise it, and then once from front to back. What is
/// said lies in the store between the steps, as a file of the job's own: an attempt that comes later goes on from there.
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
        try request(.text("1\n00:00:00,000 --> 00:00:01,000\nx\n")).validate()
        let film = try await step(.probe, 0, 0.02) { try await $0.film() }
        let spoken = try await words(of: film)
        let rendered = try await step(.render, 0.35, 0.97) { try await $0.rendered(spoken, film) }
        let sidecars = try await self.sidecars(spoken)
        return CaptionVideo.Answer(
            result: rendered, speech: spoken?.summary, transcript: spoken?.place.map { $0.url },
            sidecars: sidecars)
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

    // MARK: What it is

    /// What the steps after need to know of the video.
    struct Film: Codable, Sendable {
        var hasSound: Bool
        /// Seconds.
        var duration: Double?
    }

    private func film() async throws -> Film {
        let info = try await media.engine.run(Probe(input: payload.input, limits: limits))
        guard info.streams.contains(where: { $0.kind == "video" }) else {
            throw MediaError(
                .badInput, "there are no pictures in it to caption",
                hint: "for sound alone, there is speech.transcribe", input: payload.input)
        }
        return Film(hasSound: info.streams.contains { $0.kind == "audio" }, duration: info.duration)
    }

    // MARK: What is said

    /// What is said, as one step after the other comes to it.
    struct Spoken: Codable, Sendable {
        /// Where the transcript lies; `nil` where the words were given and stay as they are.
        var place: JobResult.Output?
        var summary: CaptionVideo.SpeechSummary?
    }

    /// - Returns: `nil` where the given subtitles are used as they are.
    private func words(of film: Film) async throws -> Spoken? {
        let needsTranscript = payload.translate != nil || payload.addsTrack || !payload.sidecars.isEmpty
        if payload.subtitles != nil, !needsTranscript { return nil }
        let original = try await step(.transcribe, 0.02, 0.3) { try await $0.transcribed(film) }
        guard let language = payload.translate else { return original }
        return try await step(.translate, 0.3, 0.35) { try await $0.translated(original, to: language) }
    }

    private func transcribed(_ film: Film) async throws -> Spoken {
        if let subtitles = payload.subtitles {
            var transcript = try await given(subtitles)
            transcript.language = transcript.language ?? payload.speech.language
            return try await stored(transcript, usage: nil, as: "json")
        }
        guard film.hasSound else {
            throw MediaError(
                .badInput, "there is no sound in it to recognise", hint: "give the subtitles", input: payload.input)
        }
        let made = try await SpeechRun(job.context, services).transcribe(
            payload.speech.request(payload.input), engine: payload.speech.engine, media: media)
        return try await stored(made.transcript, usage: made.usage, as: "json")
    }

    private func given(_ subtitles: SubtitleInput) async throws -> Transcript {
        switch subtitles {
        case .transcript(let transcript): return transcript
        case .text(let text): return try Transcript.read(Array(text.utf8), name: "subtitles")
        case .file(let location):
            return try Transcript.read(try await media.read(location, limit: SubtitleLimits().bytes), name: location)
        case .embedded:
            throw MediaError(.badRequest, "an embedded track is burnt in as it is")
        }
    }

    private func translated(_ spoken: Spoken, to language: String) async throws -> Spoken {
        guard let model = try services.providers.chatModel() else {
            throw ProviderError(
                .configuration, "there is no language model to translate with", provider: "kiln",
                hint: "set OPENAI_API_KEY or ANTHROPIC_API_KEY, or leave translate out")
        }
        let transcript = try await transcript(of: spoken)
        let translated = try await CaptionTranslator(model: model).translate(transcript, to: language)
        var result = try await stored(translated, usage: nil, as: "\(language).json")
        result.summary?.usage = spoken.summary?.usage
        result.summary?.engine = spoken.summary?.engine
        return result
    }

    /// Writes a transcript beside the result.
    private func stored(
        _ transcript: Transcript, usage: TranscriptionUsage?, as fileExtension: String
    ) async throws -> Spoken {
        let text = try transcript.written(as: .json)
        let place = try await media.write(Array(text.utf8), to: beside(fileExtension), overwrite: payload.overwrite)
        return Spoken(place: place, summary: CaptionVideo.SpeechSummary(transcript, usage: usage))
    }

    private func transcript(of spoken: Spoken) async throws -> Transcript {
        guard let place = spoken.place else { throw MediaError(.internal, "a transcript without a place") }
        return try Transcript.read(try await media.read(place.url), name: place.url)
    }

    // MARK: What becomes of it

    private func rendered(_ spoken: Spoken?, _ film: Film) async throws -> JobResult {
        guard let spoken else { return try await media.render(request(payload.subtitles ?? .embedded(nil))) }
        let transcript = try await transcript(of: spoken)
        var tracks: [TextTrack] = []
        // Where nothing is said there is nothing to show.
        let isSilent = transcript.segments.isEmpty
        if payload.addsTrack, !isSilent {
            tracks = [TextTrack(subtitles: .transcript(transcript), language: transcript.language, isDefault: !payload.burns)]
        }
        guard payload.burns, !isSilent else {
            var copy = request(.text("")).withoutCaptions
            copy.textTracks = tracks
            return try await media.render(copy)
        }
        // Given subtitles keep what a transcript cannot hold, unless they were translated.
        let source: SubtitleInput =
            payload.translate == nil ? payload.subtitles ?? .transcript(transcript) : .transcript(transcript)
        var burn = request(source)
        burn.textTracks = tracks
        return try await media.render(burn)
    }

    private func sidecars(_ spoken: Spoken?) async throws -> [CaptionVideo.Sidecar] {
        guard let spoken, !payload.sidecars.isEmpty else { return [] }
        return try await step(.sidecars, 0.97, 1) { run in
            let transcript = try await run.transcript(of: spoken)
            var written: [CaptionVideo.Sidecar] = []
            for format in payload.sidecars {
                let text = try transcript.written(as: format, rules: payload.captions?.rules)
                // The transcript is there already, under a name of its own.
                let ending = format == .json ? "captions.json" : format.fileExtension
                let output = try await run.media.write(
                    Array(text.utf8), to: run.beside(ending), overwrite: payload.overwrite)
                written.append(CaptionVideo.Sidecar(format: format, output: output))
            }
            return written
        }
    }

    // MARK: Parts

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

    /// A name like the result's, with another ending.
    private func beside(_ fileExtension: String) -> String {
        let template = services.configuration.outputs.keyTemplate
        let place = OutputPlace(job.context)
        guard !payload.output.isEmpty else {
            return place.location(asked: "", template: template, fileExtension: fileExtension)
        }
        var stem = payload.output.replacing(".{extension}", with: "")
        if let dot = stem.lastIndex(of: "."), !stem[dot...].contains("/"), Container(fileName: stem) != nil {
            stem = String(stem[..<dot])
        }
        return place.location(asked: stem + "." + fileExtension, template: template, fileExtension: fileExtension)
    }
}

extension BurnSubtitles {
    /// The same video, as it would be without captions.
    fileprivate var withoutCaptions: Transcode {
        Transcode(
            input: input, output: output, container: container, video: video, audio: audio, streams: streams,
            start: start, end: end, indexFirst: indexFirst, bitexact: bitexact, overwrite: overwrite,
            threads: threads, limits: limits, tolerance: tolerance)
    }
}
