import CAVShim

/// What is said in a sample clip, and when.
struct SampleScript {
    let cues: [SampleClipResult.Cue]
    /// Whether there is a voice; if not, a tone sounds while a cue is shown.
    let isSpoken: Bool
    private let seconds: Double

    private static let sentences = [
        "Kiln makes videos from code.",
        "It reads, cuts and mixes them in its own process.",
        "These words were spoken by a machine.",
        "The captions show them as they are said.",
        "Every picture keeps its own time.",
        "And every word has its place.",
    ]
    /// Seconds before the first words, and from one sentence to the next.
    private static let lead = 0.3
    private static let pause = 0.3
    private static let sampleRate = 48_000

    /// Says each sentence once to know how long it takes.
    init(seconds: Double, control: JobControl) throws {
        self.seconds = seconds
        isSpoken = avfilter_get_by_name("flite") != nil
        if !isSpoken {
            control.warnings.add(
                MediaWarning(
                    .adjusted, "these libraries have no voice (the filter flite), so a tone stands for the words"))
        }
        var lengths: [String: Double] = [:]
        var cues: [SampleClipResult.Cue] = []
        var time = Self.lead
        for index in 0... {
            try control.checkpoint()
            let sentence = Self.sentences[index % Self.sentences.count]
            let length = try lengths[sentence] ?? (isSpoken ? Self.measure(sentence, control) : 2)
            lengths[sentence] = length
            // Whole milliseconds, as SRT counts.
            let end = ((time + length) * 1000).rounded() / 1000
            if end > seconds, !cues.isEmpty { break }
            cues.append(SampleClipResult.Cue(start: time, end: min(end, seconds), text: sentence))
            time = ((end + Self.pause) * 1000).rounded() / 1000
            if time >= seconds { break }
        }
        self.cues = cues
    }

    /// The filters that make the sound, delivering what `plan` asks for.
    func sound(_ plan: SoundPlan) throws -> FilterText {
        // Sentence after sentence, each filled up with silence to the start of the next.
        var chains = ["\(Self.silence(cues.first?.start ?? seconds)),\(Self.shape)[part0]"]
        for (index, cue) in cues.enumerated() {
            let next = index + 1 < cues.count ? cues[index + 1].start : max(seconds, cue.end)
            let length = next - cue.start
            let voice = isSpoken ? Self.voice(cue.text) : Self.tone(cue.end - cue.start)
            let whole = Self.samples(length)
            chains.append(
                "\(voice),\(Self.shape),apad=whole_len=\(whole),atrim=end_sample=\(whole)[part\(index + 1)]")
        }
        let inputs = (0..<chains.count).map { "[part\($0)]" }.joined()
        var text = FilterText()
        text.append("\(chains.joined(separator: ";"));\(inputs)concat=n=\(chains.count):v=0:a=1")
        text.append("atrim", [("end_sample", "\(Self.samples(seconds))")])
        let rates = plan.supportedRates
        let rate = rates.isEmpty || rates.contains(Self.sampleRate) ? Self.sampleRate : rates.max() ?? Self.sampleRate
        var options = [("sample_rates", "\(rate)"), ("channel_layouts", "stereo")]
        if !plan.sampleFormats.isEmpty { options.append(("sample_fmts", plan.sampleFormats.joined(separator: "|"))) }
        text.append("aformat", options)
        // `concat` counts in microseconds, and sound is encoded in samples.
        text.append("asettb", [("expr", "1/sr")])
        text.append("asetpts", [("expr", "N")])
        return text
    }

    /// The cues as SubRip text.
    var srt: String {
        cues.enumerated().map { index, cue in
            "\(index + 1)\n\(Self.clock(cue.start)) --> \(Self.clock(cue.end))\n\(cue.text)\n"
        }.joined(separator: "\n")
    }

    // MARK: Filters

    private static let shape = "aresample=\(sampleRate),aformat=sample_fmts=fltp:channel_layouts=stereo"

    private static func samples(_ seconds: Double) -> Int { Int((seconds * Double(sampleRate)).rounded()) }

    private static func voice(_ sentence: String) -> String {
        var text = FilterText()
        text.append("flite", [("text", sentence), ("voice", "slt")])
        return text.chain.joined(separator: ",")
    }

    private static func tone(_ seconds: Double) -> String {
        "sine=frequency=440:sample_rate=\(sampleRate):duration=\(seconds),volume=0.3"
    }

    private static func silence(_ seconds: Double) -> String {
        "anullsrc=channel_layout=stereo:sample_rate=\(sampleRate),atrim=end_sample=\(samples(seconds))"
    }

    /// Seconds that the voice takes for a sentence.
    private static func measure(_ sentence: String, _ control: JobControl) throws -> Double {
        let graph = try FilterGraph(
            sources: [], text: voice(sentence) + "[out]", isVideo: false, threads: 1, control: control)
        let frame = try Frame()
        var samples = 0
        while case .ready = try graph.pull(into: frame) {
            samples += frame.sampleCount
            frame.unref()
        }
        return Double(samples) / Double(max(1, graph.output.sampleRate))
    }

    private static func clock(_ seconds: Double) -> String {
        let milliseconds = Int((seconds * 1000).rounded())
        func padded(_ value: Int, _ digits: Int) -> String {
            let text = "\(value)"
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        return padded(milliseconds / 3_600_000, 2) + ":" + padded(milliseconds / 60_000 % 60, 2) + ":"
            + padded(milliseconds / 1000 % 60, 2) + "," + padded(milliseconds % 1000, 3)
    }
}
