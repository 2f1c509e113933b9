import Glibc

/// Keeps peaks at or below a ceiling, looking ahead: where nothing comes near it, sound passes unchanged.
struct PeakLimiter: Sendable, Equatable {
    /// Decibels of full scale.
    var ceiling: Double

    /// What the filter takes at least.
    private static let lowest = -24.0

    /// By how much sound is oversampled so that peaks between the samples are seen as well: to 192 kHz or more, as
    /// BS.1770-4, annex 2, has it.
    static func oversampling(_ sampleRate: Int) -> Int { max(1, (192_000 + sampleRate - 1) / max(1, sampleRate)) }

    func append(to text: inout FilterText) {
        text.append(
            "alimiter",
            [
                ("limit", "\(pow(10, max(Self.lowest, ceiling) / 20))"), ("attack", "5"), ("release", "50"),
                // No gain of its own, and no delay.
                ("level", "0"), ("latency", "1"),
            ])
    }
}
