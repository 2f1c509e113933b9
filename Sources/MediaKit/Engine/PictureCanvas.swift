import CAVShim

/// A picture of fixed size, BT.709 with limited range, on which pictures of all sizes and colours come to lie alike.
struct PictureCanvas: Sendable {
    var width: Int
    var height: Int
    /// What is seen around a picture that does not fill it.
    var background = CaptionColor.black

    /// Ends a chain whose pictures are upright and have the size `scaled`, with square pixels.
    func finish(
        _ text: inout FilterText, plan: PicturePlan, source: PixelFormat?, target: PixelFormat, color: ColorTags,
        sourceHeight: Int, scaled: PictureSize.Resolved?
    ) throws {
        let hasBorder = scaled.map { $0.width != width || $0.height != height } ?? true
        // The filter that pads takes all colours for BT.601, which makes no difference to black, white and grey.
        let padsInSD = hasBorder && !background.isGray
        if color.isHDR {
            // Whatever the depth: what lies beside it is not HDR.
            try plan.toneMap(&text, color)
            text.append("format", [("pix_fmts", target.name)])
            if padsInSD { convert(&text, from: "bt709", to: "bt601", target) }
        } else {
            let matrix = source?.isYUV == true ? Self.matrix(color, height: sourceHeight) : nil
            let isFull = source?.isFullRange(color) ?? false
            let wanted = padsInSD ? "bt601" : "bt709"
            if source == target, matrix == wanted, !isFull {
                text.append("format", [("pix_fmts", target.name)])
            } else {
                convert(&text, from: matrix, to: wanted, target, isFull: isFull)
            }
        }
        if hasBorder {
            if padsInSD { text.append("setparams", [("range", "tv"), ("colorspace", "smpte170m")]) }
            text.append(
                "pad",
                [
                    ("w", "\(width)"), ("h", "\(height)"), ("x", "(ow-iw)/2"), ("y", "(oh-ih)/2"),
                    ("color", background.opaqueName),
                ])
            if padsInSD { convert(&text, from: "bt601", to: "bt709", target) }
        }
        text.append("setsar", [("sar", "1")])
        text.append(
            "setparams",
            [("range", "tv"), ("color_primaries", "bt709"), ("color_trc", "bt709"), ("colorspace", "bt709")])
    }

    private func convert(
        _ text: inout FilterText, from matrix: String?, to wanted: String, _ target: PixelFormat, isFull: Bool = false
    ) {
        var options: [(String, String)] = []
        if let matrix {
            options = [("in_color_matrix", matrix), ("in_range", isFull ? "full" : "limited")]
        }
        options += [("out_color_matrix", wanted), ("out_range", "limited"), ("flags", "bicubic")]
        text.append("scale", options)
        text.append("format", [("pix_fmts", target.name)])
    }

    /// The scaler's name of a matrix. One that nobody wrote down is guessed from the height, as players do.
    private static func matrix(_ color: ColorTags, height: Int) -> String {
        switch color.matrix {
        case AVCOL_SPC_BT709: "bt709"
        case AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M: "bt601"
        case AVCOL_SPC_FCC: "fcc"
        case AVCOL_SPC_SMPTE240M: "smpte240m"
        case AVCOL_SPC_BT2020_NCL, AVCOL_SPC_BT2020_CL: "bt2020"
        default: height <= 576 ? "bt601" : "bt709"
        }
    }
}

extension CaptionColor {
    fileprivate var isGray: Bool { red == green && green == blue }

    /// As libavutil reads colours; without an opacity, which a background has none of.
    fileprivate var opaqueName: String {
        "0x" + CaptionColor(red: red, green: green, blue: blue).description.dropFirst()
    }
}
