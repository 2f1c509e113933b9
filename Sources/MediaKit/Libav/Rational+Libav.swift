import CAVShim

extension Rational {
    init(_ raw: AVRational) { self.init(raw.num, raw.den) }
    var raw: AVRational { AVRational(num: numerator, den: denominator) }

    /// libav's own clock for times without a stream: microseconds.
    static let microseconds = Rational(1, 1_000_000)

    /// `value` units of this time base in units of `other`, to the nearest, halves away from zero; at most
    /// `Int64.farthestTime`, where libav would answer "unknown".
    func rescale(_ value: Int64, to other: Rational, rounding: AVRounding = AV_ROUND_NEAR_INF) -> Int64 {
        let result = av_rescale_q_rnd(value, raw, other.raw, rounding)
        guard result == CAV_NOPTS else { return result.boundedTime }
        return (value < 0) == (Int64(numerator) * Int64(other.denominator) < 0) ? .farthestTime : -.farthestTime
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
    /// No clock of a real input goes farther. Broken and hostile ones do, and arithmetic that overflows ends the
    /// process: within this bound any two times and a length can be added.
    static let farthestTime: Int64 = 1 << 61

    /// The nearest time within `farthestTime`.
    var boundedTime: Int64 { Swift.min(Swift.max(self, -Self.farthestTime), Self.farthestTime) }

    /// The nearest representable value of a whole floating-point number.
    init(clamping value: Double) {
        if let exact = Int64(exactly: value.rounded()) {
            self = exact
        } else {
            self = value.isNaN ? 0 : value < 0 ? .min : .max
        }
    }
}
