import CAVShim

/// Burns captions into a branch's pictures. What it draws with is made when the first picture has shown its size and
/// colour; pictures without a caption go on untouched and uncopied.
///
// Safe to send: made by the job's thread, then used by one branch's thread.
final class CaptionProcessor: FrameProcessor, @unchecked Sendable {
    /// What is drawn.
    enum Content {
        case subtitles(SubtitleDocument)
        /// Captions whose words light up.
        case words(Transcript, CaptionLook)
    }

    struct Settings {
        var style: CaptionStyle
        var overridesStyles: Bool
        var fonts: [FontFile]
        var strictFonts: Bool
        /// Seconds of the subtitles' clock at which the pictures begin.
        var offset: Double
        /// For messages.
        var name: String
    }

    private let content: Content
    private let settings: Settings
    private let control: JobControl
    private let pool = FramePool()
    private var drawing: Drawing?

    private struct Drawing {
        var renderer: CaptionRenderer
        var compositor: CaptionCompositor
        var width: Int
        var height: Int
        var format: Int32
    }

    init(_ content: Content, settings: Settings, control: JobControl) {
        self.content = content
        self.settings = settings
        self.control = control
    }

    func process(_ frame: Frame, timeBase: Rational) throws -> Frame {
        let drawing = try self.drawing(for: frame)
        // Rounded down, as libass's own users do: a caption begins with the first picture at or after its time.
        let milliseconds =
            timeBase.rescale(frame.pts ?? 0, to: Rational(1, 1000), rounding: AV_ROUND_DOWN)
            + Int64(clamping: settings.offset * 1000)
        switch drawing.renderer.render(at: milliseconds) {
        case .none:
            return frame
        case .changed:
            drawing.compositor.update(from: drawing.renderer)
        case .same:
            break
        }
        if drawing.compositor.isEmpty { return frame }
        let own = try frame.makeWritable(pool: pool)
        let planes = (0..<drawing.compositor.layout.planeCount).compactMap { index in
            own.plane(index).map { PixelPlanes.Plane(base: $0.base, stride: $0.stride) }
        }
        drawing.compositor.blend(into: PixelPlanes(planes))
        return own
    }

    private func drawing(for frame: Frame) throws -> Drawing {
        if let drawing, drawing.width == frame.width, drawing.height == frame.height, drawing.format == frame.format {
            return drawing
        }
        let layout = try PixelLayout(frame: frame)
        let geometry = CaptionGeometry(
            width: frame.width, height: frame.height, sampleAspectRatio: frame.sampleAspectRatio)
        let aspect = frame.sampleAspectRatio
        let script = try script(
            CaptionCanvas(
                width: Int((Double(frame.width) * (aspect.isPositive ? aspect.value : 1)).rounded()),
                height: frame.height))
        let renderer = try CaptionRenderer(
            script: script, geometry: geometry,
            library: try CaptionLibrary(fonts: settings.fonts, defaultFamily: family))
        try report(renderer)
        let made = Drawing(
            renderer: renderer,
            compositor: try CaptionCompositor(layout: layout, width: frame.width, height: frame.height),
            width: frame.width, height: frame.height, format: frame.format)
        drawing = made
        return made
    }

    private var family: String {
        if case .words(_, let look) = content, let family = look.fontFamily { return family }
        return settings.style.fontFamily
    }

    private func script(_ canvas: CaptionCanvas) throws -> ASSScript {
        let document: SubtitleDocument
        switch content {
        case .words(let transcript, let look):
            return try WordCaptionWriter(look: look, canvas: canvas, measure: fontMeasure()).write(transcript)
        case .subtitles(let given): document = given
        }
        var measure: TextMeasure = TextLayoutWidth.estimate
        if case .cues = document.content { measure = try fontMeasure() }
        let made = try document.script(
            style: settings.style, geometry: canvas, replacesStyles: settings.overridesStyles, measure: measure)
        for warning in made.warnings {
            control.warnings.add(MediaWarning(.subtitle, "\(settings.name): \(warning)"))
        }
        return made.script
    }

    private func fontMeasure() throws -> TextMeasure {
        // With a library of its own: one that has looked for fonts before reports no substitutes any more.
        let measurer = try CaptionTextMeasurer(fonts: settings.fonts, defaultFamily: family)
        let family = family
        return { measurer.width(of: $0, family: family, bold: $1, italic: $2) }
    }

    private func report(_ renderer: CaptionRenderer) throws {
        let report = renderer.fontReport
        if settings.strictFonts, let first = report.warnings.first {
            throw MediaError(
                .notFound, "\(settings.name): \(first)", hint: "give font files with `fonts`, or leave strictFonts out")
        }
        for text in report.fontWarnings { control.warnings.add(MediaWarning(.substitutedFont, text)) }
        for text in report.glyphWarnings { control.warnings.add(MediaWarning(.missingGlyph, text)) }
        if renderer.droppedEventCount > 0 {
            control.warnings.add(
                MediaWarning(
                    .subtitle, "\(settings.name): \(renderer.droppedEventCount) events of absurd size were left out"))
        }
        for warning in renderer.takeWarnings().prefix(10) {
            control.warnings.add(MediaWarning(.subtitle, "\(settings.name): \(warning)"))
        }
    }
}

extension PixelLayout {
    /// The layout of a libav frame.
    ///
    /// - Throws: `unsupported` for pictures that captions cannot be drawn on, such as RGB.
    init(frame: Frame) throws {
        guard let format = PixelFormat(frame.format), format.isYUV else {
            let name = PixelFormat(frame.format)?.name ?? "unknown"
            throw MediaError(
                .unsupported, "captions cannot be drawn on the pixel format \(name)", hint: "choose a YUV format")
        }
        let arrangement: Arrangement
        switch (format.componentCount, format.name) {
        case (1, _): arrangement = .gray
        case (_, "nv12"), (_, "nv16"), (_, "nv24"): arrangement = .semiPlanar
        case (_, "p010le"), (_, "p210le"), (_, "p410le"): arrangement = .semiPlanarHighBits
        case (3, _) where format.isPlanar: arrangement = .planar
        case (4, _) where format.isPlanar: arrangement = .planar
        default:
            throw MediaError(
                .unsupported, "captions cannot be drawn on the pixel format \(format.name)", hint: "choose yuv420p")
        }
        let color = ColorTags(of: frame)
        self.init(
            bitDepth: format.bitDepth, log2ChromaWidth: format.log2ChromaWidth,
            log2ChromaHeight: format.log2ChromaHeight, arrangement: arrangement,
            matrix: Matrix(color.matrix, height: frame.height),
            range: format.isFullRange(color) ? .full : .limited, light: CaptionLight(color.transfer))
    }
}

extension CaptionLight {
    init(_ transfer: AVColorTransferCharacteristic) {
        switch transfer {
        case AVCOL_TRC_SMPTE2084: self = .perceptualQuantizer
        case AVCOL_TRC_ARIB_STD_B67: self = .hybridLogGamma
        default: self = .standard
        }
    }
}

extension PixelLayout.Matrix {
    /// The matrix of a code of ITU-T H.273; where it is not said, what players take for pictures of this height.
    init(_ code: AVColorSpace, height: Int) {
        switch code {
        case AVCOL_SPC_BT709: self = .bt709
        case AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M: self = .bt601
        case AVCOL_SPC_BT2020_NCL, AVCOL_SPC_BT2020_CL: self = .bt2020
        case AVCOL_SPC_SMPTE240M: self = .smpte240m
        case AVCOL_SPC_FCC: self = .fcc
        default: self = height <= 576 ? .bt601 : .bt709
        }
    }
}
