/// How the samples of a planar picture are stored and what they mean. Knows nothing of any library's pixel formats.
public struct PixelLayout: Hashable, Sendable {
    /// The weights of red and blue in luma, from which a Y'CbCr matrix follows (ITU-T H.273, MatrixCoefficients).
    public struct Matrix: Hashable, Sendable {
        /// The weight of red in luma, above 0; green has what red and blue leave of 1.
        public var red: Double
        /// The weight of blue in luma, above 0.
        public var blue: Double

        /// Weights above 0 that add up to less than 1, which ``CaptionCompositor`` checks.
        public init(red: Double, blue: Double) {
            self.red = red
            self.blue = blue
        }

        /// ITU-R BT.601 (also SMPTE 170M and BT.470BG).
        public static let bt601 = Matrix(red: 0.299, blue: 0.114)
        /// ITU-R BT.709.
        public static let bt709 = Matrix(red: 0.2126, blue: 0.0722)
        /// ITU-R BT.2020, non-constant luminance.
        public static let bt2020 = Matrix(red: 0.2627, blue: 0.0593)
        /// SMPTE 240M.
        public static let smpte240m = Matrix(red: 0.212, blue: 0.087)
        /// United States FCC Title 47.
        public static let fcc = Matrix(red: 0.30, blue: 0.11)
    }

    /// Which part of the numbers carries the picture.
    public enum Range: Hashable, Sendable {
        /// Luma 16…235 and chroma 16…240 at 8 bits.
        case limited
        /// All of them.
        case full
    }

    /// How the planes are arranged.
    public enum Arrangement: Hashable, Sendable {
        /// Luma only.
        case gray
        /// Y, Cb and Cr in a plane each.
        case planar
        /// Y in one plane, Cb and Cr alternating in another: NV12 and its relatives.
        case semiPlanar
        /// As `semiPlanar`, with the sample in the high bits of its word: P010 and its relatives.
        case semiPlanarHighBits
    }

    /// Bits of a sample, 8 to 16. Samples of more than 8 bits fill a word of 16 in the machine's byte order.
    public var bitDepth: Int
    /// How many luma columns, as a power of two, share one chroma sample: 1 in 4:2:0 and 4:2:2, 0 in 4:4:4.
    public var log2ChromaWidth: Int
    /// How many luma rows, as a power of two, share one chroma sample: 1 in 4:2:0, otherwise mostly 0.
    public var log2ChromaHeight: Int
    /// Default: planar.
    public var arrangement: Arrangement
    /// The matrix that the picture's samples were made with.
    public var matrix: Matrix
    /// Default: limited.
    public var range: Range
    /// What a colour's numbers mean as light. Default: standard dynamic range.
    public var light: CaptionLight

    /// Members that are not given take their defaults; ``CaptionCompositor`` checks the whole.
    public init(
        bitDepth: Int, log2ChromaWidth: Int, log2ChromaHeight: Int, arrangement: Arrangement = .planar,
        matrix: Matrix, range: Range = .limited, light: CaptionLight = .standard
    ) {
        self.bitDepth = bitDepth
        self.log2ChromaWidth = log2ChromaWidth
        self.log2ChromaHeight = log2ChromaHeight
        self.arrangement = arrangement
        self.matrix = matrix
        self.range = range
        self.light = light
    }

    /// 1 for gray, 2 where Cb and Cr alternate in one plane, otherwise 3.
    public var planeCount: Int {
        switch arrangement {
        case .gray: 1
        case .planar: 3
        case .semiPlanar, .semiPlanarHighBits: 2
        }
    }

    /// Whether samples sit in the high bits of their words.
    var isHighBits: Bool { arrangement == .semiPlanarHighBits }

    /// Throws `unsupported` where the numbers describe no picture that captions can be drawn on.
    func validate() throws {
        guard (8...16).contains(bitDepth) else {
            throw MediaError(.unsupported, "captions cannot be drawn on samples of \(bitDepth) bits")
        }
        guard (0...2).contains(log2ChromaWidth), (0...2).contains(log2ChromaHeight) else {
            throw MediaError(.unsupported, "captions cannot be drawn on this chroma subsampling")
        }
        let green = 1 - matrix.red - matrix.blue
        guard matrix.red > 0, matrix.blue > 0, green > 0 else {
            throw MediaError(.unsupported, "captions cannot be drawn with this colour matrix")
        }
    }
}

extension PixelLayout {
    /// Y', Cb and Cr of a full-range R'G'B' colour, as numbers of this bit depth before rounding.
    ///
    /// ITU-T H.273 (07/2021), equations 38 to 40 for the matrix, 20 to 28 for the range.
    public func samples(red: UInt8, green: UInt8, blue: UInt8) -> (luma: Double, cb: Double, cr: Double) {
        let (r, g, b) = light.signal(red: Double(red) / 255, green: Double(green) / 255, blue: Double(blue) / 255)
        // Written as differences from green, so that grays come out exact.
        let y = g + matrix.red * (r - g) + matrix.blue * (b - g)
        let cb = (b - y) / (2 * (1 - matrix.blue))
        let cr = (r - y) / (2 * (1 - matrix.red))
        let one = Double(1 << (bitDepth - 8))
        let middle = 128 * one
        switch range {
        case .limited:
            return ((16 + 219 * y) * one, middle + 224 * one * cb, middle + 224 * one * cr)
        case .full:
            let top = 256 * one - 1
            return (top * y, min(middle + top * cb, top), min(middle + top * cr, top))
        }
    }

    /// The same scaled to 16 bits, whatever the depth: what the pixel kernels work in.
    func scaledSamples(red: UInt8, green: UInt8, blue: UInt8) -> (UInt16, UInt16, UInt16) {
        let color = samples(red: red, green: green, blue: blue)
        let scale = Double(1 << (16 - bitDepth))
        func scaled(_ value: Double) -> UInt16 { UInt16(min(max((value * scale).rounded(), 0), 65535)) }
        return (scaled(color.luma), scaled(color.cb), scaled(color.cr))
    }
}
