import Glibc

/// Peak signal-to-noise ratio of two planes of the same size, in decibels: 100 where they are the same.
public func psnr(_ a: Plane, _ b: Plane) -> Double {
    guard a.width == b.width, a.height == b.height, !a.samples.isEmpty else { return 0 }
    var sum = 0
    a.samples.withUnsafeBufferPointer { a in
        b.samples.withUnsafeBufferPointer { b in
            var index = 0
            let count = a.count
            while index < count {
                let difference = Int(a[index]) - Int(b[index])
                sum += difference * difference
                index += 1
            }
        }
    }
    guard sum > 0 else { return 100 }
    return 10 * log10(255 * 255 * Double(a.samples.count) / Double(sum))
}

/// How much of a tone is in sound, 0…1: the share of the power that lies at `frequency` (Goertzel's algorithm).
public func share(of frequency: Double, in samples: ArraySlice<Float>, rate: Int) -> Double {
    let coefficient = 2 * cos(2 * .pi * frequency / Double(rate))
    var s1 = 0.0, s2 = 0.0, power = 0.0
    for sample in samples {
        let value = Double(sample)
        power += value * value
        let s0 = value + coefficient * s1 - s2
        s2 = s1
        s1 = s0
    }
    guard power > 0 else { return 0 }
    let tone = s1 * s1 + s2 * s2 - coefficient * s1 * s2
    return min(1, 2 * tone / (power * Double(samples.count)))
}

/// The root of the mean square: loudness of a part.
public func rms(_ samples: ArraySlice<Float>) -> Double {
    guard !samples.isEmpty else { return 0 }
    var sum = 0.0
    for sample in samples { sum += Double(sample) * Double(sample) }
    return (sum / Double(samples.count)).squareRoot()
}

extension DecodedStream {
    /// The samples between two seconds, counted from the first sample that was decoded.
    public func sound(_ seconds: ClosedRange<Double>, channel: Int = 0) -> ArraySlice<Float> {
        guard samples.indices.contains(channel) else { return [] }
        let count = samples[channel].count
        let first = min(count, Int(seconds.lowerBound * Double(sampleRate)))
        let last = min(count, max(first, Int(seconds.upperBound * Double(sampleRate))))
        return samples[channel][first..<last]
    }
}
