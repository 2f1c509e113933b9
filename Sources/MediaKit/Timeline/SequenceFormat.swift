import CAVShim

/// What all clips of a sequence become: one size, rate and colour, one kind of sound, one clock.
struct SequenceFormat: Sendable {
    var width: Int
    var height: Int
    var background: CaptionColor
    var pixelFormat: PixelFormat
    let frameRate: Rational
    /// Hz; what counts time also where there is no sound.
    let sampleRate: Int
    /// `nil` where there is no sound to look at.
    var channelLayout: String?
    var deinterlaces: Bool
    /// Of the pictures. Fine enough to end the last one with any sample, where that fits into libav's numbers.
    let timeBase: Rational

    init(
        width: Int, height: Int, background: CaptionColor, pixelFormat: PixelFormat, frameRate: Rational,
        sampleRate: Int, channelLayout: String?, deinterlaces: Bool
    ) {
        self.width = width
        self.height = height
        self.background = background
        self.pixelFormat = pixelFormat
        let divisor = Int32(clamping: Self.divisor(Int64(frameRate.numerator), Int64(frameRate.denominator)))
        self.frameRate = Rational(frameRate.numerator / divisor, frameRate.denominator / divisor)
        self.sampleRate = sampleRate
        self.channelLayout = channelLayout
        self.deinterlaces = deinterlaces
        let pictures = Int64(self.frameRate.numerator), samples = Int64(sampleRate)
        let common = pictures / Self.divisor(pictures, samples) * samples
        timeBase = common <= 1 << 28 ? Rational(1, Int32(common)) : self.frameRate.inverse
    }

    var channels: Int { channelLayout.map(ChannelLayout.count) ?? 0 }

    /// Samples before the picture of that number. Counted from the beginning, so that no rounding adds up.
    func samples(before picture: Int64) -> Int64 {
        frameRate.inverse.rescale(picture, to: Rational(1, Int32(sampleRate)))
    }

    /// Where the picture of that number begins.
    func time(of picture: Int64) -> Int64 { frameRate.inverse.rescale(picture, to: timeBase) }

    /// Where a sample lies among the pictures.
    func time(ofSample sample: Int64) -> Int64 { Rational(1, Int32(sampleRate)).rescale(sample, to: timeBase) }

    /// Whole pictures that come nearest to a length.
    func pictures(in seconds: Double) -> Int64 { frameRate.inverse.units(seconds) }

    private static func divisor(_ a: Int64, _ b: Int64) -> Int64 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return max(1, a)
    }
}
