import CAVShim

/// How sound becomes pictures: what is drawn, where, in which colours, and on what.
///
/// The graph's first source is the sound; the second, where there is one, is the picture behind.
struct WavePlan: Sendable {
    struct Area: Sendable, Equatable {
        var x: Int
        var y: Int
        var width: Int
        var height: Int
    }

    var style: Waveform.Style
    var width: Int
    var height: Int
    var frameRate: Rational
    /// Where it is drawn.
    var area: Area
    /// Of each channel; the usual ones follow.
    var colors: [CaptionColor] = []
    var backgroundColor = CaptionColor.black
    /// Whether the second source is the picture behind.
    var hasBackground = false
    /// How that is to be turned, and the shape of its pixels; 0/1 if unknown.
    var backgroundOrientation = Orientation.upright
    var backgroundAspect = Rational(0, 1)
    /// `nil` draws channels apart where there are colours for them.
    var channels: Waveform.Channels?
    var pixelFormat = PixelFormatChoice()
    /// Whether all of the sound becomes a single picture.
    var isStill = false
    /// Hz at which its sound is held until its end.
    var heldRate: Int?

    private static let usualColors = [
        CaptionColor(red: 0x4F, green: 0xC3, blue: 0xF7), CaptionColor(red: 0xFF, green: 0xB7, blue: 0x4D),
        CaptionColor(red: 0xAE, green: 0xD5, blue: 0x81), CaptionColor(red: 0xF0, green: 0x62, blue: 0x92),
    ]
    /// Pixels of a bar, and of a moment of the spectrum.
    private static let barWidth = 8
    private static let columnWidth = 4

    func text(for format: FrameFormat) throws -> FilterText {
        var network: [String] = []
        var sound = FilterText()
        draw(&sound, format)
        // A scaler would otherwise be free to drop the opacity.
        sound.append("format", [("pix_fmts", "rgba")])
        if style == .spectrum {
            // Where nothing sounds one sees what lies behind.
            sound.append("colorkey", [("color", "black"), ("similarity", "0.05"), ("blend", "0.1")])
        }
        sound.append("split")
        network.append(sound.linked(from: ["in0"], to: ["ground", "wave"]))

        // The ground is made of the wave's own pictures: a source of its own would have no end.
        var ground = FilterText()
        let color = backgroundColor
        ground.append("lutrgb", [("r", "\(color.red)"), ("g", "\(color.green)"), ("b", "\(color.blue)"), ("a", "255")])
        ground.append(
            "pad",
            [
                ("w", "\(width)"), ("h", "\(height)"), ("x", "\(area.x)"), ("y", "\(area.y)"),
                ("color", color.filterValue),
            ])
        ground.append("format", [("pix_fmts", "gbrp")])
        network.append(ground.linked(from: ["ground"], to: [hasBackground ? "plain" : "scene"]))
        if hasBackground {
            var picture = FilterText()
            if backgroundAspect.isPositive, backgroundAspect != Rational(1, 1) {
                picture.append("scale", [("w", "iw*\(backgroundAspect.value)"), ("h", "ih"), ("flags", "bicubic")])
            }
            picture.turn(backgroundOrientation)
            picture.append(
                "scale",
                [
                    ("w", "\(width)"), ("h", "\(height)"), ("force_original_aspect_ratio", "increase"),
                    ("flags", "bicubic"),
                ])
            picture.append("crop", [("w", "\(width)"), ("h", "\(height)")])
            picture.append("setsar", [("sar", "1")])
            network.append(picture.linked(from: ["in1"], to: ["picture"]))
            var both = FilterText()
            both.append("overlay", [("x", "0"), ("y", "0"), ("format", "gbrp")])
            network.append(both.linked(from: ["plain", "picture"], to: ["scene"]))
        }
        var result = FilterText()
        result.append("overlay", [("x", "\(area.x)"), ("y", "\(area.y)"), ("format", "gbrp")])
        result.append("setsar", [("sar", "1")])
        convert(&result)
        return FilterText(network: network, last: result, from: ["scene", "wave"])
    }

    // MARK: Drawing

    private func draw(_ text: inout FilterText, _ format: FrameFormat) {
        let count = max(1, ChannelLayout.count(format.channelLayout))
        let chosen = channels ?? (colors.count > 1 && count > 1 ? .separate : .mixed)
        let isMixed = chosen == .mixed || count == 1 || style == .spectrum
        let layout = isMixed ? "mono" : format.channelLayout
        let names = (0..<(isMixed ? 1 : count)).map { color(of: $0).filterValue }.joined(separator: "|")
        let split = !isMixed && chosen == .separate
        if isStill { return drawStill(&text, format, layout, colors: names, split: split) }
        switch style {
        case .line, .bars, .centered:
            let columns = style == .bars ? max(2, area.width / Self.barWidth) : area.width
            let rate = samplingRate(columns: columns, source: format.sampleRate)
            prepare(&text, rate: rate, layout: layout)
            text.append(
                "showwaves",
                [
                    ("size", "\(columns)x\(area.height)"), ("rate", "\(frameRate)"),
                    ("mode", style == .line ? "p2p" : "cline"), ("colors", names), ("draw", "full"),
                    ("scale", "sqrt"), ("split_channels", split ? "1" : "0"),
                ])
            // Each picture stands for as many samples as the one before, from the beginning on: newer libraries give the
            // first one the time of the second where the sound was resampled.
            text.append("settb", [("expr", "\(frameRate.inverse)")])
            text.append("setpts", [("expr", "N")])
        case .frequencies:
            prepare(&text, rate: format.sampleRate, layout: layout)
            text.append(
                "showfreqs",
                [
                    ("size", "\(area.width)x\(area.height)"), ("rate", "\(frameRate)"), ("mode", "bar"),
                    ("ascale", "cbrt"), ("fscale", "log"), ("colors", names),
                    ("cmode", split ? "separate" : "combined"), ("averaging", "2"),
                    ("win_size", "\(window(format.sampleRate))"),
                    ("overlap", "\(overlap(of: window(format.sampleRate), rate: format.sampleRate))"),
                ])
        case .spectrum:
            prepare(&text, rate: format.sampleRate, layout: layout)
            let columns = max(2, area.width / Self.columnWidth)
            let rows = spectrumRows
            var options = [
                ("size", "\(columns)x\(rows)"), ("slide", "scroll"), ("mode", "combined"), ("scale", "cbrt"),
                ("fps", "\(frameRate)"), ("overlap", "\(overlap(of: 2 * rows, rate: format.sampleRate))"),
            ]
            options.append(colors.isEmpty ? ("color", "magma") : ("saturation", "0"))
            text.append("showspectrum", options)
            tint(&text)
        }
        if style == .bars || style == .spectrum {
            text.append(
                "scale",
                [
                    ("w", "\(area.width)"), ("h", "\(area.height)"),
                    ("flags", style == .bars ? "neighbor" : "bilinear"),
                ])
        }
    }

