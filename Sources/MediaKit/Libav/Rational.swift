/// An exact fraction: a time base, a frame rate, an aspect ratio.
public struct Rational: Hashable, Sendable, CustomStringConvertible {
    public var numerator: Int32
    public var denominator: Int32

    public init(_ numerator: Int32, _ denominator: Int32) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Whether it is a positive number. libav writes "unknown" as 0/0 or 0/1.
    public var isPositive: Bool { numerator > 0 && denominator > 0 }

    public var inverse: Rational { Rational(denominator, numerator) }

    /// The nearest floating-point number; 0 where the denominator is 0.
    public var value: Double { denominator == 0 ? 0 : Double(numerator) / Double(denominator) }

    public var description: String { "\(numerator)/\(denominator)" }
}
