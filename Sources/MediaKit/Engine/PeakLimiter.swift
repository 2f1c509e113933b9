import Glibc

/// Keeps peaks at or below a ceiling, looking ahead: where nothing comes near it, sound passes unchanged.
struct PeakLimiter: Sendable, Equatable {
    /// Decibels of full scale, -24 to 0.
    var ceiling: Double

    /// By how much sound is oversampled so that peaks between the samples are seen as well. BS.1770-4, annex 2, asks for
    /// 192 kHz or more of sound at 48 kHz.
    static func oversampling(_ sampleRate: Int) -> Int {
        switch sampleRate {
        case ...48_000: 4
        case ...96_000: 2
        default: 1
        }
    }

    func append(to text: inout FilterText) {
        text.append(
            "alimiter",
            [
                ("limit", "\(pow(10, ceiling / 20))"), ("attack", "5"), ("release", "50"),
                // No gain of its own, and no delay.
                ("level", "0"), ("latency", "1"),
            ])
    }
}
