import CAVShim

/// What shall become of the pictures of one branch: upright, deinterlaced, in the right size, rate, colour and format.
struct PicturePlan: Sendable {
    /// From the container's display matrix. The pictures are turned and the matrix is dropped.
    var orientation = Orientation.upright
    var size: PictureSize?
    /// A constant rate; `nil` keeps each picture's own time.
    var frameRate: Rational?
    var pixelFormat = PixelFormatChoice()
    /// The pixels' shape by the container, where the frames do not say.
    var sampleAspectRatio = Rational(0, 1)
    /// Whether width and height must be even, as 4:2:0 encoders want.
    var needsEvenSize = true
    /// Whether pictures that say they are interlaced are made progressive.
    var deinterlaces = true
    /// A picture of fixed size and colour that the pictures are put on, which `size` makes them fit.
    var canvas: PictureCanvas?

    /// Whether a picture's own word on its orientation counts, where the container has none.
    var turnsByFrame = false

    func text(for format: FrameFormat, first: Frame?) throws -> FilterText {
        if turnsByFrame, orientation.isUpright, let own = first?.orientation, !own.isUpright {
            var turned = self
            turned.orientation = own
            turned.turnsByFrame = false
            return try turned.text(for: format, first: first)
        }
        var text = FilterText()
        let source = PixelFormat(format.format)
        let color = first.map(ColorTags.init(of:)) ?? ColorTags()
        let target = pixelFormat.choose(for: source, color: color)
        if deinterlaces, first?.isInterlaced == true {
            // Pictures that are progressive after all pass untouched.
            text.append("bwdif", [("mode", "send_frame"), ("parity", "auto"), ("deint", "interlaced")])
        }
        if let frameRate { text.append("fps", [("fps", "\(frameRate)")]) }
        text.turn(orientation)
        var width = format.width, height = format.height
        if orientation.swapsAxes { swap(&width, &height) }
        // The container's word counts more than the codec's.
        var aspect = sampleAspectRatio.isPositive ? sampleAspectRatio : format.sampleAspectRatio
        let changesAspect = aspect.isPositive && aspect != format.sampleAspectRatio
        if !aspect.isPositive { aspect = Rational(1, 1) }
        if orientation.swapsAxes { aspect = aspect.inverse }
        let scaled = size?.resolve(width: width, height: height, aspect: aspect, even: needsEvenSize)
        if let scaled { try resize(&text, scaled, width: width, height: height) }
        if let canvas {
            try canvas.finish(
                &text, plan: self, source: source, target: target, color: color, sourceHeight: height, scaled: scaled)
            return text
        }
        let final = scaled.map { (width: $0.width, height: $0.height) } ?? (width: width, height: height)
        if scaled == nil, needsEvenSize, final.width % 2 != 0 || final.height % 2 != 0 {
            guard final.width > 1, final.height > 1 else {
                throw MediaError(.unsupported, "a picture of \(final.width)x\(final.height) is too small to be encoded")
            }
            text.append("crop", [("w", "\(final.width & ~1)"), ("h", "\(final.height & ~1)"), ("x", "0"), ("y", "0")])
        }
        try convert(&text, from: source, to: target, color: color)
        if scaled == nil, changesAspect { text.append("setsar", [("sar", "\(aspect)")]) }
        // A matrix that nobody wrote down is guessed from the height by players; if that crosses the line between
        // standard and high definition, the guess would be wrong.
        if color.matrix == AVCOL_SPC_UNSPECIFIED, source?.isYUV == true, target.isYUV,
            (height <= 576) != (final.height <= 576)
        {
            text.append("setparams", [("colorspace", height <= 576 ? "smpte170m" : "bt709")])
        }
        return text
    }

    private func resize(
        _ text: inout FilterText, _ size: PictureSize.Resolved, width: Int, height: Int
    ) throws {
        if let crop = size.crop {
            text.append(
                "crop", [("w", "\(crop.width)"), ("h", "\(crop.height)"), ("exact", "1")])
        }
        if size.width != (size.crop?.width ?? width) || size.height != (size.crop?.height ?? height) {
            text.append("scale", [("w", "\(size.width)"), ("h", "\(size.height)"), ("flags", "bicubic")])
        }
        text.append("setsar", [("sar", "1")])
    }

