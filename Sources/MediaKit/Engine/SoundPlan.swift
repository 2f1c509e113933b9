import CAVShim

/// What shall become of the sound of one branch.
struct SoundPlan: Sendable {
    /// Hz; `nil` keeps the source's if the encoder takes it.
    var sampleRate: Int?
    /// `nil` keeps the source's layout if the encoder takes it.
    var channelLayout: String?
    /// Decibels.
    var gain: Double?
    /// What keeps peaks down, after the gain; `nil` for nothing.
    var limiter: PeakLimiter?
    /// Samples that come out exactly: what is more is cut off, what is missing is silent. `nil` for as many as there
    /// are.
    var length: Int64?
    /// Sample formats that may come out, by libav's names, best first; empty for any.
    var sampleFormats: [String] = []
    /// Rates that the encoder takes; empty for any.
    var supportedRates: [Int] = []
    /// Layouts that the encoder takes; empty for any.
    var supportedLayouts: [String] = []

    func text(for format: FrameFormat) throws -> FilterText {
        var text = FilterText()
        let layout = layout(for: format)
        text.remix(from: format.channelLayout, to: layout)
        if let gain, gain != 0 { text.append("volume", [("volume", "\(gain)dB")]) }
        if let limiter {
            let rate = rate(for: format)
            text.append(
                "aformat",
                [
                    ("sample_rates", "\(rate * PeakLimiter.oversampling(rate))"),
                    ("channel_layouts", layout),
                ])
            limiter.append(to: &text)
        }
        appendFormat(to: &text, for: format)
        return text
    }

    /// Makes what the encoder takes, of the length that was asked for.
    func appendFormat(to text: inout FilterText, for format: FrameFormat) {
        var options = [("sample_rates", "\(rate(for: format))"), ("channel_layouts", layout(for: format))]
        if !sampleFormats.isEmpty {
            options.insert(("sample_fmts", preferred(format).joined(separator: "|")), at: 0)
        }
        text.append("aformat", options)
        if let length {
            text.append("apad", [("whole_len", "\(length)")])
            text.append("atrim", [("end_sample", "\(length)")])
        }
    }

    func rate(for format: FrameFormat) -> Int {
        let wanted = sampleRate ?? format.sampleRate
        if supportedRates.isEmpty || supportedRates.contains(wanted) { return wanted }
        // The next higher keeps all that is there.
        return supportedRates.filter { $0 > wanted }.min() ?? supportedRates.max() ?? wanted
    }

    func layout(for format: FrameFormat) -> String {
        let wanted = channelLayout ?? format.channelLayout
        if supportedLayouts.isEmpty || supportedLayouts.contains(wanted) { return wanted }
        let count = ChannelLayout.count(wanted)
        if let same = supportedLayouts.first(where: { ChannelLayout.count($0) == count }) { return same }
        let fewer = supportedLayouts.filter { ChannelLayout.count($0) < count }
        return fewer.max { ChannelLayout.count($0) < ChannelLayout.count($1) } ?? supportedLayouts.first ?? wanted
    }

    /// The source's own sample format first, so that nothing is converted without need.
    private func preferred(_ format: FrameFormat) -> [String] {
        let own = AVSampleFormat(rawValue: format.format)
        let names = [own, av_get_packed_sample_fmt(own), av_get_planar_sample_fmt(own)].compactMap { format in
            av_get_sample_fmt_name(format).map { String(cString: $0) }
        }
        guard let match = names.first(where: sampleFormats.contains) else { return sampleFormats }
        return [match]
    }
}

extension FilterText {
    /// Brings sound into another layout.
    mutating func remix(from source: String, to layout: String) {
        guard layout != source else { return }
        if source == "mono", layout == "stereo" {
            // As players do it. libswresample would keep the power, and take 3 dB from each channel.
            append("pan", [("args", "stereo|c0=c0|c1=c0")])
        } else {
            // Channels that become fewer are mixed so that full scale stays full scale. libswresample does so by itself for
            // integers alone: what floats have been measured as is not what integers are written as, and it may clip.
            append("aresample", [("rematrix_maxval", "1")])
            append("aformat", [("channel_layouts", layout)])
        }
    }
}
