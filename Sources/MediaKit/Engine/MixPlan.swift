import CAVShim
import Glibc

/// How the sound of several sources is laid over each other: a voice per source, in their order.
struct MixPlan: Sendable {
    struct Voice: Sendable {
        /// Decibels.
        var gain = 0.0
        /// Seconds of the mix at which it begins.
        var delay = 0.0
        /// Seconds at its beginning in which it comes up from silence.
        var fadeIn = 0.0
        var fadeOut: FadeOut?
        /// Whether it begins anew whenever it ends.
        var loops = false
        var duck: Duck?
    }

    /// Seconds of the voice's own time, loops included.
    struct FadeOut: Sendable {
        var start: Double
        var length: Double
    }

    /// A voice is lowered while another one, the key, is heard.
    struct Duck: Sendable {
        /// The key's index.
        var key: Int
        /// Decibels, by which it is lowered.
        var amount: Double
        /// Decibels of full scale over which the key is heard.
        var threshold: Double
        /// Seconds that lowering takes.
        var attack: Double
        /// Seconds that raising takes.
        var release: Double
    }

    enum Length: Sendable, Equatable {
        /// That of the longest voice that does not loop.
        case longest
        /// That of the first.
        case first
        case shortest
        case seconds(Double)
    }

    var voices: [Voice]
    var length: Length
    /// Decibels, over the whole mix.
    var gain: Double?
    var limiter: PeakLimiter?
    /// What the encoder takes. Rate and layout are, unless it says otherwise, the highest rate and the layout of the most
    /// channels that come in.
    var output: SoundPlan

    func text(for formats: [FrameFormat]) throws -> FilterText {
        guard let common = common(formats), formats.count == voices.count else {
            throw MediaError(.internal, "a mix of \(voices.count) voices with \(formats.count) sources")
        }
        var text = FilterText()
        for index in voices.indices {
            text.section(from: ["in\(index)"], chain(voices[index], formats[index], common), to: ["voice\(index)"])
        }
        duck(in: &text)
        sum(in: &text)
        if let gain, gain != 0 { text.append("volume", [("volume", "\(gain)dB")]) }
        limiter?.append(to: &text)
        // Once its first input has ended, amix can lose count of the time, and alimiter is late by what it looks ahead. A
        // mix has no gaps.
        text.append("asetpts", [("expr", "round(N/SR/TB)")])
        var output = output
        if case .seconds(let seconds) = length {
            output.length = Int64((seconds * Double(common.sampleRate)).rounded())
        }
        output.appendFormat(to: &text, for: common)
        return text
    }

    /// What all voices are brought to.
    private func common(_ formats: [FrameFormat]) -> FrameFormat? {
        guard var common = formats.first else { return nil }
        for format in formats {
            common.sampleRate = max(common.sampleRate, format.sampleRate)
            if ChannelLayout.count(format.channelLayout) > ChannelLayout.count(common.channelLayout) {
                common.channelLayout = format.channelLayout
            }
        }
        common.sampleRate = output.rate(for: common)
        common.channelLayout = output.layout(for: common)
        common.timeBase = Rational(1, Int32(common.sampleRate))
        common.format = AV_SAMPLE_FMT_FLTP.rawValue
        return common
    }

    private func chain(_ voice: Voice, _ format: FrameFormat, _ common: FrameFormat) -> FilterText {
        func samples(_ seconds: Double) -> String { "\(Int64((seconds * Double(common.sampleRate)).rounded()))" }
        var text = FilterText()
        if voice.loops { text.append("aloop", [("loop", "-1"), ("size", "\(Int32.max)")]) }
        text.remix(from: format.channelLayout, to: common.channelLayout)
        text.append(
            "aformat",
            [
                ("sample_fmts", "fltp"), ("sample_rates", "\(common.sampleRate)"),
                ("channel_layouts", common.channelLayout),
            ])
        if voice.gain != 0 { text.append("volume", [("volume", "\(voice.gain)dB")]) }
        if voice.fadeIn > 0 {
            text.append("afade", [("type", "in"), ("start_sample", "0"), ("nb_samples", samples(voice.fadeIn))])
        }
        if let fade = voice.fadeOut, fade.length > 0 {
            text.append(
                "afade",
                [("type", "out"), ("start_sample", samples(fade.start)), ("nb_samples", samples(fade.length))])
        }
        if voice.delay > 0 { text.append("adelay", [("delays", samples(voice.delay) + "S"), ("all", "1")]) }
        return text
    }