    private func drawStill(
        _ text: inout FilterText, _ format: FrameFormat, _ layout: String, colors names: String, split: Bool
    ) {
        // All of the sound is held until its end: no more of it than the picture needs.
        let rate = min(heldRate ?? 8000, format.sampleRate)
        if style == .spectrum {
            text.append("aformat", [("sample_rates", "\(rate)"), ("channel_layouts", layout)])
            // It takes a transform for each column, and long for each.
            var options = [
                ("size", "\(max(2, area.width / Self.columnWidth))x\(spectrumRows)"), ("legend", "0"),
                ("mode", "combined"), ("scale", "cbrt"),
            ]
            options.append(colors.isEmpty ? ("color", "magma") : ("saturation", "0"))
            text.append("showspectrumpic", options)
            tint(&text)
            text.append("scale", [("w", "\(area.width)"), ("h", "\(area.height)"), ("flags", "bilinear")])
        } else {
            text.append("aformat", [("sample_rates", "\(rate)"), ("channel_layouts", layout)])
            let columns = style == .bars ? max(2, area.width / Self.barWidth) : area.width
            text.append(
                "showwavespic",
                [
                    ("size", "\(columns)x\(area.height)"), ("colors", names), ("draw", "full"), ("scale", "sqrt"),
                    ("filter", "peak"), ("split_channels", split ? "1" : "0"),
                ])
            if style == .bars {
                text.append(
                    "scale", [("w", "\(area.width)"), ("h", "\(area.height)"), ("flags", "neighbor")])
            }
        }
    }

    /// Brings the sound into shape, and lets silence follow it: the last pictures are drawn only when more comes, and what
    /// lies behind the end is cut off.
    private func prepare(_ text: inout FilterText, rate: Int, layout: String) {
        text.append("aformat", [("sample_rates", "\(rate)"), ("channel_layouts", layout)])
        text.append("apad", [("pad_len", "\(rate * 2)")])
    }

    /// As many as a spectrum is drawn with before it is brought to its height. Each needs two points of a transform, and
    /// libavutil 57 has fast ones for few sizes: of 864 points one took fifty times as long as of 1024.
    private var spectrumRows: Int {
        var rows = 64
        while rows < min(area.height, 2048) { rows *= 2 }
        return rows
    }

    private func tint(_ text: inout FilterText) {
        guard let color = colors.first else { return }
        text.append("format", [("pix_fmts", "gbrp")])
        text.append(
            "colorchannelmixer",
            [
                ("rr", "\(Double(color.red) / 255)"), ("gg", "\(Double(color.green) / 255)"),
                ("bb", "\(Double(color.blue) / 255)"),
            ])
    }

    private func color(of channel: Int) -> CaptionColor {
        if colors.indices.contains(channel) { return colors[channel] }
        return Self.usualColors[channel % Self.usualColors.count]
    }

    /// A rate of which a whole number of samples falls on each column of each picture: `showwaves` rounds that number.
    private func samplingRate(columns: Int, source: Int) -> Int {
        let columnsPerSecond = Double(columns) * frameRate.value
        let samples = max(1, (Double(min(source, 48_000)) / columnsPerSecond).rounded(.down))
        return Int((samples * columnsPerSecond).rounded())
    }

    /// Samples that a picture of the frequencies is made of: about a twentieth of a second.
    private func window(_ rate: Int) -> Int {
        var window = 256
        while window * 20 < rate { window *= 2 }
        return window
    }

    /// The part of a window that the next one shares, so that there is one for every picture.
    private func overlap(of window: Int, rate: Int) -> Double {
        let hop = 0.9 * Double(rate) / frameRate.value
        return min(0.99, max(0, 1 - hop / Double(window)))
    }

    private func convert(_ text: inout FilterText) {
        let target = pixelFormat.choose(for: PixelFormat(raw: AV_PIX_FMT_GBRP), color: ColorTags())
        guard target.isYUV else { return text.append("format", [("pix_fmts", target.name)]) }
        let range = target.hasFullRangeName ? "full" : "limited"
        text.append("scale", [("out_color_matrix", "bt709"), ("out_range", range), ("flags", "bicubic")])
        text.append("format", [("pix_fmts", target.name)])
        text.append(
            "setparams",
            [("range", range), ("color_primaries", "bt709"), ("color_trc", "bt709"), ("colorspace", "bt709")])
    }
}

extension CaptionColor {
    /// As libavfilter reads it.
    var filterValue: String { "0x" + description.dropFirst().prefix(6) }
}