    private func convert(
        _ text: inout FilterText, from source: PixelFormat?, to target: PixelFormat, color: ColorTags
    ) throws {
        let isHDR = color.isHDR
        if isHDR, target.bitDepth <= 8 {
            try toneMap(&text, color)
            text.append("format", [("pix_fmts", target.name)])
            return
        }
        if let source, source.isFullRange(color), target.isYUV, !target.hasFullRangeName {
            // The scaler takes the plain YUV formats for limited range unless it is told.
            if source.name != target.name {
                text.append("scale", [("in_range", "full"), ("out_range", "full"), ("flags", "bicubic")])
            }
            text.append("format", [("pix_fmts", target.name)])
            text.append("setparams", [("range", "full")])
            return
        }
        if let source, !source.isYUV, target.isYUV {
            text.append(
                "scale", [("out_color_matrix", "bt709"), ("out_range", "limited"), ("flags", "bicubic")])
            text.append("format", [("pix_fmts", target.name)])
            text.append("setparams", [("colorspace", "bt709"), ("range", "limited")])
            return
        }
        text.append("format", [("pix_fmts", target.name)])
    }

    /// HDR (PQ or HLG) to BT.709: linear light, the gamut, a curve, and back. Nominal white is 100 cd/m², the peak is
    /// what the mastering metadata says, else 1000 cd/m².
    func toneMap(_ text: inout FilterText, _ color: ColorTags) throws {
        guard avfilter_get_by_name("zscale") != nil, avfilter_get_by_name("tonemap") != nil else {
            throw MediaError(
                .unsupported, "HDR pictures cannot be made SDR: these libraries lack the filters zscale and tonemap",
                hint: "ask for a 10-bit pixel format, or install FFmpeg with libzimg")
        }
        text.append(
            "zscale",
            [
                ("transferin", color.transfer == AVCOL_TRC_SMPTE2084 ? "smpte2084" : "arib-std-b67"),
                ("primariesin", color.primaries == AVCOL_PRI_UNSPECIFIED ? "bt2020" : "input"),
                ("matrixin", color.matrix == AVCOL_SPC_UNSPECIFIED ? "bt2020nc" : "input"),
                ("transfer", "linear"), ("npl", "100"),
            ])
        text.append("format", [("pix_fmts", "gbrpf32le")])
        text.append("zscale", [("primaries", "bt709")])
        text.append("tonemap", [("tonemap", "hable"), ("desat", "0"), ("peak", "10")])
        text.append("zscale", [("transfer", "bt709"), ("matrix", "bt709"), ("range", "limited")])
    }
}

extension ColorTags {
    init(of frame: Frame) {
        self.init(
            primaries: frame.raw.pointee.color_primaries, transfer: frame.raw.pointee.color_trc,
            matrix: frame.raw.pointee.colorspace, range: frame.raw.pointee.color_range)
    }

    /// HDR is told by the transfer function, not the primaries: BT.2020 may well be SDR.
    var isHDR: Bool { transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67 }
}

extension FilterText {
    /// Stands a picture upright.
    mutating func turn(_ orientation: Orientation) {
        if orientation.isMirrored { append("hflip") }
        switch orientation.clockwise {
        case 90: append("transpose", [("dir", "clock")])
        case 180:
            append("hflip")
            append("vflip")
        case 270: append("transpose", [("dir", "cclock")])
        default: break
        }
    }

    /// Makes the chain end in exactly `format`, which an open encoder was made for.
    mutating func force(_ format: FrameFormat) {
        if format.isVideo {
            append("scale", [("w", "\(format.width)"), ("h", "\(format.height)"), ("flags", "bicubic")])
            append("format", [("pix_fmts", PixelFormat(format.format)?.name ?? "")])
            if format.sampleAspectRatio.isPositive { append("setsar", [("sar", "\(format.sampleAspectRatio)")]) }
        } else {
            append(
                "aformat",
                [
                    (
                        "sample_fmts",
                        av_get_sample_fmt_name(AVSampleFormat(rawValue: format.format)).map { String(cString: $0) }
                            ?? ""
                    ),
                    ("sample_rates", "\(format.sampleRate)"), ("channel_layouts", format.channelLayout),
                ])
        }
    }
}