    // MARK: Ducking

    /// Splits each key, and puts the ducked voices through a compressor that listens to it.
    private func duck(in text: inout FilterText) {
        let ducked = voices.indices.filter { voices[$0].duck != nil }
        for key in Set(ducked.compactMap { voices[$0].duck?.key }).sorted() {
            let listeners = ducked.filter { voices[$0].duck?.key == key }
            var split = FilterText()
            split.append("asplit", [("outputs", "\(listeners.count + 1)")])
            text.section(from: ["voice\(key)"], split, to: ["heard\(key)"] + listeners.map { "key\($0)" })
        }
        for index in ducked {
            guard let duck = voices[index].duck else { continue }
            text.section(from: ["key\(index)"], Self.key(duck), to: ["keyed\(index)"])
            text.section(from: ["voice\(index)", "keyed\(index)"], Self.compressor(duck), to: ["ducked\(index)"])
        }
    }

    /// Makes the key all or nothing: full scale while it is over the threshold, else silent. By how much a compressor
    /// lowers follows from how loud the key is, and here it shall not.
    private static func key(_ duck: Duck) -> FilterText {
        var text = FilterText()
        // It must not end before what it lowers does.
        text.append("apad")
        text.append(
            "agate",
            [
                ("threshold", "\(pow(10, duck.threshold / 20))"), ("range", "0"), ("ratio", "9000"), ("knee", "1"),
                ("attack", "5"), ("release", "200"), ("detection", "rms"),
            ])
        text.append("volume", [("volume", "60dB")])
        text.append("asoftclip", [("type", "hard")])
        return text
    }

    /// Lowers by just the amount while the key is at full scale. What af_sidechaincompress.c calls attack and release is
    /// four times the time constant of its envelope.
    private static func compressor(_ duck: Duck) -> FilterText {
        let ratio = 20.0
        // Decibels over the threshold, of which it leaves one in `ratio`.
        let excess = duck.amount / (1 - 1 / ratio)
        // The envelope falls by 8.7 dB in a time constant, and has as many as `excess` to fall.
        let constant = duck.release * 20 * log10(M_E) / excess
        var text = FilterText()
        text.append(
            "sidechaincompress",
            [
                ("threshold", "\(pow(10, -excess / 20))"), ("ratio", "\(ratio)"), ("knee", "1"),
                ("attack", "\(min(2000, max(0.01, duck.attack * 1000)))"),
                ("release", "\(min(9000, max(0.01, constant * 4000)))"), ("detection", "peak"), ("link", "maximum"),
            ])
        return text
    }

    // MARK: Sum

    /// The link that a voice goes into the sum by.
    private func link(_ index: Int) -> String {
        if voices[index].duck != nil { return "ducked\(index)" }
        return voices.contains { $0.duck?.key == index } ? "heard\(index)" : "voice\(index)"
    }

    private func sum(in text: inout FilterText) {
        let all = voices.indices.map(link)
        switch length {
        case .seconds: begin(all, "longest", in: &text)
        case .first: begin(all, "first", in: &text)
        case .shortest: begin(all, "shortest", in: &text)
        case .longest:
            let loops = voices.indices.filter { voices[$0].loops }.map(link)
            guard !loops.isEmpty else { return begin(all, "longest", in: &text) }
            // What loops never ends: the others tell how long it is.
            let others = voices.indices.filter { !voices[$0].loops }.map(link)
            guard let only = others.first else { return begin(loops, "longest", in: &text) }
            guard others.count > 1 else { return begin([only] + loops, "first", in: &text) }
            text.section(from: others, Self.mixer(others.count, "longest"), to: ["base"])
            begin(["base"] + loops, "first", in: &text)
        }
    }

    private func begin(_ links: [String], _ duration: String, in text: inout FilterText) {
        text.begin(from: links)
        if links.count > 1 { text.append(Self.mixer(links.count, duration)) }
    }

    /// A plain sum.
    private static func mixer(_ count: Int, _ duration: String) -> FilterText {
        var text = FilterText()
        text.append(
            "amix",
            [("inputs", "\(count)"), ("duration", duration), ("normalize", "0"), ("dropout_transition", "0")])
        return text
    }
}
