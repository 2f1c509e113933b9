import CAVShim

/// Makes an image file of a frame: the bytes of one packet of an image's encoder are the file.
///
/// Thread safety: used by the job's thread.
struct StillPicture {
    let format: ImageFormat
    /// 1…100
    let quality: Int
    let control: JobControl

    struct File {
        var bytes: [UInt8]
        var width: Int
        var height: Int
    }

    /// - Parameters:
    ///   - timeBase: of the frame's time.
    ///   - orientation: by the container; what the frame itself says counts where that is upright.
    ///   - aspect: the pixels' shape by the container; 0/1 if it does not say.
    /// - Throws: ``MediaError``: `unsupported` where these libraries lack the encoder, `resource_limit`.
    func file(
        of frame: Frame, timeBase: Rational, orientation: Orientation = .upright,
        aspect: Rational = Rational(0, 1), size: PictureSize? = nil
    ) throws -> File {
        guard frame.width * frame.height <= control.limits.pixels else {
            throw MediaError(
                .resourceLimit,
                "pictures of \(frame.width)x\(frame.height) are larger than the limit of \(control.limits.pixels) pixels",
                hint: "raise limits.pixels")
        }
        let source = FrameFormat(frame: frame, timeBase: timeBase, frameRate: Rational(0, 1))
        let own = orientation.isUpright ? frame.orientation ?? orientation : orientation
        let text = try filters(source, frame, own, aspect, size)
        let graph = try FilterGraph(
            sources: [source], text: text.joined(nothing: "null"), isVideo: true,
            threads: control.budget.filterThreads, control: control)
        frame.pts = 0
        _ = try graph.push(frame, source: 0)
        _ = try graph.push(nil, source: 0)
        let shaped = try Frame()
        guard case .ready = try graph.pull(into: shaped) else {
            throw MediaError(.internal, "the filters gave no picture back")
        }
        shaped.raw.pointee.pict_type = AV_PICTURE_TYPE_NONE
        let encoder = try Encoder(
            settings: encoderSettings, format: graph.output, first: shaped, globalHeader: false, statistics: nil,
            control: control)
        try encoder.send(shaped)
        try encoder.send(nil)
        let packet = try Packet()
        guard case .ready = try encoder.receive(into: packet) else {
            throw MediaError(.internal, "the encoder \(encoderSettings.encoder) gave no picture back")
        }
        return File(bytes: packet.bytes, width: shaped.width, height: shaped.height)
    }

    // MARK: Filters

    /// The frame upright, in square pixels and the asked size, and then in the colours of the file's format. The way goes
    /// through RGB: a JPEG's and a WebP's own matrix is that of BT.601 (JFIF 1.02; RFC 9649, §2.5) whatever the film's is.
    private func filters(
        _ source: FrameFormat, _ frame: Frame, _ orientation: Orientation, _ aspect: Rational, _ size: PictureSize?
    ) throws -> FilterText {
        let color = ColorTags(of: frame)
        let given = PixelFormat(source.format)
        var plan = PicturePlan()
        plan.orientation = orientation
        // The filter that makes SDR of it takes no half samples of 4:2:0.
        plan.needsEvenSize = color.isHDR
        plan.sampleAspectRatio = aspect
        plan.size = size ?? squared(source, orientation, aspect)
        // Shape first, in the film's own format; HDR is brought into BT.709 on the way.
        plan.pixelFormat.required =
            color.isHDR || given == nil ? PixelFormat(raw: AV_PIX_FMT_YUV444P) : given
        var text = try plan.text(for: source, first: frame)
        if color.isHDR {
            text.append("scale", [("in_color_matrix", "bt709"), ("in_range", "limited"), ("flags", Self.exact)])
        } else if given?.isYUV != false {
            let range = given?.isFullRange(color) == true ? "full" : "limited"
            let matrix = color.scalerMatrix(height: source.height)
            text.append("scale", [("in_color_matrix", matrix), ("in_range", range), ("flags", Self.exact)])
        }
        let hasAlpha = given?.hasAlpha == true
        switch format {
        case .jpg:
            text.append("format", [("pix_fmts", "gbrp")])
            text.append("scale", [("out_color_matrix", "bt601"), ("out_range", "full"), ("flags", Self.exact)])
            text.append("format", [("pix_fmts", "yuvj420p")])
        case .png: text.append("format", [("pix_fmts", hasAlpha ? "rgba" : "rgb24")])
        // libwebp makes its own YUV of it.
        case .webp: text.append("format", [("pix_fmts", "bgra")])
        }
        return text
    }

    private static let exact = "bicubic+accurate_rnd+full_chroma_int"

    /// The size in square pixels; `nil` where they are square.
    private func squared(_ source: FrameFormat, _ orientation: Orientation, _ aspect: Rational) -> PictureSize? {
        let shape = aspect.isPositive ? aspect : source.sampleAspectRatio
        guard shape.isPositive, shape != Rational(1, 1) else { return nil }
        var width = Int((Double(source.width) * min(shape.value, 64)).rounded()), height = source.height
        // Nothing is thrown away: the shorter side of a pixel is stretched.
        if shape.value < 1 {
            width = source.width
            height = Int((Double(source.height) / max(shape.value, 1.0 / 64)).rounded())
        }
        if orientation.swapsAxes { swap(&width, &height) }
        return PictureSize(width: max(1, width), height: max(1, height), fit: .stretch, enlarge: true)
    }

    // MARK: Encoders

    private var encoderSettings: EncoderSettings {
        switch format {
        case .jpg:
            // The scale of libjpeg's quality, on which 50 is the table of the standard's Annex K; libavcodec's quantiser
            // of 8 comes near to that table.
            let scale = quality < 50 ? 5000 / Double(quality) : 200 - 2 * Double(quality)
            let quantiser = Int(min(31, max(2, (scale * 0.08).rounded())))
            return EncoderSettings(encoder: "mjpeg", options: ["qmin": "\(quantiser)", "qmax": "\(quantiser)"])
        case .png: return EncoderSettings(encoder: "png", options: ["pred": "mixed"])
        case .webp: return EncoderSettings(encoder: "libwebp", options: ["quality": "\(quality)"])
        }
    }
}

extension ColorTags {
    /// The matrix by libswscale's names; where nobody wrote it down, as players guess it.
    fileprivate func scalerMatrix(height: Int) -> String {
        switch matrix {
        case AVCOL_SPC_BT709: "bt709"
        case AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M: "bt601"
        case AVCOL_SPC_FCC: "fcc"
        case AVCOL_SPC_SMPTE240M: "smpte240m"
        case AVCOL_SPC_BT2020_NCL, AVCOL_SPC_BT2020_CL: "bt2020"
        default: height > 576 ? "bt709" : "bt601"
        }
    }
}
