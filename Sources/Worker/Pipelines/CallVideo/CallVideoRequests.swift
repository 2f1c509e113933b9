import FoundationEssentials
import JobQueue
import MediaKit

/// What the steps ask of the engine.
extension CallVideoRun {
    /// Refuses what no step could do, before the first has cost time or money.
    func check() throws {
        let words = SubtitleInput.text("1\n00:00:00,000 --> 00:00:01,000\nx\n")
        if payload.showsWords { try burn("in", words, isLast: !hasFrame).validate() }
        let pictures = payload.generate == nil ? payload.pictures : [Clip(input: "in")]
        // Where nobody speaks it is the last, too.
        if pictures.isEmpty {
            try wave("in", isLast: !hasFrame).validate()
        } else {
            try sequence("in", pictures, isLast: !hasFrame).validate()
        }
        if hasFrame { try frame(around: "in").validate() }
        if let music = payload.music { try mix("in", music, to: "out").validate() }
    }

    // MARK: Steps

    func composed(_ sound: String, _ pictures: [Clip], isLast: Bool) async throws -> JobResult {
        guard pictures.isEmpty else { return try await media.render(sequence(sound, pictures, isLast: isLast)) }
        let wave = wave(sound, isLast: isLast)
        // Sound has no pictures whose size would tell what encoding takes.
        let pixels = wave.width * wave.height
        let estimate = WeightEstimate(input: pixels, output: pixels, video: wave.video)
        try await media.weigh(cores: payload.threads.map(Double.init) ?? estimate.cores, memory: estimate.memory)
        return try await media.draw(wave)
    }

    func captioned(_ body: JobResult, _ spoken: SpokenWords, isLast: Bool) async throws -> JobResult {
        let words = SubtitleInput.transcript(try await spoken.transcript(media))
        return try await media.render(burn(try place(of: body), words, isLast: isLast))
    }

    func assembled(_ inner: JobResult) async throws -> JobResult {
        try await media.render(frame(around: try place(of: inner)))
    }

    func thumbnail(of video: JobResult) async throws -> JobResult.Output {
        let place = self.place.beside("jpg")
        let made = try await media.run(
            Thumbnail(
                input: try self.place(of: video), output: place, overwrite: payload.overwrite, threads: payload.threads,
                limits: payload.limits.capped(by: services.configuration.limits)))
        guard let picture = made.outputs.first else { throw MediaError(.internal, "a thumbnail without a picture") }
        return try await media.output(place, size: picture.bytes, duration: 0)
    }

    /// Brings the result to where it can be written, but not read.
    func delivered(_ video: JobResult) async throws -> JobResult {
        var result = video
        var output = try await media.copy(try place(of: video), to: payload.output, overwrite: payload.overwrite)
        output.duration = video.duration ?? 0
        result.take([output])
        return result
    }

    private func place(of video: JobResult) throws -> String {
        guard let url = video.url else { throw MediaError(.internal, "a video without a place") }
        return url
    }

    // MARK: Requests

    private func wave(_ sound: String, isLast: Bool) -> Waveform {
        let way = way(isLast, "body.mkv")
        var video = way.video
        video.frameRate = nil
        var wave = Waveform(
            input: sound, output: way.output, container: way.container, style: payload.wave.style,
            width: payload.size.width, height: payload.size.height, colors: payload.wave.colors,
            backgroundColor: payload.wave.backgroundColor, background: payload.wave.background, waveHeight: 0.4,
            video: video, audio: way.audio, overwrite: way.overwrite, threads: payload.threads, limits: way.limits)
        if let rate = payload.video.frameRate { wave.frameRate = rate }
        return wave
    }

    private func sequence(_ sound: String, _ pictures: [Clip], isLast: Bool) -> ConcatenateClips {
        let way = way(isLast, "body.mkv")
        var video = way.video
        video.size = PictureSize(width: payload.size.width, height: payload.size.height, fit: .cover)
        return ConcatenateClips(
            clips: pictures, output: way.output, crossFade: payload.crossFade ?? CrossFade(seconds: 1), sound: sound,
            container: way.container, video: video, audio: way.audio, overwrite: way.overwrite,
            threads: payload.threads, limits: way.limits)
    }

    private func burn(_ input: String, _ words: SubtitleInput, isLast: Bool) -> BurnSubtitles {
        let way = way(isLast, "captioned.mkv")
        // Copied, so that it is not encoded once more before it has to be.
        return BurnSubtitles(
            input: input, subtitles: words, output: way.output, style: payload.style,
            captions: payload.captions ?? .ofCalls, fonts: payload.fonts, container: way.container, video: way.video,
            audio: isLast ? way.audio : AudioSettings(codec: .copy), overwrite: way.overwrite, threads: payload.threads,
            limits: way.limits)
    }

    private func frame(around input: String) -> ConcatenateClips {
        let way = way(true, "")
        var video = way.video, audio = way.audio
        video.size = PictureSize(width: payload.size.width, height: payload.size.height, fit: .contain)
        // Of the call, and not of whatever comes first.
        (audio.sampleRate, audio.channels) = (48_000, 2)
        return ConcatenateClips(
            clips: [payload.intro, input, payload.outro].compactMap { $0 }.map { Clip(input: $0) }, output: way.output,
            container: way.container, video: video, audio: audio, overwrite: way.overwrite, threads: payload.threads,
            limits: way.limits)
    }

    // MARK: Where to, and as what

    /// How a step writes.
    private struct Way {
        var output: String
        var container: Container?
        var video: VideoSettings
        var audio: AudioSettings
        var overwrite: Bool
        var limits: Limits
    }

    /// - Parameter name: of what is written for the next step, where this is not the last.
    private func way(_ isLast: Bool, _ name: String) -> Way {
        guard isLast else {
            var video = WorkObjects.video
            video.frameRate = payload.video.frameRate
            return Way(
                output: work.location(name), container: .mkv, video: video, audio: AudioSettings(codec: .flac),
                overwrite: true, limits: innerLimits)
        }
        // The sound between the steps is without loss; players and the web want it as the container usually has it.
        let isWebM = (container ?? Container(fileName: payload.output)) == .webm
        return Way(
            output: isDelivered ? work.location("result") : payload.output,
            container: container ?? (isDelivered ? Container(fileName: payload.output) : nil), video: payload.video,
            audio: AudioSettings(codec: isWebM ? .opus : .aac), overwrite: isDelivered || payload.overwrite,
            limits: payload.limits)
    }

    /// Of what the steps hand on, which is larger than what comes of it.
    var innerLimits: Limits {
        var limits = payload.limits
        limits.outputBytes = nil
        return limits.capped(by: services.configuration.limits)
    }

    /// Whether the result is brought to a place of the web's once it is whole: from there, nothing can be read.
    var isDelivered: Bool { payload.thumbnail && ResultPlace.isWeb(payload.output) }
    private var container: Container? {
        payload.container ?? (payload.output.isEmpty || Container(fileName: payload.output) == nil ? .mp4 : nil)
    }
    var place: ResultPlace { ResultPlace(media.context, services, asked: payload.output) }
}

extension MediaRun {
    /// Asks for what encoding will take. Waits until it can be had.
    fileprivate func weigh(cores: Double, memory: Int64) async throws {
        // More than there is in all cannot be had; the largest job has the worker to itself.
        let work = services.configuration.worker
        let (cores, memory) = (min(cores, work.cores), min(memory, work.memory))
        guard cores > context.cores || memory > context.memory else { return }
        context.progress(span.start, phase: "waiting")
        try await context.raise(cores: max(cores, context.cores), memory: max(memory, context.memory))
    }
}
