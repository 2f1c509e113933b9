/// Carries out a normalization: a first pass that listens, a second that applies what follows from it.
///
/// Thread safety: used by the job's thread.
struct LoudnessNormalization {
    private let request: NormalizeLoudness
    private let job: Job
    /// Decibels that the limiter stays below the ceiling: its oversampled sound peaks a little higher once it has the
    /// output's rate again.
    private static let limiterMargin = 0.1
    /// How often limited sound is measured before it is made, and when it is good enough.
    private static let rehearsals = 3
    private static let closeEnough = 0.2
    /// Decibels that are added at most to make up for what the limiter takes away.
    private static let makeUp = 12.0
    /// Decibels of the true peak's measurement that are not worth a limiter.
    private static let peakTolerance = 0.005

    init(_ request: NormalizeLoudness, job: Job) {
        self.request = request
        self.job = job
    }

    func run() throws -> NormalizeLoudnessResult {
        let container = try Container.resolve(request.container, output: request.output)
        let transcode = transcode(container)
        let rendering = Rendering(transcode, job: job)
        // The output is tried first: an hour of listening must not end in "exists already".
        let sink = try job.sink(request.output, overwrite: request.overwrite)
        let demuxer = try job.open(request.input)
        guard demuxer.isSeekable else {
            throw MediaError(
                .unsupported, "loudness is measured in a first pass, and a pipe cannot be read twice",
                hint: "write it to a file first", input: demuxer.name)
        }
        // Told before what else may be wrong: without sound there is nothing to do.
        guard try !transcode.streams.chooseAudio(demuxer).isEmpty else {
            throw MediaError(.badInput, "there is no sound in it", input: demuxer.name)
        }
        var plan = try RenderPlan(transcode, container: container, demuxer: demuxer, job: job, processors: nil)
        try rendering.requireDuration(plan.expectedDuration, demuxer)
        job.control.progress.expect(microseconds: plan.expectedDuration)

        job.control.progress.begin(done: 0, share: 0.4)
        let heard = try listen(plan, Array(plan.sounds.indices))
        plan.treatments = zip(plan.sounds, heard).map { treatment($0.stream, $1) }
        try rehearse(&plan, heard)
        job.control.progress.begin(done: 0.6, share: 0.4)

        let gauges = plan.sounds.map { _ in LoudnessGauge(control: job.control) }
        for (index, gauge) in gauges.enumerated() { plan.treatments[index].processors = [gauge] }
        let graph = try plan.graph(pass: nil, statisticsPath: nil, sink: sink)
        var file = try rendering.finish(
            plan, graph, container: container, demuxer: demuxer, sink: sink, statistics: nil)
        let after = try gauges.map { try $0.finish() }
        let tracks = zip(plan.sounds.indices, after).map { index, after in
            NormalizeLoudnessResult.Track(
                sourceIndex: plan.sounds[index].stream.index, before: heard[index].loudness, after: after,
                gain: plan.treatments[index].gain, isLimited: plan.treatments[index].limiter != nil)
        }
        for track in tracks { warnOfMissedTarget(track) }
        file.warnings = job.control.warnings.all
        return NormalizeLoudnessResult(file: file, tracks: tracks)
    }

    /// The same work but for the loudness.
    private func transcode(_ container: Container) -> Transcode {
        var audio = request.audio
        if audio.codec == .auto { audio.codec = container.usualAudioCodec }
        // Where there is room for one, it is the one that a player would choose.
        let isForMany = container.holdsVideo || container == .m4a
        let choice: StreamSelection.Choice = request.track.map { .indices([$0]) } ?? (isForMany ? .all : .best)
        return Transcode(
            input: request.input, output: request.output, container: container, video: VideoSettings(codec: .copy),
            audio: audio, streams: StreamSelection(audio: choice), indexFirst: request.indexFirst,
            bitexact: request.bitexact, overwrite: request.overwrite, limits: request.limits,
            tolerance: request.tolerance)
    }

    /// Measures some of the sounds as they are going to be encoded, with what is to be done to them as far as it is known.
    private func listen(_ plan: RenderPlan, _ sounds: [Int]) throws -> [LoudnessListening.Heard] {
        let demuxer = try job.open(request.input, analysis: .headerIfSoundIsKnown)
        let streams = try sounds.map { index in
            let sound = plan.sounds[index]
            let codec = sound.codec ?? plan.container.usualAudioCodec
            var soundPlan = try plan.encoderChoice(for: sound.stream, codec).plan
            if plan.treatments.indices.contains(index) { plan.treatments[index].apply(to: &soundPlan) }
            return (index: sound.stream.index, plan: soundPlan)
        }
        return try LoudnessListening(streams: streams, window: plan.soundWindow, tolerance: request.tolerance)
            .run(demuxer, job: job, isFinal: false)
    }

