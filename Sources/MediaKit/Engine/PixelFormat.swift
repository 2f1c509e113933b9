import CAVShim

/// What one needs to know of a libav pixel format.
struct PixelFormat: Equatable, Sendable {
    let raw: AVPixelFormat
    let name: String
    let bitDepth: Int
    /// Chroma samples are 1/2^n of the luma samples.
    let log2ChromaWidth: Int
    let log2ChromaHeight: Int
    let isYUV: Bool
    let hasAlpha: Bool
    let isPlanar: Bool
    let componentCount: Int

    init?(_ raw: Int32) { self.init(raw: AVPixelFormat(rawValue: raw)) }

    init?(name: String) { self.init(raw: av_get_pix_fmt(name)) }

    init?(raw: AVPixelFormat) {
        guard let description = av_pix_fmt_desc_get(raw) else { return nil }
        let flags = Int32(truncatingIfNeeded: description.pointee.flags)
        guard flags & Int32(AV_PIX_FMT_FLAG_HWACCEL) == 0 else { return nil }
        self.raw = raw
        name = String(cString: description.pointee.name)
        bitDepth = Int(description.pointee.comp.0.depth)
        log2ChromaWidth = Int(description.pointee.log2_chroma_w)
        log2ChromaHeight = Int(description.pointee.log2_chroma_h)
        isYUV = flags & Int32(AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL) == 0
        hasAlpha = flags & Int32(AV_PIX_FMT_FLAG_ALPHA) != 0
        isPlanar = flags & Int32(AV_PIX_FMT_FLAG_PLANAR) != 0
        componentCount = Int(description.pointee.nb_components)
    }

    /// The "yuvj" formats say by their name that the range is full.
    var hasFullRangeName: Bool { name.hasPrefix("yuvj") }

    func isFullRange(_ color: ColorTags) -> Bool { hasFullRangeName || color.range == AVCOL_RANGE_JPEG }

    static func == (a: PixelFormat, b: PixelFormat) -> Bool { a.raw == b.raw }
}

/// How a branch's pixel format is chosen: what was asked for, or what suits the source among what the encoder takes.
struct PixelFormatChoice: Sendable {
    /// Asked for by name.
    var required: PixelFormat?
    /// What the encoder takes; empty for anything.
    var supported: [PixelFormat] = []
    /// Whether more than 8 bits per sample are kept where the encoder can.
    var keepsDepth = true

    /// 4:2:0, which every player can show, in 8 or 10 bits.
    func choose(for source: PixelFormat?, color: ColorTags) -> PixelFormat {
        if let required { return required }
        let isDeep = (source?.bitDepth ?? 8) > 8
        var wishes: [String] = []
        if isDeep, keepsDepth { wishes.append("yuv420p10le") }
        if let source, source.isYUV, source.hasFullRangeName { wishes.append("yuvj420p") }
        wishes.append("yuv420p")
        let candidates = wishes.compactMap(PixelFormat.init(name:))
        if supported.isEmpty, let first = candidates.first { return first }
        if let match = candidates.first(where: { supported.contains($0) }) { return match }
        return supported.first ?? candidates.first ?? source ?? PixelFormatChoice.fallback
    }

    // Never reached with a real libavutil, which knows yuv420p.
    private static let fallback = PixelFormat(raw: AV_PIX_FMT_YUV420P) ?? PixelFormat(unknown: ())
}

extension PixelFormat {
    fileprivate init(unknown: Void) {
        raw = AV_PIX_FMT_NONE
        name = "none"
        bitDepth = 8
        log2ChromaWidth = 0
        log2ChromaHeight = 0
        isYUV = false
        hasAlpha = false
        isPlanar = false
        componentCount = 0
    }
}
