import CAVShim

extension Rational {
    init(_ raw: AVRational) { self.init(raw.num, raw.den) }
    var raw: AVRational { AVRational(num: numerator, den: denominator) }

    /// libav's own clock for times without a stream: microseconds.
    static let microseconds = Rational(1, 1_000_000)

    /// `value` units of this time base in units of `other`, to the nearest, halves away from zero.
    func rescale(_ value: Int64, to other: Rational, rounding: AVRounding = AV_ROUND_NEAR_INF) -> Int64 {
        av_rescale_q_rnd(value, raw, other.raw, rounding)
    }

    /// `value` units of this time base in seconds: for people and reports, never for arithmetic on timestamps.
    func seconds(_ value: Int64) -> Double { Double(value) * self.value }

    /// The unit count nearest to `seconds`.
    func units(_ seconds: Double) -> Int64 {
        let units = (seconds / value).rounded()
        return units.isFinite ? Int64(clamping: units) : 0
    }
}

extension Int64 {
    /// The nearest representable value of a whole floating-point number.
    init(clamping value: Double) {
        if let exact = Int64(exactly: value.rounded()) {
            self = exact
        } else {
            self = value.isNaN ? 0 : value < 0 ? .min : .max
        }
    }
}
