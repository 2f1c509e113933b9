/// An exact fraction: a time base, a frame rate, an aspect ratio.
public struct Rational: Hashable, Sendable, CustomStringConvertible {
    /// What is divided; 0 also where libav does not know the number.
    public var numerator: Int32
    /// What it is divided by; 0 only where libav does not know the number.
    public var denominator: Int32

    /// Takes both as they are: nothing is reduced, and a denominator of 0 is allowed.
    public init(_ numerator: Int32, _ denominator: Int32) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Whether it is a positive number. libav writes "unknown" as 0/0 or 0/1.
    public var isPositive: Bool { numerator > 0 && denominator > 0 }

    /// Numerator and denominator exchanged: the time base of a frame rate, or the other way round.
    public var inverse: Rational { Rational(denominator, numerator) }

    /// The nearest floating-point number; 0 where the denominator is 0.
    public var value: Double { denominator == 0 ? 0 : Double(numerator) / Double(denominator) }

    public var description: String { "\(numerator)/\(denominator)" }
}
