import CPixelKernels

/// Flattens a rendered caption once into premultiplied planes, and blends it into any number of frames.
///
/// Only the stretches of rows that a caption covers are kept and touched: what lies between two captions, or beside
/// one, costs neither memory nor time. The colours of a script are full-range R'G'B'; they are converted with the
/// picture's own matrix and range, and a script's "YCbCr Matrix" header is ignored, as libavfilter does. Chroma is
/// averaged over the box of luma samples that shares it.
///
/// Thread safety: not safe for use from two threads at once while `update` runs; `blend` only reads.
public final class CaptionCompositor {
    /// How the frames' samples are stored.
    public let layout: PixelLayout
    /// Luma columns and rows of the frames.
    public let width: Int
    /// Luma rows of the frames.
    public let height: Int

    private var luma = CaptionComposite()
    private var chroma = CaptionComposite()
    private var strip: CaptionStrip

    /// - Throws: `MediaError` with `unsupported` for a layout that cannot be drawn on, `badRequest` for an impossible
    ///   size.
    public init(layout: PixelLayout, width: Int, height: Int) throws {
        try layout.validate()
        try CaptionGeometry(width: width, height: height).validate()
        self.layout = layout
        self.width = width
        self.height = height
        strip = CaptionStrip(layout: layout, width: width, height: height)
    }

    /// Whether there is nothing to blend.
    public var isEmpty: Bool { luma.runs.isEmpty }

    /// How many luma samples a blend touches.
    public var coveredSamples: Int { luma.opacity.count }

    /// The rows and columns of luma that a blend touches, one range of columns for each stretch.
    var lumaStretches: [(row: Int, columns: Range<Int>)] {
        luma.runs.map { (Int($0.row), Int($0.column)..<Int($0.column + $0.count)) }
    }

    /// Takes over the picture of the renderer's last `changed`. Call it before the renderer's next `render(at:)`.
    public func update(from renderer: CaptionRenderer) {
        update(with: renderer.bitmaps(frameWidth: width, frameHeight: height))
    }

    func update(with bitmaps: [CaptionBitmap]) {
        luma.removeAll()
        chroma.removeAll()
        guard let top = bitmaps.map(\.y).min(), let bottom = bitmaps.map({ $0.y + $0.height }).max() else { return }
        for row in stride(from: top / CaptionStrip.rows * CaptionStrip.rows, to: bottom, by: CaptionStrip.rows) {
            guard strip.draw(bitmaps, from: row) else { continue }
            strip.appendLuma(to: &luma)
            if layout.arrangement != .gray { strip.appendChroma(to: &chroma) }
        }
    }

    /// Draws the caption over a frame of this compositor's layout and size. The planes must be writable and at least
    /// as large as it says.
    public func blend(into planes: PixelPlanes) {
        guard planes.planes.count >= layout.planeCount else {
            assertionFailure("fewer planes than the layout has")
            return
        }
        let depth = Int32(layout.bitDepth)
        // The luma of P010 sits in the high bits as well: there, a word is the sample scaled to 16 bits.
        blend(luma, luma.first, into: planes.planes[0], depth: layout.isHighBits ? 16 : depth)
        switch layout.arrangement {
        case .gray: break
        case .planar:
            blend(chroma, chroma.first, into: planes.planes[1], depth: depth)
            blend(chroma, chroma.second, into: planes.planes[2], depth: depth)
        case .semiPlanar, .semiPlanarHighBits:
            let plane = planes.planes[1]
            cpk_blend_interleaved_runs(
                plane.base.assumingMemoryBound(to: UInt8.self), plane.stride, depth, layout.isHighBits ? 1 : 0,
                chroma.runs, chroma.runs.count, chroma.first, chroma.second, chroma.opacity)
        }
    }

    private func blend(
        _ composite: CaptionComposite, _ samples: [UInt16], into plane: PixelPlanes.Plane, depth: Int32
    ) {
        cpk_blend_runs(
            plane.base.assumingMemoryBound(to: UInt8.self), plane.stride, depth, composite.runs, composite.runs.count,
            samples, composite.opacity)
    }
}

/// The covered stretches of one resolution, end to end.
struct CaptionComposite {
    var runs: [cpk_run] = []
    /// Premultiplied luma, or Cb.
    var first: [UInt16] = []
    /// Premultiplied Cr; empty for luma.
    var second: [UInt16] = []
    var opacity: [UInt16] = []

    mutating func removeAll() {
        runs.removeAll(keepingCapacity: true)
        first.removeAll(keepingCapacity: true)
        second.removeAll(keepingCapacity: true)
        opacity.removeAll(keepingCapacity: true)
    }
}
