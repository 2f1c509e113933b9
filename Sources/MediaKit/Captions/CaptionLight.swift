import Glibc

/// How the light of a picture is written as numbers, as far as captions need to know: their colours are meant for an
/// ordinary screen, and drawn as they are into an HDR picture white would be blindingly bright.
public enum CaptionLight: Hashable, Sendable {
    /// Standard dynamic range: colours are drawn as they are.
    case standard
    /// SMPTE ST 2084 (PQ), BT.2020 primaries.
    case perceptualQuantizer
    /// ARIB STD-B67 (HLG), BT.2020 primaries.
    case hybridLogGamma

    /// Luminance of white text in cd/m²: the reference white of ITU-R BT.2408.
    static let referenceWhite = 203.0

    /// The signal of a colour that is given for an ordinary screen, each component 0…1.
    func signal(red: Double, green: Double, blue: Double) -> (red: Double, green: Double, blue: Double) {
        guard self != .standard else { return (red, green, blue) }
        // A screen's gamma by BT.1886, then BT.709 to BT.2020 primaries by BT.2087.
        let (r, g, b) = (pow(red, 2.4), pow(green, 2.4), pow(blue, 2.4))
        let wide = (
            0.6274 * r + 0.3293 * g + 0.0433 * b, 0.0691 * r + 0.9195 * g + 0.0114 * b,
            0.0164 * r + 0.0880 * g + 0.8956 * b
        )
        return (encode(wide.0), encode(wide.1), encode(wide.2))
    }

    /// - Parameter linear: 1 is white text.
    private func encode(_ linear: Double) -> Double {
        let luminance = linear * Self.referenceWhite
        switch self {
        case .standard:
            return linear
        case .perceptualQuantizer:
            // BT.2100, table 4: inverse EOTF.
            let y = pow(luminance / 10_000, 2610.0 / 16384)
            return pow((3424.0 / 4096 + 2413.0 / 128 * y) / (1 + 2392.0 / 128 * y), 2523.0 / 32)
        case .hybridLogGamma:
            // BT.2100, table 5: the inverse of the system gamma for a display of 1000 cd/m², then the OETF.
            let scene = pow(luminance / 1000, 1 / 1.2)
            if scene <= 1.0 / 12 { return (3 * scene).squareRoot() }
            let a = 0.17883277
            return a * log(12 * scene - (1 - 4 * a)) + 0.5 - a * log(4 * a)
        }
    }
}