    /// Limited peaks take loudness with them, by how much shows when it is tried: so gain and limiter are set by what
    /// comes of them. Where nothing is limited there is nothing to try.
    private func rehearse(_ plan: inout RenderPlan, _ heard: [LoudnessListening.Heard]) throws {
        var limited = plan.treatments.indices.filter { plan.treatments[$0].limiter != nil }
        let most = plan.treatments.map { min($0.gain + Self.makeUp, request.maximumGain) }
        var earlier: [Int: (gain: Double, loudness: Double)] = [:]
        for number in 0..<Self.rehearsals where !limited.isEmpty {
            let share = 0.2 / Double(Self.rehearsals)
            job.control.progress.begin(done: 0.4 + share * Double(number), share: share)
            let tried = try listen(plan, limited)
            limited = zip(limited, tried).compactMap { index, tried in
                guard let peak = tried.loudness.truePeak else { return nil }
                guard let loudness = tried.loudness.integrated else {
                    // Only its peaks are known.
                    let excess = peak - request.ceiling
                    guard excess > 0 else { return nil }
                    plan.treatments[index].limiter?.ceiling -= excess + 0.05
                    return index
                }
                // What maximumGain holds back stays back.
                let wanted = min(request.target, (heard[index].loudness.integrated ?? 0) + request.maximumGain)
                let excess = peak - request.ceiling
                guard abs(wanted - loudness) > Self.closeEnough || excess > 0 else { return nil }
                let gain = plan.treatments[index].gain
                // The more is limited, the less comes of a decibel: by how much shows from the second time on.
                let last = earlier.updateValue((gain, loudness), forKey: index)
                let slope = last.map { (loudness - $0.loudness) / (gain - $0.gain) } ?? 1
                let yield = slope.isFinite ? min(1, max(0.25, slope)) : 1
                plan.treatments[index].gain = min(max(gain, most[index]), gain + (wanted - loudness) / yield)
                if excess > 0 { plan.treatments[index].limiter?.ceiling -= excess + 0.05 }
                return index
            }
        }
    }

    private func treatment(_ stream: InputStream, _ heard: LoudnessListening.Heard) -> SoundTreatment {
        var treatment = SoundTreatment(gain: 0)
        if let loudness = heard.loudness.integrated {
            treatment.gain = request.target - loudness
            if treatment.gain > request.maximumGain {
                treatment.gain = request.maximumGain
                let text =
                    "it is so quiet (\(Self.shown(loudness)) LUFS) that it stays below the target; raised by maximumGain, \(Self.shown(request.maximumGain)) dB"
                warn(text, stream.index)
            }
        } else {
            let text = "it is silent or too short for its loudness to be measured: left as loud as it is"
            warn(text, stream.index)
        }
        guard let peak = heard.loudness.truePeak else { return treatment }
        let excess = peak + treatment.gain - request.ceiling
        guard excess > Self.peakTolerance else { return treatment }
        switch request.peaks {
        case .limit:
            treatment.limiter = PeakLimiter(ceiling: request.ceiling - Self.limiterMargin)
            treatment.length = heard.sampleCount
        case .reduce:
            treatment.gain -= excess
            let text =
                "the gain was reduced by \(Self.shown(excess)) dB to keep its peaks below \(Self.shown(request.ceiling)) dBTP"
            warn(text, stream.index)
        }
        return treatment
    }

    /// Limited peaks carry loudness, too.
    private func warnOfMissedTarget(_ track: NormalizeLoudnessResult.Track) {
        guard track.isLimited, let reached = track.after.integrated, abs(reached - request.target) > 0.5,
            track.gain < request.maximumGain
        else { return }
        let text = "it has such peaks over its loudness that limiting them left it at \(Self.shown(reached)) LUFS"
        warn(text, track.sourceIndex)
    }

    private func warn(_ text: String, _ stream: Int) {
        job.control.warnings.add(MediaWarning(.adjusted, text, stream: stream))
    }

    private static func shown(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
